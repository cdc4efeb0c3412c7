import {
  ByteWriter,
  encodePeerMessage,
  type Limits,
  type NodeRef,
  nodeIdOf,
  type PeerMessage,
  type SessionDefinition,
} from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import { counter } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";
import { Talker } from "./talker.js";
import { Taps } from "./taps.js";

/** How a planned move ended. */
export type MoveEnd = { readonly moved: true } | { readonly moved: false; readonly code: string; readonly message: string };

/** What a stage is set up with. */
export interface StageOptions {
  readonly seed?: number;
  readonly nodes?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly definitions?: readonly SessionDefinition[];
  /** Names of the talkers, each with the node it connects to first; default one at the owner and one at another node. */
  readonly talkers?: Readonly<Record<string, string>>;
}

/** Short times, so that what has to run out does so soon. */
const QUICK: Partial<Limits> = {
  leaseTtlMs: 2_000,
  heirDeadlineMs: 800,
  directoryTimeoutMs: 400,
  drainDeadlineMs: 300,
  peerTimeoutMs: 1_000,
};
const KEY = "counter/one";

/**
 * One counter session, owned by node `a`, with its standbys in place and its clients talking; a move to `target` is about to
 * happen. The invariants of PROTOCOL.md are checked at every step.
 */
export class Stage {
  readonly key = KEY;
  readonly cluster: SimCluster;
  readonly taps: Taps;
  readonly talkers: readonly Talker[];
  readonly problems: string[] = [];
  /** A node that holds a copy, and one that holds none. */
  readonly standby: string;
  readonly target: string;
  /** Two may act for a moment; what clients see decides. */
  readonly #suspicion: boolean;
  readonly #saying: Promise<void>[] = [];
  readonly #fences = new Map<NodeRef, number>();
  readonly #ids: readonly string[];

  private constructor(cluster: SimCluster, ids: readonly string[], talkers: readonly Talker[], standby: string, suspicion: boolean) {
    this.#suspicion = suspicion;
    this.cluster = cluster;
    this.#ids = ids;
    this.talkers = talkers;
    this.standby = standby;
    const inSync = cluster.slot("a", KEY)?.cas.record?.inSync.map(nodeIdOf) ?? [];
    this.target = ids.find((id) => id !== "a" && !inSync.includes(id)) ?? standby;
    this.taps = new Taps(cluster, KEY);
  }

  static async open(options: StageOptions = {}): Promise<Stage> {
    const { seed = 1, nodes = ["a", "b", "c"], limits, definitions = [counter] } = options;
    const cluster = new SimCluster({ seed, nodes, definitions, limits: { ...QUICK, ...limits }, clientLimits: { reconnectMaxMs: 500 } });
    await cluster.start();
    // The session is created where its first client lands.
    const first = await cluster.until(cluster.connect(KEY, ["a"]));
    first.close();
    const talkers: Talker[] = [];
    for (const [name, through] of Object.entries(options.talkers ?? { ann: "a", bob: "c" })) {
      const client = await cluster.until(cluster.connect<typeof counter>(KEY, [through, ...nodes.filter((id) => id !== through)]));
      talkers.push(new Talker(name, client));
    }
    const suspicion = definitions.some(({ failover }) => failover === "suspicion");
    const wanted = Math.min(cluster.limits.standbys, nodes.length - 1);
    const inSync = () => cluster.slot("a", KEY)?.cas.record?.inSync ?? [];
    await cluster.untilTrue("the standbys are recorded", () => inSync().length >= wanted);
    const stage = new Stage(cluster, nodes, talkers, wanted === 0 ? "b" : nodeIdOf(inSync()[0] as NodeRef), suspicion);
    await stage.run(30, { talking: true });
    return stage;
  }

