import { nodeIdOf } from "@sojourn/core";
import { counter } from "./counter-session.js";
import type { FaultPlan } from "./faults.js";
import { SeededRandom } from "./seeded-random.js";
import { SimCluster } from "./sim-cluster.js";
import { Talker } from "./talker.js";

/** What a scenario may do to the cluster while its clients talk. */
export interface ScenarioOptions {
  readonly seed: number;
  readonly nodes?: number;
  readonly sessions?: number;
  readonly talkersPerSession?: number;
  /** Steps of some 10 virtual ms; in each something may happen. */
  readonly steps?: number;
  readonly faults?: Partial<FaultPlan>;
  /** Probabilities per step. */
  readonly move?: number;
  readonly cutSocket?: number;
  readonly resetLink?: number;
  readonly partition?: number;
  readonly directoryFaults?: number;
  readonly crash?: number;
}

/** What came of it. `problems` is empty when every promise held. */
export interface ScenarioReport {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly moves: { readonly asked: number; readonly done: number; readonly failed: number };
  readonly said: number;
  readonly crashes: number;
  readonly virtualMs: number;
}

const SETTLE_MS = 120_000;

/** Runs one seeded scenario on virtual time and checks the invariants of PROTOCOL.md at every step and at the end. */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioReport> {
  const { seed, steps = 150, sessions = 2, talkersPerSession = 2 } = options;
  const random = new SeededRandom(seed ^ 0x5e55);
  const ids = ["a", "b", "c", "d", "e"].slice(0, options.nodes ?? 3);
  const keys = Array.from({ length: sessions }, (_, i) => `counter/s${i}`);
  const cluster = new SimCluster({
    seed,
    nodes: ids,
    definitions: [counter],
    limits: { heirDeadlineMs: 1_000, leaseTtlMs: 4_000, directoryTimeoutMs: 500 },
  });
  await cluster.start();
  const startMs = cluster.clock.now();
  const problems: string[] = [];
  const moves = { asked: 0, done: 0, failed: 0 };
  const down = new Set<string>();
  let crashes = 0;

  const talkers: { readonly key: string; readonly talker: Talker }[] = [];
  for (const key of keys) {
    for (let i = 0; i < talkersPerSession; i++) {
      const client = await cluster.until(cluster.connect<typeof counter>(key, [random.pick(ids), ...ids]));
      talkers.push({ key, talker: new Talker(`${key}/${i}`, client) });
    }
  }
  cluster.network.plan = { ...cluster.network.plan, ...options.faults };

  const saying: Promise<void>[] = [];
  const epochs = new Map<string, number>();
  const check = () => {
    for (const key of keys) {
      const owners = cluster.actingOwners(key);
      if (owners.length > 1) problems.push(`I1: ${key} is acted on by ${owners.join(" and ")}`);
      for (const [id, node] of cluster.nodes) {
        const slot = node.runtime?.host?.slots.get(key);
        if (slot === undefined) continue;
        const name = `${key}@${id}#${node.runtime?.self}`;
        if (slot.fence < (epochs.get(name) ?? 0)) problems.push(`I3: epoch of ${name} went back`);
        epochs.set(name, slot.fence);
      }
    }
  };
  const chance = (probability: number | undefined) => random.chance(probability ?? 0);

  for (let step = 0; step < steps; step++) {
    for (const { talker } of talkers) if (random.chance(0.5)) saying.push(talker.say());
    if (chance(options.move)) {
      const key = random.pick(keys);
      const from = cluster.ownerOf(key);
      const to = random.pick(ids.filter((id) => id !== from && !down.has(id)));
      const move = from === null || to === undefined ? undefined : cluster.node(from).runtime?.move(key, to);
      if (move !== undefined) {
        moves.asked++;
        move.then(
          () => moves.done++,
          () => moves.failed++,
        );
      }
    }
    if (chance(options.cutSocket)) cluster.sockets.cutOne();
    if (chance(options.resetLink)) cluster.network.reset(cluster.node(random.pick(ids)).address, cluster.node(random.pick(ids)).address);
    if (chance(options.partition)) {
      const from = cluster.node(random.pick(ids)).address;
      const to = random.chance(0.3) ? "*" : cluster.node(random.pick(ids)).address;
      cluster.network.cut(from, to);
      if (random.chance(0.5) && to !== "*") cluster.network.cut(to, from);
      cluster.clock.schedule(random.next() * 6_000, () => cluster.network.heal());
    }
    if (chance(options.directoryFaults)) {
      const { faults } = cluster.node(random.pick(ids)).directory;
      Object.assign(faults, {
        delayMs: 1 + random.next() * 60,
        lostAnswers: random.next() * 0.3,
        lateWrites: random.next() * 0.2,
        down: random.chance(0.3),
      });
      cluster.clock.schedule(random.next() * 3_000, () =>
        Object.assign(faults, { delayMs: 1, lostAnswers: 0, lateWrites: 0, down: false }),
      );
    }
    if (chance(options.crash) && down.size === 0) {
      const id = random.pick(ids);
      down.add(id);
      crashes++;
      cluster.crash(id);
      cluster.clock.schedule(8_000 + random.next() * 4_000, () => {
        void cluster.startNode(id).then(() => down.delete(id));
      });
    }
    await cluster.clock.run(5 + random.next() * 20);
    check();
  }

  // Faults stop; everything must settle.
  cluster.network.heal();
  cluster.network.plan = { latencyMs: 1, jitterMs: 0, loss: 0, duplication: 0, reordering: 0, corruption: 0 };
  const settled = Promise.all(saying);
  try {
    await cluster.until(settled, SETTLE_MS);
  } catch {
    const open = talkers
      .filter(({ talker }) => talker.answered < talker.sent)
      .map(({ talker }) => `${talker.name} ${talker.answered}/${talker.sent}`);
    problems.push(`liveness: not all was answered: ${open.join(", ")}`);
  }
  await cluster.clock.run(15_000);
  check();
  for (const { key, talker } of talkers) {
    problems.push(...talker.report().problems.map((problem) => `I4: ${talker.name}: ${problem}`));
    if (problems.length > 20) break;
    try {
      const read = await cluster.until(talker.client.call.read(), 10_000);
      const seen = read.seen[talker.name] ?? [];
      const wrong = seen.findIndex((n, i) => n !== i + 1);
      if (wrong >= 0 || seen.length !== talker.sent) {
        problems.push(`I2: ${key} has ${seen.length} numbers of ${talker.name}, who sent ${talker.sent}; first wrong at ${wrong}`);
      }
    } catch (error) {
      problems.push(`liveness: ${talker.name} cannot read at the end: ${String(error)}`);
    }
  }
  await cluster.clock.run(65_000);
  for (const key of keys) {
    if (cluster.ownerOf(key) === null) problems.push(`I5: ${key} has no owner at the end: ${describe(cluster, key)}`);
    for (const node of cluster.nodes.values()) {
      const host = node.runtime?.host;
      if (host?.slots.get(key)?.role.kind === "granted") problems.push(`I5: ${key} is still being handed over at ${node.id}`);
      if ((host?.reservedRooms ?? 0) > 0) problems.push(`I6: room is still reserved at ${node.id}`);
    }
  }
  return { seed, problems, moves, said: saying.length, crashes, virtualMs: cluster.clock.now() - startMs };
}

function describe(cluster: SimCluster, key: string): string {
  return [...cluster.nodes.values()]
    .map((node) => {
      const slot = node.runtime?.host?.slots.get(key);
      const record = slot?.cas.record;
      return `${node.id}: ${slot?.role.kind ?? "-"} fence ${slot?.fence ?? 0} record ${record === undefined || record === null ? "-" : `${record.epoch} ${nodeIdOf(record.owner)} heir ${record.heir}`}`;
    })
    .join("; ");
}
