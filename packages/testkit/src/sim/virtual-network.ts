import type { Clock, Lane, NodeRef, PeersHandler, SendOutcome } from "@sojourn/core";
import type { LifePeers } from "@sojourn/node";
import { CALM, type FaultPlan, type Interceptor, type NetworkObserver } from "./faults.js";
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
  readonly connections: Map<NodeRef, Connection>;
  /** Peers that answer no heartbeats at the moment, with a mark of its own for each time. */
  readonly deaf: Map<NodeRef, object>;
  /** Messages of the past to this process and its predecessors, for replays. */
  readonly past: Past;
}

interface Past {
  readonly messages: { readonly from: Endpoint; readonly bytes: Uint8Array }[];
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
  controlToA: number;
  controlToB: number;
  bulkToA: number;
  bulkToB: number;
}

const RECONNECT_MS = 20;
const PAST_MESSAGES = 32;

/**
 * The control channel between simulated nodes, on virtual time. It keeps the contract of `Peers` and is allowed to be much worse than
 * TCP: any message may be lost, doubled, delayed, overtaken, damaged or replayed, and any direction of any pair may be cut.
 */
export class VirtualNetwork {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #silenceMs: number;
  readonly #suspectAfterMs: number;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #connections = new Set<Connection>();
  /** Directions that are cut, as `from>to` of node addresses, with how often. */
  readonly #cuts = new Map<string, number>();
  /** Processes that answer nothing at the moment although they live. */
  readonly #silent = new Set<string>();
  readonly #pasts = new Map<string, Past>();
  plan: FaultPlan = CALM;
  intercept: Interceptor | null = null;
  observer: NetworkObserver | null = null;
  /** Messages that were handed over, by kind of fate. */
  readonly counts = { sent: 0, delivered: 0, lost: 0, doubled: 0, reordered: 0, corrupted: 0, cut: 0 };
  #addresses = 0;

  /**
   * @param silenceMs silence after which a cut connection counts as lost
   * @param suspectAfterMs silence after which a peer counts as silent
   */
  constructor(clock: Clock, random: SeededRandom, silenceMs: number, suspectAfterMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#silenceMs = silenceMs;
    this.#suspectAfterMs = suspectAfterMs;
  }

