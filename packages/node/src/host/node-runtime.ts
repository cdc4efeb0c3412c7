import {
  type ClientFrameOf,
  type ClientRoute,
  type ClientRouter,
  type ClientSocket,
  type Clock,
  type Crc32,
  type Directory,
  errorCodeOf,
  type Limits,
  type MoveReport,
  type NodeInfo,
  type NodeRef,
  type Peers,
  type Random,
  type Scheduled,
  type SessionDefinition,
  type SessionKey,
  type SessionStore,
  SojournError,
  type Strategy,
  type StrategyReport,
  type TurnScope,
} from "@sojourn/core";
import type { LeaseRenewal } from "../lease/lease.js";
import { LoopRenewal } from "../lease/loop-renewal.js";
import { type DrainOptions, type DrainReport, drain } from "./drain.js";
import { Host } from "./host.js";
import type { HostObserver, HostProfiler } from "./host-observer.js";
import { requireStore } from "./kinds.js";
import { writeLastBases } from "./last-bases.js";
import { Membership } from "./membership.js";
import { Mover } from "./mover.js";
import { StoreSweep } from "./store-sweep.js";
import { Strategist } from "./strategist.js";

/** A control channel of one life of a node. */
export interface LifePeers extends Peers {
  /** `host:port` for the others. */
  readonly address: string;
  close(): Promise<void>;
}

/** What a node runs on; nothing in here is a real socket or clock by itself. */
export interface NodeRuntimeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crc32: Crc32;
  readonly scope: TurnScope;
  readonly limits: Limits;
  readonly directory: Directory;
  /** What keeps the lease alive; closed with the node. Default: this event loop, over `directory`. */
  readonly renewal?: LeaseRenewal;
  readonly definitions: readonly SessionDefinition[];
  /** Where replicas are kept by kinds whose strategy says so; not closed with the node. */
  readonly store?: SessionStore | null;
  /** Without the control endpoint, which the channel knows. */
  readonly info: Omit<NodeInfo, "controlEndpoint" | "kinds" | "cordoned">;
  /** Opens the control channel; called once per life. */
  readonly openPeers: (self: () => NodeRef) => Promise<LifePeers>;
  readonly observer: RuntimeObserver;
  /** Learns what the sessions are like, over all lives. */
  readonly profiler?: HostProfiler;
  /** Carries out an operator's command (JSON) that came over another node, and answers it (JSON). */
  readonly onCommand?: (body: string) => Promise<string>;
}

/** Who wants to know what happens on a node. */
export interface RuntimeObserver extends HostObserver {
  /** A new incarnation has joined. */
  joined(self: NodeRef): void;
  /** The lease has ended; the node joins again with nothing. */
  lost(self: NodeRef): void;
}

interface Life {
  readonly peers: LifePeers;
  readonly membership: Membership;
  readonly host: Host;
  readonly mover: Mover;
  readonly strategist: Strategist;
  readonly sweep: StoreSweep | null;
}

type Phase =
  | { readonly name: "new" }
  | { readonly name: "joining" }
  | { readonly name: "alive"; readonly life: Life }
  | { readonly name: "rejoining"; readonly retry: Scheduled | null }
  | { readonly name: "stopping"; readonly life: Life }
  | { readonly name: "stopped" };

/**
 * A node over its lives: joins, serves, and when its lease has ended drops everything and joins again as a new incarnation. While the
 * lease has run out and the directory has not said that it is over, the node keeps what it holds and does nothing with it.
 */
export class NodeRuntime implements ClientRouter {
  readonly #options: NodeRuntimeOptions;
  readonly #renewal: LeaseRenewal;
  #phase: Phase = { name: "new" };
  #cordoned = false;

  /** @throws SojournError `E_CONFIG_INVALID` when a kind needs a store and there is none */
  constructor(options: NodeRuntimeOptions) {
    requireStore(options.definitions, options.store ?? null);
    this.#options = options;
    this.#renewal = options.renewal ?? new LoopRenewal(options.directory, options.clock, options.limits);
  }

  /** The present life's host; null while the node has none. */
  get host(): Host | null {
    return this.#phase.name === "alive" ? this.#phase.life.host : null;
  }
  get mover(): Mover | null {
    return this.#phase.name === "alive" ? this.#phase.life.mover : null;
  }
  get strategist(): Strategist | null {
    return this.#phase.name === "alive" ? this.#phase.life.strategist : null;
  }
  get self(): NodeRef | null {
    return this.host?.self ?? null;
  }

