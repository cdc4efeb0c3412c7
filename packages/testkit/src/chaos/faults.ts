import type { Failover } from "@sojourn/core";
import type { SeededRandom } from "../sim/seeded-random.js";
import { type ChaosCluster, DIRECTORY, signal } from "./chaos-cluster.js";
import { whyNoFullDisk } from "./directory-runner.js";

/** What a fault acts on. */
export interface FaultScene {
  readonly cluster: ChaosCluster;
  readonly random: SeededRandom;
  readonly leaseMs: number;
  /** Lets the fault last. Ends early when the run is stopped. */
  wait(ms: number): Promise<void>;
}

/** One kind of fault. Resolves, once it has been mended, with what was done, for the log. */
export type Fault = (scene: FaultScene) => Promise<string>;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function lasting({ random, leaseMs }: FaultScene, least: number, most: number): number {
  return leaseMs * (least + random.next() * (most - least));
}

function pickTwo({ cluster, random }: FaultScene): readonly [string, string] {
  const a = random.pick(cluster.ids);
  return [a, random.pick(cluster.ids.filter((id) => id !== a))];
}

async function again(cluster: ChaosCluster, id: string): Promise<void> {
  await cluster.startNode(id);
}

async function restart(cluster: ChaosCluster, id: string): Promise<number> {
  const code = await cluster.node(id).terminate();
  await again(cluster, id);
  return code;
}