  /**
   * A node's end of the network.
   * @param process what stays the same over the lives of a node, so that its old messages can be replayed
   */
  open(self: () => NodeRef, arrive: Arrival = (task) => task(), process = ""): LifePeers {
    this.#addresses++;
    let past = this.#pasts.get(process);
    if (past === undefined || process === "") {
      past = { messages: [] };
      this.#pasts.set(process, past);
    }
    const endpoint: Endpoint = {
      address: `sim:${this.#addresses}`,
      self,
      handler: null,
      closed: false,
      known: new Map(),
      connections: new Map(),
      deaf: new Map(),
      arrive,
      past,
    };
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
        endpoint.deaf.delete(peer);
        const connection = endpoint.connections.get(peer);
        if (connection !== undefined) this.#disconnect(connection, false);
      },
      send: (to, lane, message) => this.#send(endpoint, to, lane, message),
      isUp: (peer) => endpoint.connections.has(peer),
      rttMs: () => this.plan.latencyMs * 2,
      close: async () => this.#close(endpoint),
    };
  }

  /** Cuts what `from` sends to `to`; both are addresses, `*` means everybody. Each cut is undone by one `mend`, or by `heal`. */
  cut(from: string, to: string): void {
    const way = `${from}>${to}`;
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1);
    for (const connection of this.#connections) if (this.#isDead(connection)) this.#awaitSilence(connection);
  }

  mend(from: string, to: string): void {
    const way = `${from}>${to}`;
    const times = this.#cuts.get(way) ?? 0;
    if (times > 1) this.#cuts.set(way, times - 1);
    else this.#cuts.delete(way);
    this.#listenAgain();
  }

  heal(): void {
    this.#cuts.clear();
    this.#listenAgain();
  }

  /** A process stands still, or goes on: its connections count as lost after a while. */
  still(address: string, still: boolean): void {
    if (!still) {
      this.#silent.delete(address);
      this.#listenAgain();
      return;
    }
    this.#silent.add(address);
    for (const connection of this.#connections) if (this.#isDead(connection)) this.#awaitSilence(connection);
  }

  /** Connections whose heartbeats are answered again. */
  #listenAgain(): void {
    for (const connection of this.#connections) {
      if (this.#isDead(connection)) continue;
      this.#answers(connection.a, connection.refB);
      this.#answers(connection.b, connection.refA);
    }
  }

  #answers(endpoint: Endpoint, peer: NodeRef): void {
    if (endpoint.deaf.delete(peer)) endpoint.arrive(() => endpoint.handler?.onHealth(peer, "answering"));
  }

  /** From now on nothing is heard of a peer, until it is. A process that stands still itself counts nothing. */
  #listen(endpoint: Endpoint, peer: NodeRef): void {
    if (endpoint.closed || endpoint.deaf.has(peer)) return;
    const mark = {};
    endpoint.deaf.set(peer, mark);
    this.#clock.schedule(this.#suspectAfterMs, () => {
      if (endpoint.closed || endpoint.deaf.get(peer) !== mark || this.#silent.has(endpoint.address)) return;
      endpoint.arrive(() => {
        if (endpoint.deaf.get(peer) === mark) endpoint.handler?.onHealth(peer, "silent");
      });
    });
  }

  #awaitSilence(connection: Connection): void {
    this.#listen(connection.a, connection.refB);
    this.#listen(connection.b, connection.refA);
    this.#clock.schedule(this.#silenceMs, () => {
      if (connection.open && this.#isDead(connection)) this.#disconnect(connection, true);
    });
  }

  /** Breaks a connection at once, as a reset does; it comes back by itself. */
  reset(a: string, b: string): void {
    for (const connection of [...this.#connections]) {
      const pair = [connection.a.address, connection.b.address];
      if (pair.includes(a) && pair.includes(b)) this.#disconnect(connection, false);
    }
  }

  /** An old message of one node to another arrives again, over the connection that both have now. */
  sayAgain(from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    for (const { a, b, refA, refB, open } of this.#connections) {
      const target = refA === to && refB === from ? a : refB === to && refA === from ? b : null;
      if (target === null || !open || this.#isCut(target === a ? b : a, target)) continue;
      this.observer?.fault("replay");
      this.observer?.delivered(from, to, bytes, true);
      target.arrive(() => target.handler?.onMessage(from, bytes.slice()));
      return;
    }
  }

  /** The process at this address is gone. */
  kill(address: string): void {
    const endpoint = this.#endpoints.get(address);
    if (endpoint !== undefined) this.#close(endpoint);
  }

  /** Whether what one process sends to another at the moment is lost. */
  isCutBetween(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#isCutAddress(from, to);
  }

  get isCutAnywhere(): boolean {
    return this.#cuts.size > 0;
  }

  #isDead({ a, b }: Connection): boolean {
    return this.#isCut(a, b) || this.#isCut(b, a) || this.#silent.has(a.address) || this.#silent.has(b.address);
  }

  #isCut(from: Endpoint, to: Endpoint): boolean {
    return this.#cuts.size > 0 && this.#isCutAddress(from.address, to.address);
  }

  #isCutAddress(from: string, to: string): boolean {
    return this.#cuts.has(`${from}>${to}`) || this.#cuts.has(`*>${to}`) || this.#cuts.has(`${from}>*`);
  }

  #connect(from: Endpoint, peer: NodeRef): void {
    const address = from.known.get(peer);
    if (from.closed || address === undefined || from.connections.has(peer)) return;
    const to = this.#endpoints.get(address);
    if (to?.closed === true && from.known.get(peer) === address) {
      // Nobody will ever answer there again, and the host says so to whom it can reach.
      if (!this.#isCut(from, to) && !this.#isCut(to, from)) from.arrive(() => from.handler?.onHealth(peer, "gone"));
      this.#clock.schedule(RECONNECT_MS * 25, () => this.#connect(from, peer));
      return;
    }
    const ready = to !== undefined && to.self() === peer && to.handler !== null && from.handler !== null;
    if (!ready || this.#isCut(from, to) || this.#isCut(to, from) || this.#silent.has(to.address)) {
      this.#clock.schedule(ready ? RECONNECT_MS * 5 : RECONNECT_MS, () => this.#connect(from, peer));
      return;
    }
    const connection: Connection = {
      a: from,
      b: to,
      refA: from.self(),
      refB: peer,
      open: true,
      controlToA: 0,
      controlToB: 0,
      bulkToA: 0,
      bulkToB: 0,
    };
    this.#connections.add(connection);
    from.deaf.delete(peer);
    to.deaf.delete(connection.refA);
    from.connections.set(peer, connection);
    to.connections.set(connection.refA, connection);
    this.#clock.schedule(0, () => {
      if (!connection.open) return;
      from.arrive(() => from.handler?.onUp(connection.refB));
      to.arrive(() => to.handler?.onUp(connection.refA));
    });
  }

  #disconnect(connection: Connection, silent: boolean): void {
    if (!connection.open) return;
    connection.open = false;
    this.#connections.delete(connection);
    const { a, b, refA, refB } = connection;
    a.connections.delete(refB);
    b.connections.delete(refA);
    this.#listen(a, refB);
    this.#listen(b, refA);
    this.observer?.disconnected(refA, refB, silent);
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
    for (const connection of [...endpoint.connections.values()]) this.#disconnect(connection, false);
  }

  #send(from: Endpoint, to: NodeRef, lane: Lane, message: Uint8Array): SendOutcome {
    const connection = from.connections.get(to);
    if (connection === undefined || from.closed) return "unreachable";
    const target = connection.a === from ? connection.b : connection.a;
    const sender = connection.a === from ? connection.refA : connection.refB;
    const { plan, observer } = this;
    this.counts.sent++;
    const verdict = this.intercept?.({ from: sender, to, bytes: message });
    if (this.#isCut(from, target)) {
      this.counts.cut++;
      observer?.sent(sender, to, message, "cut");
      return "queued";
    }
    if (verdict?.copies === 0 || this.#random.chance(plan.loss)) {
      this.counts.lost++;
      observer?.sent(sender, to, message, "lost");
      observer?.fault("loss");
      return "queued";
    }
    observer?.sent(sender, to, message, "delivered");
    const copies = verdict?.copies ?? (this.#random.chance(plan.duplication) ? 2 : 1);
    if (copies > 1) {
      this.counts.doubled++;
      observer?.fault("duplication");
    }
    if (plan.replay !== undefined) this.#replay(from, target, message, plan.replay);
    for (let i = 0; i < copies; i++)
      this.#deliver(connection, target, sender, lane, this.#maybeDamage(verdict?.bytes ?? message), verdict?.extraMs ?? 0);
    return "queued";
  }

  /** Keeps the message, and perhaps lets an old one arrive again. */
  #replay(from: Endpoint, target: Endpoint, message: Uint8Array, chance: number): void {
    const { messages } = target.past;
    if (this.#random.chance(chance) && messages.length > 0) {
      const old = this.#random.pick(messages);
      const sender = old.from.self();
      this.#clock.schedule(this.#random.next() * this.#random.next() * 20_000, () => {
        // It comes over whatever connection there is now from the same life of its sender.
        const present = this.#process(target);
        if (present === undefined || !present.connections.has(sender)) return;
        this.observer?.fault("replay");
        this.observer?.delivered(sender, present.self(), old.bytes, true);
        present.arrive(() => present.handler?.onMessage(sender, old.bytes.slice()));
      });
    }
    if (messages.length < PAST_MESSAGES) messages.push({ from, bytes: message.slice() });
    else messages[this.#random.below(PAST_MESSAGES)] = { from, bytes: message.slice() };
  }

  /** The present end of the process that this end belongs or belonged to. */
  #process(endpoint: Endpoint): Endpoint | undefined {
    if (!endpoint.closed) return endpoint;
    for (const other of this.#endpoints.values()) if (other.past === endpoint.past && !other.closed) return other;
    return undefined;
  }

  #maybeDamage(message: Uint8Array): Uint8Array {
    const copy = message.slice();
    if (this.#random.chance(this.plan.corruption)) {
      this.counts.corrupted++;
      this.observer?.fault("corruption");
      const at = this.#random.below(copy.length);
      copy[at] = (copy[at] as number) ^ (1 << this.#random.below(8));
    }
    return copy;
  }

  #deliver(connection: Connection, target: Endpoint, from: NodeRef, lane: Lane, message: Uint8Array, extraMs: number): void {
    const { latencyMs, jitterMs, reordering, spikeMs } = this.plan;
    const now = this.#clock.now();
    let at = now + latencyMs + this.#random.next() * jitterMs + extraMs;
    if (spikeMs !== undefined && this.#random.chance(0.02)) {
      this.observer?.fault("delay");
      at += this.#random.next() * spikeMs;
    }
    if (this.#random.chance(reordering)) {
      this.counts.reordered++;
      this.observer?.fault("reordering");
      at += this.#random.next() * (latencyMs + jitterMs) * 4;
    } else if (extraMs === 0) {
      at = Math.max(at, lastArrival(connection, lane, target));
      noteArrival(connection, lane, target, at);
    }
    this.#clock.schedule(at - now, () => {
      if (!connection.open || target.closed) return;
      this.counts.delivered++;
      target.arrive(() => {
        if (target.closed) return;
        this.observer?.delivered(from, target === connection.a ? connection.refA : connection.refB, message, false);
        target.handler?.onMessage(from, message);
      });
    });
  }
}

function lastArrival(connection: Connection, lane: Lane, target: Endpoint): number {
  if (lane === "control") return target === connection.a ? connection.controlToA : connection.controlToB;
  return target === connection.a ? connection.bulkToA : connection.bulkToB;
}

function noteArrival(connection: Connection, lane: Lane, target: Endpoint, at: number): void {
  if (lane === "control") {
    if (target === connection.a) connection.controlToA = at;
    else connection.controlToB = at;
  } else if (target === connection.a) connection.bulkToA = at;
  else connection.bulkToB = at;
}