  /** Joins the cluster. @throws SojournError (rejects) when the channel cannot listen or the directory does not answer */
  async start(): Promise<void> {
    if (this.#phase.name !== "new") return;
    this.#phase = { name: "joining" };
    try {
      await this.#join();
    } catch (error) {
      await this.#renewal.close();
      throw error;
    }
  }

  async #join(): Promise<void> {
    const { clock, limits, directory, definitions, info, openPeers, observer } = this.#options;
    // Known as soon as the lease is: others may be heard of, and dialled, before `join` has returned.
    let joining: Membership | null = null;
    const peers = await openPeers(() => joining?.self ?? "");
    let host: Host | null = null;
    const kinds = Object.fromEntries(definitions.map((definition) => [definition.name, definition.version]));
    const whole = { ...info, kinds, controlEndpoint: peers.address, cordoned: this.#cordoned };
    const membership = new Membership(directory, this.#renewal, clock, limits, whole, peers, {
      ended: (ref) => host?.onEnded(ref),
      lost: () => this.#lost(),
      lapsed: () => host?.lapse(),
      resumed: () => host?.resume(),
      failed: (error) => observer.incident("", error.code, error.message),
    });
    joining = membership;
    let self: NodeRef;
    try {
      self = await membership.join();
    } catch (error) {
      membership.stop();
      await peers.close();
      throw error;
    }
    host = new Host(self, membership, {
      ...this.#options,
      peers,
      onCommand: this.#options.onCommand ?? (() => Promise.reject(new SojournError("E_CONFIG_INVALID", "this node takes no commands"))),
    });
    if (this.#phase.name === "stopped") {
      host.stop("E_NODE_STOPPING", "the node is shutting down");
      await membership.resign().catch(() => undefined);
      await Promise.all([peers.close(), this.#renewal.close()]);
      return;
    }
    const sweep = host.store === null ? null : new StoreSweep(host, host.store);
    this.#phase = { name: "alive", life: { peers, membership, host, mover: new Mover(host), strategist: new Strategist(host), sweep } };
    sweep?.start();
    observer.joined(self);
  }

  #lost(): void {
    if (this.#phase.name !== "alive") return;
    const { peers, membership, host, sweep } = this.#phase.life;
    this.#phase = { name: "rejoining", retry: null };
    sweep?.stop();
    membership.stop();
    host.stop("E_SESSION_BUSY", "the node lost its lease");
    this.#options.observer.lost(host.self);
    peers.close().then(
      () => this.#rejoin(0),
      () => this.#rejoin(0),
    );
  }

  #rejoin(tries: number): void {
    if (this.#phase.name !== "rejoining") return;
    this.#join().catch((error: unknown) => {
      if (this.#phase.name !== "rejoining") return;
      const { clock, random, limits, observer } = this.#options;
      observer.incident("", errorCodeOf(error), `cannot join again yet: ${error instanceof Error ? error.message : String(error)}`);
      const pauseMs = Math.min(limits.directoryRetryMs * 2 ** Math.min(tries, 6), limits.leaseTtlMs) * (0.5 + random.next());
      this.#phase = { name: "rejoining", retry: clock.schedule(pauseMs, () => this.#rejoin(tries + 1)) };
    });
  }

  open(socket: ClientSocket, hello: ClientFrameOf<"hello">, user: unknown): ClientRoute {
    if (this.#phase.name === "alive" && this.#phase.life.membership.leaseValid()) {
      return this.#phase.life.host.ingress.open(socket, hello, user);
    }
    const stopping = this.#phase.name === "stopped" || this.#phase.name === "stopping";
    socket.fail(stopping ? "E_NODE_STOPPING" : "E_SESSION_BUSY", "the node is not part of the cluster right now", 200);
    return { input: () => undefined, ack: () => undefined, leave: () => undefined, detach: () => undefined };
  }

  /**
   * Moves a session that this node owns.
   * @throws SojournError (rejects) `E_NODE_UNKNOWN`, `E_NOT_OWNER` and what a move can fail with
   */
  async move(session: SessionKey, toNodeId: string): Promise<MoveReport> {
    const life = this.#alive();
    const entry = life.membership.find(toNodeId);
    if (entry === null) {
      const known = life.membership.others().map((other) => other.info.id);
      throw new SojournError("E_NODE_UNKNOWN", `no live node "${toNodeId}"; known: ${known.join(", ") || "none"}`);
    }
    return life.mover.move(session, entry.ref);
  }

  /**
   * Gives a session that this node owns another strategy, while it runs.
   * @throws SojournError (rejects) `E_NOT_OWNER`, `E_STRATEGY_INVALID`, `E_STRATEGY_FAILED`
   */
  async setStrategy(session: SessionKey, strategy: Strategy): Promise<StrategyReport> {
    return this.#alive().strategist.set(session, strategy);
  }

  /** Takes no new sessions from now on (or does again). */
  async cordon(cordoned: boolean): Promise<void> {
    this.#cordoned = cordoned;
    const { membership } = this.#alive();
    await membership.publish({ ...membership.info, cordoned });
  }

  /** Cordons the node and moves everything away. */
  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    await this.cordon(true);
    const { host, mover } = this.#alive();
    return drain(host, mover, options);
  }

  /** Ends at once and says nothing to anybody, as a process does that is killed. For simulators. */
  crash(): void {
    const phase = this.#phase;
    this.#phase = { name: "stopped" };
    if (phase.name === "rejoining") phase.retry?.cancel();
    void this.#renewal.close();
    if (phase.name !== "alive" && phase.name !== "stopping") return;
    phase.life.sweep?.stop();
    phase.life.membership.stop();
    phase.life.host.silence();
  }

  /** Leaves the cluster: what has not been moved away fails over, or is restored from its store, where a base of it is written first. */
  async stop(): Promise<void> {
    const phase = this.#phase;
    if (phase.name === "stopping") return;
    this.#phase = phase.name === "alive" ? { name: "stopping", life: phase.life } : { name: "stopped" };
    if (phase.name === "rejoining") phase.retry?.cancel();
    if (phase.name !== "alive") {
      // Who is still joining finds that it has stopped, and closes the rest.
      if (phase.name !== "joining") await this.#renewal.close();
      return;
    }
    const { peers, membership, host, sweep } = phase.life;
    sweep?.stop();
    const left = await writeLastBases(host);
    if (left.length > 0) {
      this.#options.observer.incident("", "E_STORE_UNAVAILABLE", `stopped before the last base of ${left.length} sessions was written`);
    }
    this.#phase = { name: "stopped" };
    host.stop("E_NODE_STOPPING", "the node is shutting down");
    await membership.resign().catch(() => undefined); // otherwise the lease ends by itself
    await Promise.all([peers.close(), this.#renewal.close()]);
  }

  #alive(): Life {
    if (this.#phase.name !== "alive") throw new SojournError("E_LEASE_ENDED", "the node is not part of the cluster right now");
    return this.#phase.life;
  }
}
