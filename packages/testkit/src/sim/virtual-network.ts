import type { Clock, Lane, NodeRef, PeersHandler, Scheduled, SendOutcome } from "@sojourn/core";
import type { LifePeers } from "@sojourn/node";
import { CALM, type FaultPlan, type Interceptor } from "./faults.js";
import type { SeededRandom } from "./seeded-random.js";

/** Hands on what reaches a node, at once or when it wakes. */
export type Arrival = (task: () => void) => void;

interface Endpoint {
  readonly arrive: Arrival;
  readonly address: string;
  readonly self: () => NodeRef;
  handler: PeersHandler | null;
  closed: boolean;
  readonly known: Map<NodeRef, string>;
}

/** One connection between two endpoints. */
interface Connection {
  readonly a: Endpoint;
  readonly b: Endpoint;
  /** Refs at the time of connecting; a new incarnation gets a new connection. */
  readonly refA: NodeRef;
  readonly refB: NodeRef;
  open: boolean;
  /** When the last message of each lane and direction arrives, to keep the order. */
  readonly arrivals: Map<string, number>;
}

const RECONNECT_MS = 20;

/**
 * The control channel between simulated nodes, on virtual time. It keeps the contract of `Peers` and is allowed to be much worse than
 * TCP: any message may be lost, doubled, delayed, overtaken or damaged, and any direction of any pair may be cut.
 */
