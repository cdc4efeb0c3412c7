import { SessionClient } from "@sojourn/client";
import {
  type ClientFrame,
  type DirectoryChange,
  type MoveReport,
  type NodeRef,
  nodeIdOf,
  type SessionKey,
  type SessionRecord,
  type Strategy,
} from "@sojourn/core";
import { CALM } from "../faults.js";
import { SeededRandom } from "../seeded-random.js";
import { SimCluster, type SimNode } from "../sim-cluster.js";
import { SimScope } from "../sim-scope.js";
import type { DirectoryFaults } from "../virtual-directory.js";
import type { StoreFaults } from "../virtual-session-store.js";
import { Invariants } from "./invariants.js";
import type { SeedPlan } from "./plan.js";
import { Reached } from "./reached.js";
import type { RunObserver } from "./run-observer.js";
import { SessionModel } from "./session-model.js";
import { type ClientHost, SwarmClient } from "./swarm-client.js";
import { swarmDefinition } from "./swarm-session.js";
import { TimerBook } from "./timer-book.js";
import { Trace } from "./trace.js";

/** What a caller may do to a run besides its plan. */
export interface RunOptions {
  /** Keeps the end of what happened as text. */
  readonly timeline?: boolean;
  /** Called with the cluster before anything of it starts, and with each node before it starts: the place to break something. */
  readonly onCluster?: (cluster: SimCluster) => void;
  readonly onNode?: (node: SimNode, cluster: SimCluster) => void;
  /** Stops as soon as something is found wrong. */
  readonly stopAtFirst?: boolean;
}

const MAX_PROBLEMS = 20;

/** A session that lived and ended before the run began, up to this epoch. */
function tombstone(key: SessionKey, epoch: number): DirectoryChange {
  const record: SessionRecord = {
    revision: 1,
    epoch,
    owner: "z#1",
    inSync: [],
    heir: null,
    ended: true,
    strategy: "replica",
    stored: false,
    writer: "z#1/1",
  };
  return { type: "record", key, record, previous: null };
}

/** Nothing goes wrong on the way to the directory, also for nodes that start then. */
const CALM_DIRECTORY: DirectoryFaults = { delayMs: 1, lostAnswers: 0, lateWrites: 0, down: false };

/** Nor on the way to the session store. */
const CALM_STORE: StoreFaults = { delayMs: 1, refused: 0, lostAnswers: 0, late: 0, down: false };

/** A hand-over that was asked for and has not ended. */
export interface OpenMove {
  readonly session: SessionKey;
  readonly from: string;
  readonly to: string;
  readonly startedAt: number;
}

/** One run: the cluster, its clients, everything that is known of them, and what was found wrong. */
export class World implements ClientHost {
  readonly plan: SeedPlan;
  readonly options: RunOptions;
  readonly cluster: SimCluster;
  readonly trace: Trace;
  readonly reached = new Reached();
  readonly problems: string[] = [];
  readonly models = new Map<SessionKey, SessionModel>();
  readonly clients: SwarmClient[] = [];
  readonly invariants: Invariants;
  readonly observers: RunObserver;
  /** For choices while the run goes on; what the plan decided is decided. */
  readonly dice: SeededRandom;
  readonly scope = new SimScope();
  readonly #timers: TimerBook;
  readonly ids: readonly string[];
  readonly moves = new Set<OpenMove>();
  /** Changes of strategy that were asked for and have not ended. */
  readonly changes = new Set<{ readonly session: SessionKey; readonly to: Strategy }>();
  readonly startMs: number;
  /** Nodes that are being drained or restarted on purpose. */
  readonly busy = new Set<string>();
  handovers = 0;
  failovers = 0;
  said = 0;
  /** False once everything that disturbs is over. */
  active = true;

