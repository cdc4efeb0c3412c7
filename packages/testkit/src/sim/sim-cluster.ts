import { type ClientEnv, type ClientLimits, resolveClientLimits, SessionClient } from "@sojourn/client";
import {
  type Limits,
  type LossReport,
  type NodeRef,
  nodeIdOf,
  resolveLimits,
  type SessionDefinition,
  type SessionKey,
  type TurnScope,
} from "@sojourn/core";
import { type AutoOptions, type AutoStrategy, createTurnScope, NodeRuntime, Profiler, startAuto, systemCrc32 } from "@sojourn/node";
import { VirtualClock } from "../virtual-clock.js";
import { DirectoryService } from "./directory-service.js";
import { NodeClock } from "./node-clock.js";
import { SeededRandom } from "./seeded-random.js";
import { VirtualDirectory } from "./virtual-directory.js";
import { VirtualNetwork } from "./virtual-network.js";
import { type StoreFaults, VirtualSessionStore } from "./virtual-session-store.js";
import { VirtualSockets } from "./virtual-sockets.js";

/** What a simulated cluster is made of. */
export interface SimOptions {
  readonly seed: number;
  readonly nodes: readonly string[];
  readonly definitions: readonly SessionDefinition[];
  readonly limits?: Partial<Limits>;
  readonly clientLimits?: Partial<ClientLimits>;
  /** How turns are followed; the production way by default. */
  readonly scope?: TurnScope;
  /** Nodes keep a profile, and choose the strategies of kinds that ask for that. */
  readonly auto?: AutoOptions;
  /** How much faster than real time the directory's clock runs, and those of the nodes; 1 by default. */
  readonly directoryRate?: number;
  readonly rates?: Readonly<Record<string, number>>;
}

/** Something that was reported and that a test may want to see. */
export interface Incident {
  readonly node: string;
  readonly session: string;
  readonly code: string;
  readonly message: string;
}

/** One simulated process. */
export interface SimNode {
  readonly id: string;
  readonly endpoint: string;
  readonly directory: VirtualDirectory;
  /** Its clock, which can be paused. */
  readonly clock: NodeClock;
  /** What goes wrong on its way to the session store. */
  readonly storeFaults: StoreFaults;
  /** Who chooses its sessions' strategies, if anybody does. */
  auto: AutoStrategy | null;
  /** Null after a crash. */
  runtime: NodeRuntime | null;
  /** Its address in the network, per life. */
  address: string;
}

/** Where the clock of a process begins: each somewhere else, so that nothing can come of comparing two of them. */
function originMs(process: number): number {
  return 1_000 + ((process * 7_919) % 101) * 1_000_000;
}