export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #silenceMs: number;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #connections = new Set<Connection>();
  /** Directions that are cut, as `from>to` of node addresses. */
  readonly #cuts = new Set<string>();
  plan: FaultPlan = CALM;
  intercept: Interceptor | null = null;
  /** Messages that were handed over, by kind of fate. */
  readonly counts = { sent: 0, delivered: 0, lost: 0, doubled: 0, reordered: 0, corrupted: 0, cut: 0 };
  #addresses = 0;

  /** @param silenceMs silence after which a cut connection counts as lost */
  constructor(clock: Clock, random: SeededRandom, silenceMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#silenceMs = silenceMs;
  }

  /** A node's end of the network. */
  open(self: () => NodeRef, arrive: Arrival = (task) => task()): LifePeers {
    this.#addresses++;
    const endpoint: Endpoint = { address: `sim:${this.#addresses}`, self, handler: null, closed: false, known: new Map(), arrive };
    this.#endpoints.set(endpoint.address, endpoint);
    return {
      address: endpoint.address,
      bind: (handler) => {
        endpoint.handler = handler;
        for (const peer of endpoint.known.keys()) this.#connect(endpoint, peer);
      },
      reach: (peer, address) => {
        endpoint.known.set(peer, address);
        this.#connect(endpoint, peer);
      },
      forget: (peer) => {
        endpoint.known.delete(peer);
        const connection = this.#find(endpoint, peer);
        if (connection !== undefined) this.#disconnect(connection);
      },
      send: (to, lane, message) => this.#send(endpoint, to, lane, message),
      isUp: (peer) => this.#find(endpoint, peer) !== undefined,
      rttMs: () => this.plan.latencyMs * 2,
      close: async () => this.#close(endpoint),
    };
  }

  /** Cuts what `from` sends to `to`; both are addresses, `*` means everybody. */
  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
    for (const connection of [...this.#connections]) {
      if (!this.#isCut(connection.a, connection.b) && !this.#isCut(connection.b, connection.a)) continue;
      this.#clock.schedule(this.#silenceMs, () => {
        if (this.#isCut(connection.a, connection.b) || this.#isCut(connection.b, connection.a)) this.#disconnect(connection);
      });
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** Breaks a connection at once, as a reset does; it comes back by itself. */
  reset(a: string, b: string): void {
    for (const connection of [...this.#connections]) {
      const pair = [connection.a.address, connection.b.address];
      if (pair.includes(a) && pair.includes(b)) this.#disconnect(connection);
    }
  }

  /** The process at this address is gone. */
  kill(address: string): void {
    const endpoint = this.#endpoints.get(address);
    if (endpoint !== undefined) this.#close(endpoint);
  }

  #isCut(from: Endpoint, to: Endpoint): boolean {
    return this.#cuts.has(`${from.address}>${to.address}`) || this.#cuts.has(`*>${to.address}`) || this.#cuts.has(`${from.address}>*`);
  }

  #find(endpoint: Endpoint, peer: NodeRef): Connection | undefined {
    for (const connection of this.#connections) {
      if (connection.a === endpoint && connection.refB === peer) return connection;
      if (connection.b === endpoint && connection.refA === peer) return connection;
    }
    return undefined;
  }

  #connect(from: Endpoint, peer: NodeRef): void {
    const address = from.known.get(peer);
    if (from.closed || address === undefined || this.#find(from, peer) !== undefined) return;
    const to = this.#endpoints.get(address);
    const ready = to !== undefined && !to.closed && to.self() === peer && to.handler !== null && from.handler !== null;
    if (!ready || this.#isCut(from, to) || this.#isCut(to, from)) {
      this.#clock.schedule(RECONNECT_MS, () => this.#connect(from, peer));
      return;
    }
    const connection: Connection = { a: from, b: to, refA: from.self(), refB: peer, open: true, arrivals: new Map() };
    this.#connections.add(connection);
    this.#clock.schedule(0, () => {
      if (!connection.open) return;
      from.arrive(() => from.handler?.onUp(connection.refB));
      to.arrive(() => to.handler?.onUp(connection.refA));
    });
  }

  #disconnect(connection: Connection): void {
    if (!connection.open) return;
    connection.open = false;
    this.#connections.delete(connection);
    const { a, b, refA, refB } = connection;
    this.#clock.schedule(0, () => {
      if (!a.closed) a.arrive(() => a.handler?.onDown(refB));
      if (!b.closed) b.arrive(() => b.handler?.onDown(refA));
    });
    this.#clock.schedule(RECONNECT_MS, () => {
      this.#connect(a, refB);
      this.#connect(b, refA);
    });
  }

  #close(endpoint: Endpoint): void {
    endpoint.closed = true;
    for (const connection of [...this.#connections]) {
      if (connection.a === endpoint || connection.b === endpoint) this.#disconnect(connection);
    }
  }

  #send(from: Endpoint, to: NodeRef, lane: Lane, message: Uint8Array): SendOutcome {
    const connection = this.#find(from, to);
    if (connection === undefined || from.closed) return "unreachable";
    const target = connection.a === from ? connection.b : connection.a;
    const sender = connection.a === from ? connection.refA : connection.refB;
    this.counts.sent++;
    const verdict = this.intercept?.({ from: sender, to, bytes: message });
    if (this.#isCut(from, target)) {
      this.counts.cut++;
      return "queued";
    }
    if (verdict?.copies === 0 || this.#random.chance(this.plan.loss)) {
      this.counts.lost++;
      return "queued";
    }
    const copies = verdict?.copies ?? (this.#random.chance(this.plan.duplication) ? 2 : 1);
    if (copies > 1) this.counts.doubled++;
    for (let i = 0; i < copies; i++)
      this.#deliver(connection, target, sender, lane, this.#maybeDamage(verdict?.bytes ?? message), verdict?.extraMs ?? 0);
    return "queued";
  }

  #maybeDamage(message: Uint8Array): Uint8Array {
    const copy = message.slice();
    if (this.#random.chance(this.plan.corruption)) {
      this.counts.corrupted++;
      const at = this.#random.below(copy.length);
      copy[at] = (copy[at] as number) ^ (1 << this.#random.below(8));
    }
    return copy;
  }

  #deliver(connection: Connection, target: Endpoint, from: NodeRef, lane: Lane, message: Uint8Array, extraMs: number): void {
    const { latencyMs, jitterMs, reordering } = this.plan;
    const flow = `${lane}>${target.address}`;
    const earliest = connection.arrivals.get(flow) ?? 0;
    let at = this.#clock.now() + latencyMs + this.#random.next() * jitterMs + extraMs;
    if (this.#random.chance(reordering)) {
      this.counts.reordered++;
      at += this.#random.next() * (latencyMs + jitterMs) * 4;
    } else if (extraMs === 0) {
      at = Math.max(at, earliest);
      connection.arrivals.set(flow, at);
    }
    const task: Scheduled = this.#clock.schedule(at - this.#clock.now(), () => {
      if (!connection.open || target.closed) {
        task.cancel();
        return;
      }
      this.counts.delivered++;
      target.arrive(() => target.handler?.onMessage(from, message));
    });
  }
}