  /** @param observe makes the one who watches */
  constructor(plan: SeedPlan, options: RunOptions, observe: (world: World) => RunObserver) {
    this.plan = plan;
    this.options = options;
    this.dice = new SeededRandom(plan.seed ^ 0x77777777);
    this.ids = Array.from({ length: plan.nodes }, (_, i) => String.fromCharCode(97 + i));
    this.#timers = new TimerBook(
      () => this.nowMs,
      Math.max(1, ...plan.rates),
      (text) => this.problem(text),
    );
    const rates = Object.fromEntries(this.ids.map((id, i) => [id, plan.rates[i + 1] ?? 1]));
    this.cluster = new SimCluster({
      seed: plan.seed,
      nodes: this.ids,
      definitions: [swarmDefinition(this.#audit(), 1, plan.failover, this.strategy)],
      limits: plan.limits,
      clientLimits: plan.clientLimits,
      scope: this.scope,
      directoryRate: plan.rates[0] ?? 1,
      rates,
    });
    this.startMs = this.cluster.clock.now();
    this.trace = new Trace(() => this.nowMs, options.timeline === true);
    for (let i = 0; i < plan.sessions.length; i++) {
      const key = `swarm/s${i}`;
      const model = new SessionModel(key, (text) => this.problem(text));
      model.suspicion = plan.failover === "suspicion";
      this.models.set(key, model);
    }
    this.invariants = new Invariants(this.cluster, this.models, (text) => this.problem(text));
    this.observers = observe(this);
    this.cluster.onNode = (node) => {
      Object.assign(node.directory.faults, this.active ? { ...plan.directory, down: false } : CALM_DIRECTORY);
      Object.assign(node.storeFaults, this.active ? { ...CALM_STORE, ...plan.store } : CALM_STORE);
      this.invariants.watch(node);
      this.observers.watch(node);
      options.onNode?.(node, this.cluster);
    };
    options.onCluster?.(this.cluster);
  }

  get strategy(): "replica" | "hybrid" {
    return this.plan.store?.strategy ?? "replica";
  }

  /** Virtual ms since the run began. */
  get nowMs(): number {
    return this.cluster.clock.now() - this.startMs;
  }

  /** Sessions have gone back behind what they had shown, as they may when all that held them are gone: nothing more is judged. */
  rolledBack = false;

  get over(): boolean {
    return this.rolledBack || this.problems.length >= MAX_PROBLEMS || (this.options.stopAtFirst === true && this.problems.length > 0);
  }

  problem(text: string): void {
    if (this.rolledBack || this.problems.includes(text) || this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push(text);
    this.trace.say(() => `!! ${text}`);
  }

  #audit() {
    return {
      problem: (text: string) => this.problem(text),
      turn: (session: string, what: string, a: number, b: number) => {
        this.trace.add(1, session, what, a, b);
        this.trace.say(() => `${session} handles ${what} ${a} ${b}`);
        this.observers.turn(session, what);
      },
      wakes: (session: string, life: number) => this.models.get(session)?.wakes(life),
      armed: (timer: string, forMs: number) => this.#timers.armed(timer, forMs),
      fired: (timer: string) => this.#timers.fired(timer),
      io: (session: string, ms: number) => {
        const turn = this.scope.current();
        const owners = this.cluster.actingOwners(session);
        const began = owners.length === 1 ? (owners[0] as NodeRef) : null;
        return new Promise<void>((resolve) => {
          this.cluster.clock.schedule(ms, () => {
            this.observers.waited(session, began);
            this.scope.restore(turn);
            resolve();
          });
        });
      },
    };
  }

  // ---- nodes ----

  async start(): Promise<void> {
    const { cluster, plan } = this;
    const { disk } = cluster.directory;
    disk.appendMs = plan.directory.appendMs;
    if (plan.firstEpoch !== undefined) disk.preload([...this.models.keys()].map((key) => tombstone(key, plan.firstEpoch ?? 0)));
    cluster.store.onFault = (fault) => this.reached.count(`store ${fault}`);
    disk.onFault = (fault) => this.observers.diskFault(fault);
    await cluster.directory.useDisk();
    if (plan.rates.length > 0) this.reached.count("fault clockRate", plan.rates.length);
    for (const id of this.ids) this.boot(id);
    await cluster.clock.run(100);
    cluster.clock.afterTask = () => this.invariants.check();
    cluster.network.plan = plan.network;
    disk.rates = plan.directory.disk ?? null;
    plan.sessions.forEach(({ clients, home }, i) => {
      const model = this.models.get(`swarm/s${i}`) as SessionModel;
      for (let n = 0; n < clients; n++) {
        const client = new SwarmClient(
          `${n < 26 ? String.fromCharCode(97 + n) : `n${n}_`}${i}`,
          model,
          (home + (n % 2)) % plan.nodes,
          this,
        );
        this.clients.push(client);
        client.connect();
      }
    });
  }

  /** Starts a node; one that cannot join is started again a while later, as by a supervisor. */
  boot(id: string): void {
    const { cluster, plan } = this;
    const newer = plan.newer.includes(this.ids.indexOf(id));
    const definition = newer ? [swarmDefinition(this.#audit(), 2, plan.failover, this.strategy)] : undefined;
    const { node, started } = definition === undefined ? cluster.boot(id) : cluster.boot(id, definition);
    this.trace.say(() => `${id} starts`);
    started.then(
      () => this.trace.say(() => `${id} has joined as ${node.runtime?.self}`),
      () => {
        if (cluster.node(id) !== node || node.runtime === null) return;
        cluster.crash(id);
        cluster.clock.schedule(300, () => {
          if (cluster.node(id) === node) this.boot(id);
        });
      },
    );
  }

  isUp(id: string): boolean {
    return this.cluster.nodes.get(id)?.runtime != null;
  }

  crash(id: string, backAfterMs: number): boolean {
    if (!this.isUp(id)) return false;
    const node = this.cluster.node(id);
    this.observers.crashing(node);
    this.trace.add(2, id, "crash", backAfterMs);
    this.trace.say(() => `${id} (${node.runtime?.self}) crashes for ${backAfterMs} ms`);
    this.cluster.crash(id);
    this.cluster.clock.schedule(backAfterMs, () => {
      if (this.cluster.node(id) === node) this.boot(id);
    });
    return true;
  }

  /** The node whose process owns the session now, if there is exactly one. */
  ownerOf(key: SessionKey): string | null {
    return this.cluster.ownerOf(key);
  }

  /** Asks the owner to hand a session over; how it ends is noted. */
  move(key: SessionKey, to: string): Promise<boolean> {
    const from = this.ownerOf(key);
    if (from === null || from === to) return Promise.resolve(false);
    const runtime = this.cluster.node(from).runtime;
    if (runtime === null) return Promise.resolve(false);
    this.trace.say(() => `${key} is to move from ${from} to ${to}`);
    return this.track({ session: key, from, to, startedAt: this.nowMs }, runtime.move(key, to));
  }

  track(move: OpenMove, ended: Promise<MoveReport>): Promise<boolean> {
    this.moves.add(move);
    const model = this.models.get(move.session);
    return ended.then(
      ({ epoch }) => {
        this.moves.delete(move);
        const owner = model?.owners.get(epoch);
        if (owner === undefined || nodeIdOf(owner) !== move.to)
          this.problem(`I5: ${move.session} is told to have moved to ${move.to} in epoch ${epoch}, which ${owner ?? "nobody"} owned`);
        this.trace.say(() => `${move.session} has moved from ${move.from} to ${move.to}`);
        return true;
      },
      (error: { code?: string; message?: string }) => {
        this.moves.delete(move);
        this.observers.moveFailed(error.code ?? "", error.message ?? "");
        const { host } = this.cluster.node(move.from).runtime ?? {};
        const movingTo = host?.slots.get(move.session)?.owner?.movingTo ?? null;
        // One that was asked for before may go on; whoever asked for it has not been told anything.
        const other = [...this.moves].some(({ session, to }) => session === move.session && to === move.to);
        if (!other && error.code !== "E_MOVE_BUSY" && movingTo !== null && nodeIdOf(movingTo) === move.to)
          this.problem(`I5: ${move.session} is told not to have moved to ${move.to} (${error.message}), and the hand-over goes on`);
        const done = model?.commits.find((commit) => commit.atMs >= move.startedAt && commit.from === move.from && commit.to === move.to);
        // Whoever could not hear how it ended says so.
        if (done !== undefined && !/gone on elsewhere|took the session|before it heard/.test(error.message ?? ""))
          this.problem(`I5: ${move.session} is told not to have moved to ${move.to} (${error.message}), which has committed it`);
        this.trace.say(() => `${move.session} has not moved from ${move.from} to ${move.to}: ${error.message}`);
        return false;
      },
    );
  }

  /** Asks the owner to give a session another strategy; that it ends, well or not, is waited for. */
  changeStrategy(key: SessionKey, to: Strategy): void {
    const at = this.ownerOf(key);
    const { runtime } = at === null ? { runtime: null } : this.cluster.node(at);
    if (runtime === null) return;
    const asked = { session: key, to };
    this.changes.add(asked);
    this.reached.count("work strategies");
    this.trace.say(() => `${key} is to have the strategy ${to}`);
    const over = (how: string) => {
      this.changes.delete(asked);
      this.reached.count(`strategy ${to} ${how}`);
      this.trace.say(() => `${key}: the change to ${to} is over: ${how}`);
    };
    runtime.setStrategy(key, to).then(
      ({ changed }) => over(changed ? "taken" : "there already"),
      (error: { code?: string; message?: string }) => over(`${error.code} ${error.message}`),
    );
  }

  // ---- clients ----

  connect({ model, name }: SwarmClient, through: number): Promise<SessionClient> {
    const { cluster, ids } = this;
    const endpoints = ids.map((_, i) => `sim://${ids[(through + i) % ids.length]}`);
    if (this.plan.workloads.includes("walled")) {
      this.reached.count("work walled");
      cluster.sockets.wall(name, endpoints[0] as string);
    }
    return SessionClient.open(cluster.clientEnv(name), { session: model.key, endpoints, auth: null });
  }

  reset(client: SwarmClient, reason: string): void {
    client.resets++;
    this.reached.count(`reset ${reason}`);
    this.trace.say(() => `${client.name}'s link is started anew: ${reason}`);
    const { limits } = this.plan;
    if (client.model.lost > 0 || client.model.ended > 0) return;
    if (reason === "E_LINK_EXPIRED" && limits.linkGraceMs !== undefined) return;
    // Its outbox passed its bound, or the client was told so only when it came back.
    if (/^E_LINK_(EXPIRED|OVERFLOW|UNKNOWN)$/.test(reason) && limits.maxOutboxMessages !== undefined) return;
    // A thief took its link over and let it end, while its own socket stood.
    if (reason === "E_LINK_UNKNOWN" && limits.linkGraceMs !== undefined && this.plan.faults.includes("stolenToken")) return;
    // Its link had ended, and an old hello of it, of a thief or a late copy, began one of that name: it proves nothing against a link that is gone.
    const mayEnd = limits.linkGraceMs !== undefined || limits.maxOutboxMessages !== undefined;
    if (reason === "E_LINK_TOKEN" && mayEnd) return;
    this.problem(`I4: the link of ${client.name} was started anew: ${reason}`);
  }

  closed(client: SwarmClient, code: string | null): void {
    this.trace.say(() => `${client.name} is closed: ${code ?? "by itself"}`);
    if (code === null) return;
    this.reached.count(`closed ${code}`);
    const allowed = code === "E_SESSION_ENDED" && client.model.ended > 0;
    if (!allowed) this.problem(`I4: ${client.name} was closed: ${code}`);
    if (!client.wanted) return;
    this.cluster.clock.schedule(50 + this.dice.next() * 500, () => {
      if (client.wanted) client.connect();
    });
  }

  /** Hellos of clients that reached a node, kept for thieves. */
  readonly hellos: ClientFrame[] = [];

  // ---- the end of disturbance ----

  /** Nothing goes wrong any more, and everybody is there. */
  calm(): void {
    const { cluster } = this;
    this.active = false;
    this.trace.say(() => "faults stop");
    cluster.network.heal();
    cluster.network.plan = { ...CALM, latencyMs: Math.min(5, this.plan.network.latencyMs) };
    cluster.directory.clock.wake();
    cluster.directory.disk.full = false;
    cluster.directory.disk.rates = null;
    cluster.store.full = false;
    void cluster.directory.start();
    for (const id of this.ids) {
      const node = cluster.node(id);
      Object.assign(node.directory.faults, CALM_DIRECTORY);
      Object.assign(node.storeFaults, CALM_STORE);
      cluster.network.still(node.address, false);
      node.clock.slow(0);
      if (node.clock.paused) node.clock.wake();
      if (node.runtime === null) this.boot(id);
      const { runtime } = node;
      if (runtime?.host?.membership.info.cordoned === true) void runtime.cordon(false).catch(() => undefined);
    }
    for (const client of this.clients) {
      client.wanted = true;
      cluster.sockets.reception(client.name, true);
      client.connect();
    }
  }

  /** How many nodes could hold a copy besides the owner. */
  possibleStandbys(owner: NodeRef): number {
    const ownerIsNewer = this.plan.newer.includes(this.ids.indexOf(nodeIdOf(owner)));
    // A node with older code cannot read what newer code writes.
    return ownerIsNewer ? this.plan.newer.length - 1 : this.plan.nodes - 1;
  }

  refOf(id: string): NodeRef {
    return this.cluster.node(id).runtime?.self ?? "";
  }

  nodeOf(ref: NodeRef): SimNode | undefined {
    return this.cluster.nodes.get(nodeIdOf(ref));
  }
}