/** Every kind of fault, by its name in reports. All times are shares of the lease, so that some end before it and some do not. */
export const FAULTS = {
  async kill(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const ms = lasting(scene, 0, 1.5);
    await cluster.node(id).kill();
    await scene.wait(ms);
    await again(cluster, id);
    return `${id} was killed, and started again after ${seconds(ms)}`;
  },
  /** Its clients hear it to the last; whatever it may have told them too early is nowhere else. */
  async fade(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const links = cluster.ids.filter((other) => other !== id).map((other) => cluster.switchboard.link(id, other));
    const ms = lasting(scene, 0.05, 0.4);
    for (const link of links) link.set({ held: true });
    await scene.wait(ms);
    await cluster.node(id).kill();
    for (const link of links) link.set({ held: false });
    await scene.wait(lasting(scene, 0, 1.5));
    await again(cluster, id);
    return `what ${id} said to the others did not arrive for ${seconds(ms)}, then it was killed; later it was started again`;
  },
  async pause(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const ms = lasting(scene, 0.1, 2.5);
    const { pid } = cluster.node(id);
    signal(pid, "SIGSTOP");
    await scene.wait(ms);
    signal(pid, "SIGCONT");
    return `${id} stood still for ${seconds(ms)}`;
  },
  async restart({ cluster, random }) {
    const id = random.pick(cluster.ids);
    const code = await restart(cluster, id);
    return `${id} was told to leave (exit code ${code}), and started again`;
  },
  async rollingRestart({ cluster }) {
    const codes: number[] = [];
    for (const id of cluster.ids) codes.push(await restart(cluster, id));
    return `all nodes were restarted one after another (exit codes ${codes.join(", ")})`;
  },
  async cut(scene) {
    const [a, b] = pickTwo(scene);
    const ms = lasting(scene, 0.1, 1.2);
    scene.cluster.switchboard.set(a, b, { held: true });
    await scene.wait(ms);
    scene.cluster.switchboard.set(a, b, { held: false });
    return `nothing passed between ${a} and ${b} for ${seconds(ms)}`;
  },
  async oneWayCut(scene) {
    const [a, b] = pickTwo(scene);
    const ms = lasting(scene, 0.1, 1.2);
    const link = scene.cluster.switchboard.link(a, b);
    link.set({ held: true });
    await scene.wait(ms);
    link.set({ held: false });
    return `nothing passed from ${a} to ${b} for ${seconds(ms)}`;
  },
  async reset(scene) {
    const [a, b] = pickTwo(scene);
    for (let i = 0; i < 5; i++) {
      scene.cluster.switchboard.reset(a, b);
      await scene.wait(200);
    }
    return `the connections between ${a} and ${b} broke five times`;
  },
  async slowLink(scene) {
    const [a, b] = pickTwo(scene);
    const ms = lasting(scene, 0.5, 1.5);
    const delayMs = 20 + scene.random.below(280);
    scene.cluster.switchboard.set(a, b, { delayMs });
    await scene.wait(ms);
    scene.cluster.switchboard.set(a, b, { delayMs: 0 });
    return `everything between ${a} and ${b} took ${delayMs} ms longer for ${seconds(ms)}`;
  },
  async isolate(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const others = [...cluster.ids.filter((other) => other !== id), DIRECTORY];
    const ms = lasting(scene, 0.2, 2);
    for (const other of others) cluster.switchboard.set(id, other, { held: true });
    await scene.wait(ms);
    for (const other of others) cluster.switchboard.set(id, other, { held: false });
    return `${id} was cut off from all others and from the directory for ${seconds(ms)}; its clients still reached it`;
  },
  async directoryCut(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const ms = lasting(scene, 0.2, 2);
    cluster.switchboard.set(id, DIRECTORY, { held: true });
    await scene.wait(ms);
    cluster.switchboard.set(id, DIRECTORY, { held: false });
    return `${id} was cut off from the directory for ${seconds(ms)}`;
  },
  async directoryOneWayCut(scene) {
    const { cluster, random } = scene;
    const id = random.pick(cluster.ids);
    const ms = lasting(scene, 0.2, 2);
    const toDirectory = random.chance(0.5);
    const link = toDirectory ? cluster.switchboard.link(id, DIRECTORY) : cluster.switchboard.link(DIRECTORY, id);
    link.set({ held: true });
    await scene.wait(ms);
    link.set({ held: false });
    return `nothing passed ${toDirectory ? `from ${id} to the directory` : `from the directory to ${id}`} for ${seconds(ms)}`;
  },
  async directorySlow(scene) {
    const { cluster, random } = scene;
    const ms = lasting(scene, 0.5, 1.5);
    const delayMs = 20 + random.below(180);
    for (const id of cluster.ids) cluster.switchboard.set(id, DIRECTORY, { delayMs });
    await scene.wait(ms);
    for (const id of cluster.ids) cluster.switchboard.set(id, DIRECTORY, { delayMs: 0 });
    return `everything to and from the directory took ${delayMs} ms longer for ${seconds(ms)}`;
  },
  async directoryKill(scene) {
    const { directory } = scene.cluster;
    const ms = lasting(scene, 0.1, 2);
    await directory.kill();
    await scene.wait(ms);
    await directory.start();
    return `the directory was killed, and started again after ${seconds(ms)}`;
  },
  async directoryPause(scene) {
    const { directory } = scene.cluster;
    const ms = lasting(scene, 0.1, 2);
    directory.signal("SIGSTOP");
    await scene.wait(ms);
    directory.signal("SIGCONT");
    return `the directory stood still for ${seconds(ms)}`;
  },
  async slowDisk(scene) {
    const { cluster, random } = scene;
    const ms = lasting(scene, 0.5, 1.5);
    const appendMs = 20 + random.below(280);
    cluster.directory.slow(appendMs);
    await scene.wait(ms);
    cluster.directory.slow(0);
    return `each write to the directory's disk took ${appendMs} ms longer for ${seconds(ms)}`;
  },
  async fullDisk(scene) {
    const { directory } = scene.cluster;
    const noticed = await directory.fillDisk(2 * scene.leaseMs);
    if (!noticed) await directory.kill();
    await scene.wait(lasting(scene, 0, 1));
    await directory.start();
    return `the directory's disk was full; ${noticed ? "it stopped by itself" : "it wrote nothing meanwhile"}, and was started again with room`;
  },
  /** Its sessions go elsewhere while it lives and goes on with them. */
  async accusation(scene) {
    const { cluster, random } = scene;
    const [by, id] = pickTwo(scene);
    const times = 1 + random.below(4);
    for (let i = 0; i < times; i++) {
      await cluster.node(by).command({ command: "accuse", node: id });
      await scene.wait(lasting(scene, 0.05, 0.3));
    }
    return `${id} was said to be down ${times === 1 ? "once" : `${times} times`}, and was not`;
  },
} satisfies Record<string, Fault>;

/** The name of a kind of fault. */
export type FaultKind = keyof typeof FAULTS;

/** All names. */
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** Why a kind cannot be had on this machine, or would do nothing; null when it can. */
export function whyNot(kind: FaultKind, failover: Failover): string | null {
  if (kind === "accusation" && failover === "lease") return "copies wait for the lease, whatever is said of a node";
  return kind === "fullDisk" ? whyNoFullDisk() : null;
}

/** The order in which a seed injects faults: every kind once, in a drawn order, then every kind again, and so on. */
export function* faultPlan(random: SeededRandom, kinds: readonly FaultKind[]): Generator<FaultKind, never> {
  for (;;) {
    const left = [...kinds];
    while (left.length > 0) yield left.splice(random.below(left.length), 1)[0] as FaultKind;
  }
}