/** A whole cluster in one process on virtual time: the production code of nodes and clients behind simulated ports. */
export class SimCluster {
  readonly clock = new VirtualClock({ outside: false, partsPerMs: 1_024 });
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly sockets: VirtualSockets;
  readonly nodes = new Map<string, SimNode>();
  readonly incidents: Incident[] = [];
  readonly handlerErrors: unknown[] = [];
  /** What clients were told to be lost. */
  readonly losses: LossReport[] = [];
  readonly limits: Limits;
  readonly directory: DirectoryService;
  /** Keeps sessions whose strategy wants that; it outlives all nodes. */
  readonly store: VirtualSessionStore;
  /** Called when a node has started, before it does anything. */
  onNode: ((node: SimNode) => void) | null = null;
  readonly #options: SimOptions;
  readonly #clientLimits: ClientLimits;
  #boots = 0;
  /** A generator of its own: what the store draws shifts nobody's numbers. */
  readonly #storeRandom: SeededRandom;

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = new SeededRandom(options.seed);
    this.#storeRandom = new SeededRandom(options.seed ^ 0x5702e);
    this.limits = resolveLimits(options.limits);
    this.#clientLimits = resolveClientLimits(options.clientLimits);
    const { peerTimeoutMs, suspectAfterMs } = this.limits;
    this.network = new VirtualNetwork(this.clock, this.random.fork(), peerTimeoutMs, suspectAfterMs);
    this.sockets = new VirtualSockets(this.clock, this.random.fork());
    this.store = new VirtualSessionStore(this.clock, this.limits);
    // A generator of its own: what the disk draws shifts nobody's numbers.
    const diskRandom = new SeededRandom(options.seed ^ 0xd15c);
    this.directory = new DirectoryService(new NodeClock(this.clock, options.directoryRate, originMs(0)), this.limits, diskRandom);
  }

  /** Starts all nodes and lets them find each other. */
  async start(): Promise<void> {
    for (const id of this.#options.nodes) await this.startNode(id);
    await this.clock.run(50);
  }

  /** Starts a node, or starts it again after a crash, with nothing; `definitions` when it runs other code than the rest. */
  async startNode(id: string, definitions = this.#options.definitions): Promise<SimNode> {
    const { node, started } = this.boot(id, definitions);
    await this.until(started);
    return node;
  }

  /** Like `startNode`, and lets no time pass: `started` rejects when the node could not join. */
  boot(id: string, definitions = this.#options.definitions): { readonly node: SimNode; readonly started: Promise<void> } {
    this.#boots++;
    const clock = new NodeClock(this.clock, this.#options.rates?.[id], originMs(this.#boots));
    const directory = new VirtualDirectory(this.directory, this.clock, clock, this.limits, this.random.fork());
    const { store, faults: storeFaults } = this.store.open(id, clock, this.#storeRandom.fork());
    const node: SimNode = { id, endpoint: `sim://${id}`, directory, clock, storeFaults, auto: null, runtime: null, address: "" };
    this.nodes.set(id, node);
    const profiler = this.#options.auto === undefined ? null : new Profiler(definitions, clock, this.limits);
    const runtime = new NodeRuntime({
      ...(profiler !== null && { profiler }),
      clock,
      random: this.random.fork(),
      crc32: systemCrc32,
      scope: this.#options.scope ?? createTurnScope(),
      limits: this.limits,
      directory,
      definitions,
      store,
      info: { id, place: {}, clientEndpoint: node.endpoint },
      openPeers: async (self) => {
        const peers = this.network.open(self, (task) => clock.arrive(task), id);
        node.address = peers.address;
        return peers;
      },
      observer: {
        moved: (report) => profiler?.moved(report),
        turnsLost: (report) => this.losses.push(report),
        joined: () => undefined,
        lost: () => undefined,
        incident: (session, code, message) => this.incidents.push({ node: id, session, code, message }),
        handlerError: (_session, _where, error) => this.handlerErrors.push(error),
      },
    });
    node.runtime = runtime;
    node.auto = startAuto({ id, definitions, runtime, profiler, hasStore: true, clock, limits: this.limits }, this.#options.auto);
    profiler?.start(() => runtime.host?.slots ?? null);
    this.sockets.listen(
      node.endpoint,
      () => node.runtime,
      (task) => clock.arrive(task),
    );
    this.onNode?.(node);
    const started = runtime.start();
    started.catch(() => undefined);
    return { node, started };
  }

  node(id: string): SimNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`no simulated node "${id}"`);
    return node;
  }

  /** The process dies at once: nothing is said, nothing is kept. */
  crash(id: string): void {
    const node = this.node(id);
    node.runtime?.crash();
    node.runtime = null;
    node.clock.kill();
    void node.directory.close();
    this.network.kill(node.address);
    this.sockets.cutAll(node.endpoint);
  }

  /** What a client touches outside itself. */
  clientEnv(name = ""): ClientEnv {
    const { clock, sockets } = this;
    return { clock, random: this.random.fork(), openSocket: sockets.opener(name), limits: this.#clientLimits };
  }

  /** Connects a client through one node. */
  connect<D>(session: SessionKey, through: readonly string[]): Promise<SessionClient<D>> {
    const endpoints = through.map((id) => this.node(id).endpoint);
    return SessionClient.open<D>(this.clientEnv(), { session, endpoints, auth: null });
  }

  /** Runs virtual time until a promise settles. @throws Error after `maxMs` of virtual time */
  async until<T>(promise: Promise<T>, maxMs = 60_000): Promise<T> {
    let settled = false;
    const mark = () => {
      settled = true;
    };
    promise.then(mark, mark);
    for (let waited = 0; !settled && waited < maxMs; waited += 5) await this.clock.run(5);
    if (!settled) throw new Error(`nothing after ${maxMs} ms of virtual time`);
    return promise;
  }

  /** Runs virtual time until a condition holds. @throws Error after `maxMs` */
  async untilTrue(what: string, condition: () => boolean, maxMs = 60_000): Promise<void> {
    for (let waited = 0; !condition(); waited += 5) {
      if (waited >= maxMs) throw new Error(`still not after ${maxMs} ms of virtual time: ${what}`);
      await this.clock.run(5);
    }
  }

  /** Nodes that act as owner of a session now [1]. */
  actingOwners(session: SessionKey): NodeRef[] {
    const owners: NodeRef[] = [];
    for (const node of this.nodes.values()) {
      const host = node.runtime?.host;
      if (host?.slots.get(session)?.role.kind === "owner" && host.leaseValid()) owners.push(host.self);
    }
    return owners;
  }

  /** The id of the one node that owns a session, or null. */
  ownerOf(session: SessionKey): string | null {
    const owners = this.actingOwners(session);
    return owners.length === 1 ? nodeIdOf(owners[0] as NodeRef) : null;
  }

  /** A session's place on one node. */
  slot(id: string, session: SessionKey) {
    return this.node(id).runtime?.host?.slots.get(session);
  }

  record(session: SessionKey) {
    return this.directory.handle.read(session);
  }
}
