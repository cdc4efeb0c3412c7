import {
  type ErrorCode,
  errorCodeOf,
  incarnationOf,
  isErrorCode,
  isNodeId,
  type Lane,
  type NodeRef,
  nodeIdOf,
  type PeerHealth,
  type Scheduled,
  type SendOutcome,
} from "@sojourn/core";
import { encodeNumber, type Hello, KIND } from "./channel-frames.js";
import type { ChannelIo } from "./channel-io.js";
import { Dial, type DialResult } from "./dial.js";
import type { HandlerGate } from "./handler-gate.js";
import type { LaneSocket } from "./lane-socket.js";
import { Pair, type PairOwner } from "./pair.js";
import { RttEstimate } from "./rtt.js";
import type { ChannelTls } from "./transport.js";

/** First pause before dialling again; doubles up to `peerReconnectMaxMs`. */
const RECONNECT_MIN_MS = 20;

type State =
  | { readonly at: "idle" }
  | { readonly at: "waiting"; readonly retry: Scheduled }
  | { readonly at: "dialling"; readonly dial: Dial }
  | { readonly at: "up"; readonly pair: Pair };

interface Entry {
  readonly ref: NodeRef;
  /** Null for a peer that came by itself; it is forgotten when its connection ends. */
  address: string | null;
  state: State;
  attempts: number;
  /** Told last and not yet over; the same trouble at each attempt is told once. */
  problem: string | null;
  readonly rtt: RttEstimate;
  health: PeerHealth;
  /** How long no heartbeat of this node has been answered, by the beats of this node. */
  silentMs: number;
}

/** What the book needs of its channel. */
export interface PeerBookSetup {
  readonly io: ChannelIo;
  readonly tls: ChannelTls | undefined;
  readonly self: () => NodeRef;
  readonly gate: HandlerGate;
  readonly onProblem: (peer: NodeRef | null, code: ErrorCode, message: string) => void;
}

/**
 * All peers and where each stands. Both sides may dial; when both do at once, the dial of the lower ref is kept: it is refused
 * nowhere, and the higher side abandons its own before anything was sent on it, so that no message is lost.
 */
export class PeerBook implements PairOwner {
  readonly #setup: PeerBookSetup;
  readonly #entries = new Map<NodeRef, Entry>();
  #stamp = 0;

  constructor(setup: PeerBookSetup) {
    this.#setup = setup;
  }

  reach(ref: NodeRef, address: string): void {
    const known = this.#entries.get(ref);
    const entry = known ?? this.#add(ref);
    if (entry.address === address) return;
    entry.address = address;
    if (entry.state.at === "up") return;
    this.#rest(entry);
    entry.attempts = 0;
    this.#dial(entry);
  }

  forget(ref: NodeRef): void {
    const entry = this.#entries.get(ref);
    if (entry === undefined) return;
    this.#entries.delete(ref);
    const { state } = entry;
    this.#rest(entry);
    if (state.at !== "up") return;
    state.pair.end("close");
    this.#setup.gate.notice("down", ref, "later");
  }