  /** Lets time pass in small steps, with the clients talking or not, and looks at the invariants after each. */
  async run(ms: number, { talking = false, stepMs = 2 }: { talking?: boolean; stepMs?: number } = {}): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      if (talking) for (const talker of this.talkers) this.say(talker);
      await this.cluster.clock.run(stepMs);
      this.check();
    }
  }

  say(talker: Talker): void {
    this.#saying.push(talker.say());
  }

  /** Starts a move and tells how it ended; `undefined` until then. */
  move(from: string, to: string): { end: MoveEnd | undefined } {
    const result: { end: MoveEnd | undefined } = { end: undefined };
    const { runtime } = this.cluster.node(from);
    if (runtime === null) throw new Error(`${from} is down`);
    runtime.move(this.key, to).then(
      () => {
        result.end = { moved: true };
      },
      (error: { code?: string; message?: string }) => {
        result.end = { moved: false, code: error.code ?? "", message: error.message ?? "" };
      },
    );
    return result;
  }

  /** [I1, I3] at this moment. */
  check(): void {
    const owners = this.cluster.actingOwners(this.key);
    if (owners.length > 1 && !this.#suspicion) this.problem(`I1: ${owners.join(" and ")} act`);
    for (const id of this.#ids) {
      const self = this.cluster.node(id).runtime?.self;
      if (self != null && this.cluster.node(id).runtime?.host?.leaseValid() === true) {
        // [10] A node stops acting before its lease can end.
        const ended = this.#ids.find((other) => this.cluster.node(other).runtime?.host?.isEnded(self) === true);
        if (ended !== undefined) this.problem(`lease: ${self} may still act when ${ended} knows that its lease has ended`);
      }
      const slot = this.cluster.slot(id, this.key);
      if (self === undefined || self === null || slot === undefined) continue;
      if (slot.fence < (this.#fences.get(self) ?? 0)) this.problem(`I3: the epoch at ${self} went back`);
      this.#fences.set(self, slot.fence);
    }
  }

  /** A message reaches a node out of nowhere: an old frame that was still under way. */
  inject(from: NodeRef, to: string, message: PeerMessage): void {
    this.cluster.node(to).runtime?.host?.onMessage(from, encodePeerMessage(new ByteWriter(), systemCrc32, message));
  }

  refOf(id: string): NodeRef {
    return this.cluster.node(id).runtime?.self ?? "";
  }

  roleOf(id: string): string {
    return this.cluster.slot(id, this.key)?.role.kind ?? "absent";
  }

  problem(text: string): void {
    if (!this.problems.includes(text)) this.problems.push(text);
  }

  /** Runs until a condition holds; says so when it does not. */
  async until(what: string, condition: () => boolean, maxMs: number, talking = false): Promise<void> {
    for (let passed = 0, stepMs = 5; !condition(); passed += stepMs) {
      if (passed === 500) stepMs = 25; // what takes long need not be watched so closely
      if (passed >= maxMs) {
        this.problem(`liveness: not within ${maxMs} ms: ${what}; ${this.describe()}`);
        return;
      }
      await this.run(stepMs, { talking: talking && passed % 25 === 0, stepMs });
    }
  }

  /** The node dies at this very moment: what it does in the rest of the present call does not get out. */
  die(id: string): void {
    const { cluster } = this;
    const { address, directory, runtime } = cluster.node(id);
    if (runtime === null) return;
    cluster.network.kill(address);
    directory.faults.down = true;
    cluster.clock.schedule(0, () => {
      if (cluster.node(id).runtime === runtime) cluster.crash(id);
    });
  }

  async restart(id: string): Promise<void> {
    await this.cluster.startNode(id);
    this.taps.tapDirectory(id);
  }

  /**
   * What was disturbed is over. Everything must come to rest: one owner, each client's messages handled exactly once and in order,
   * everything answered, nothing left of any move. Returns all that was found wrong.
   */
  async settle({ maxMs = 20_000, leftoverMs = 5_000 }: { maxMs?: number; leftoverMs?: number } = {}): Promise<string[]> {
    const { cluster, key } = this;
    this.taps.clear();
    cluster.network.heal();
    await this.until("one node owns the session", () => cluster.ownerOf(key) !== null, maxMs);
    await this.run(40, { talking: true, stepMs: 10 });
    await this.until("every message is answered", () => this.talkers.every(({ sent, answered }) => sent === answered), maxMs);
    await this.until("nothing is left of a move", () => this.leftovers().length === 0, leftoverMs);
    for (const left of this.leftovers()) this.problem(left);
    for (const talker of this.talkers) {
      for (const text of talker.report().problems) this.problem(`I4: ${talker.name}: ${text}`);
    }
    const talker = this.talkers[0];
    if (talker !== undefined && this.problems.length === 0) {
      const { seen } = await cluster.until(talker.client.call.read(), 10_000);
      for (const { name, sent } of this.talkers) {
        const numbers = seen[name] ?? [];
        const wrong = numbers.findIndex((n, i) => n !== i + 1);
        if (numbers.length !== sent || wrong >= 0) this.problem(`I2: ${numbers.length} of ${sent} of ${name}; first wrong at ${wrong}`);
      }
    }
    return this.problems;
  }

  /** [I5, I6] What a move must not leave behind. */
  leftovers(): string[] {
    const left: string[] = [];
    for (const id of this.#ids) {
      const host = this.cluster.node(id).runtime?.host;
      if (host === undefined || host === null) continue;
      if (host.slots.get(this.key)?.role.kind === "granted") left.push(`I5: still granted at ${id}`);
      if ((host.slots.get(this.key)?.owner?.movingTo ?? null) !== null) left.push(`I5: still moving at ${id}`);
      if (host.reservedRooms > 0) left.push(`I6: room still reserved at ${id}`);
    }
    return left;
  }

  describe(): string {
    return this.#ids
      .map((id) => {
        const slot = this.cluster.slot(id, this.key);
        const record = slot?.cas.record;
        return `${id}: ${slot?.role.kind ?? "-"} ${slot?.fence ?? 0} record ${record == null ? "-" : `${record.epoch} ${record.owner} [${record.inSync}] heir ${record.heir}`}`;
      })
      .join("; ");
  }
}