  /** Forgets everybody. */
  clear(): void {
    for (const ref of [...this.#entries.keys()]) this.forget(ref);
  }

  send(to: NodeRef, lane: Lane, message: Uint8Array, urgent: boolean): SendOutcome {
    const state = this.#entries.get(to)?.state;
    if (state?.at !== "up" || state.pair.identity.self !== this.#setup.self()) return "unreachable";
    return state.pair.send(lane, message, urgent);
  }

  isUp(ref: NodeRef): boolean {
    return this.#entries.get(ref)?.state.at === "up";
  }

  rttMs(ref: NodeRef): number | undefined {
    return this.#entries.get(ref)?.rtt.ms;
  }

  /** How many peers are known and how many stand, and what waits to be sent to them. */
  totals(): { peers: number; up: number; queuedBytes: number } {
    let up = 0;
    let queuedBytes = 0;
    for (const { state } of this.#entries.values()) {
      if (state.at !== "up") continue;
      up++;
      queuedBytes += state.pair.queuedBytes;
    }
    return { peers: this.#entries.size, up, queuedBytes };
  }

  /** One heartbeat of every standing pair. */
  beat(elapsedMs: number): void {
    for (const entry of [...this.#entries.values()]) {
      this.#judge(entry, elapsedMs);
      if (entry.state.at !== "up") continue;
      const { pair } = entry.state;
      if (this.isSelf(pair.identity.self)) {
        pair.beat(elapsedMs);
        if (pair.isOpen) entry.attempts = 0;
      } else {
        pair.end("close");
        this.onPairClosed(pair, "E_PEER_INCARNATION", "this node has joined again as another incarnation");
      }
    }
  }

  #judge(entry: Entry, elapsedMs: number): void {
    if (entry.state.at === "up" && entry.state.pair.answered) {
      entry.state.pair.answered = false;
      entry.silentMs = 0;
      this.#healthIs(entry, "answering");
      return;
    }
    entry.silentMs += elapsedMs;
    if (entry.health === "answering" && entry.silentMs >= this.#setup.io.limits.suspectAfterMs) this.#healthIs(entry, "silent");
  }

  #healthIs(entry: Entry, health: PeerHealth): void {
    if (entry.health === health) return;
    entry.health = health;
    this.#setup.gate.notice(health, entry.ref, "now");
  }

  isSelf(ref: NodeRef): boolean {
    return this.#setup.self() === ref;
  }

  onMessage(peer: NodeRef, message: Uint8Array): void {
    this.#setup.gate.message(peer, message);
  }

  onPairClosed(pair: Pair, code: ErrorCode, message: string): void {
    const entry = this.#entries.get(pair.identity.peer);
    if (entry?.state.at !== "up" || entry.state.pair !== pair) return;
    entry.state = { at: "idle" };
    this.#problem(entry, code, message);
    this.#setup.gate.notice("down", entry.ref, "now");
    this.#retry(entry);
  }

  /** Somebody dialled us and proved who it is, as far as that is asked for. */
  onHello(lane: LaneSocket, hello: Hello): void {
    const refusal = this.#objection(hello);
    if (refusal !== null) {
      lane.refuse(refusal.code, refusal.message);
      if (refusal.code !== "E_PEER_DUPLICATE") this.#setup.onProblem(hello.from, refusal.code, refusal.message);
      return;
    }
    if (hello.lane === "bulk") this.#acceptBulk(lane, hello);
    else this.#acceptControl(lane, hello);
  }

  #objection(hello: Hello): { code: ErrorCode; message: string } | null {
    const { from, to } = hello;
    const self = this.#setup.self();
    if (!this.#setup.gate.isBound) return { code: "E_PEER_UNREACHABLE", message: "the node is not ready yet" };
    if (to !== self) return { code: "E_PEER_INCARNATION", message: `this is ${self}, not ${to}` };
    if (!isNodeId(nodeIdOf(from)) || !Number.isSafeInteger(incarnationOf(from)) || from === self) {
      return { code: "E_FRAME_MALFORMED", message: "the hello names no usable node" };
    }
    const entry = this.#entries.get(from);
    if (hello.lane === "bulk") return null;
    if (entry === undefined && this.#entries.size >= this.#setup.io.limits.maxPeers) {
      return { code: "E_QUEUE_FULL", message: "the node has as many peers as it takes" };
    }
    const duplicate = { code: "E_PEER_DUPLICATE", message: "the other connection is kept" } as const;
    if (entry?.state.at === "up" && hello.stamp <= entry.state.pair.identity.peerStamp) return duplicate;
    if (entry?.state.at === "dialling" && entry.state.dial.hasGreeted && self < from) return duplicate;
    return null;
  }

  #acceptControl(lane: LaneSocket, hello: Hello): void {
    const known = this.#entries.get(hello.from);
    if (known?.state.at === "up") {
      // The other side dialled after this pair was opened: for it the pair is gone, whatever our socket believes.
      known.state.pair.end("destroy");
      known.state = { at: "idle" };
      this.#setup.gate.notice("down", known.ref, "now");
    }
    // Looked up again: the user may have forgotten the peer in that call.
    const entry = this.#entries.get(hello.from) ?? this.#add(hello.from);
    this.#rest(entry);
    lane.send(KIND.welcome, encodeNumber(++this.#stamp));
    this.#up(entry, lane, { peerStamp: hello.stamp, pairStamp: hello.stamp, dialled: false });
  }

  #acceptBulk(lane: LaneSocket, hello: Hello): void {
    const state = this.#entries.get(hello.from)?.state;
    const pair = state?.at === "up" ? state.pair : null;
    if (pair === null || pair.identity.dialled || pair.identity.pairStamp !== hello.pairStamp || pair.hasBulk) {
      lane.refuse("E_PEER_UNREACHABLE", "no control lane waits for this bulk lane");
      return;
    }
    lane.send(KIND.welcome, encodeNumber(++this.#stamp));
    pair.attachBulk(lane);
  }

  #add(ref: NodeRef): Entry {
    const rtt = new RttEstimate();
    const entry: Entry = { ref, address: null, state: { at: "idle" }, attempts: 0, problem: null, rtt, health: "answering", silentMs: 0 };
    this.#entries.set(ref, entry);
    return entry;
  }

  /** Stops waiting or dialling. */
  #rest(entry: Entry): void {
    const { state } = entry;
    entry.state = { at: "idle" };
    if (state.at === "waiting") state.retry.cancel();
    else if (state.at === "dialling") state.dial.abandon();
  }

  #up(entry: Entry, lane: LaneSocket, how: { peerStamp: number; pairStamp: number; dialled: boolean }): Pair {
    const pair = new Pair(this.#setup.io, this, { self: this.#setup.self(), peer: entry.ref, ...how }, lane, entry.rtt);
    entry.state = { at: "up", pair };
    entry.problem = null;
    this.#setup.gate.notice("up", entry.ref, "now");
    // Its answer to the hello came from its event loop, as an answer to a heartbeat does.
    entry.silentMs = 0;
    this.#healthIs(entry, "answering");
    return pair;
  }

  #dial(entry: Entry): void {
    if (entry.address === null) return;
    const { address, ref } = entry;
    const self = this.#setup.self();
    try {
      const dial = this.#open(address, { lane: "control", pairStamp: 0, from: self, to: ref }, (result) => this.#onDialled(entry, result));
      entry.state = { at: "dialling", dial };
    } catch (error) {
      this.#problem(entry, errorCodeOf(error), error instanceof Error ? error.message : String(error));
    }
  }

  #open(address: string, hello: Omit<Hello, "stamp">, done: (result: DialResult) => void): Dial {
    const target = { address, peer: hello.to, tls: this.#setup.tls, hello: () => ({ ...hello, stamp: ++this.#stamp }) };
    return new Dial(this.#setup.io, target, done);
  }

  #onDialled(entry: Entry, result: DialResult): void {
    entry.state = { at: "idle" };
    if (result.outcome !== "welcomed") {
      const code = isErrorCode(result.code) ? result.code : "E_PEER_UNREACHABLE";
      if (code !== "E_PEER_DUPLICATE") this.#problem(entry, code, result.message);
      if (result.outcome === "failed" && result.nobodyListens) this.#healthIs(entry, "gone");
      this.#retry(entry);
      return;
    }
    const { hello, lane } = result;
    if (!this.isSelf(hello.from)) {
      lane.destroy();
      this.#retry(entry);
      return;
    }
    const pair = this.#up(entry, lane, { peerStamp: result.stamp, pairStamp: hello.stamp, dialled: true });
    const { address } = entry;
    if (!pair.isOpen || address === null) return;
    pair.dialBulk((done) => this.#open(address, { lane: "bulk", pairStamp: hello.stamp, from: hello.from, to: hello.to }, done));
  }

  #retry(entry: Entry): void {
    if (this.#entries.get(entry.ref) !== entry || entry.state.at !== "idle") return;
    if (entry.address === null) {
      this.#entries.delete(entry.ref);
      return;
    }
    const { io } = this.#setup;
    const capMs = Math.min(io.limits.peerReconnectMaxMs, RECONNECT_MIN_MS * 2 ** Math.min(entry.attempts++, 20));
    // Half of the pause is random, so that nodes that lost each other together do not come back together.
    const retry = io.clock.schedule(capMs * (0.5 + io.random.next() / 2), () => this.#dial(entry));
    entry.state = { at: "waiting", retry };
  }

  #problem(entry: Entry, code: ErrorCode, message: string): void {
    if (entry.problem === code) return;
    entry.problem = code;
    this.#setup.onProblem(entry.ref, code, message);
  }
}
