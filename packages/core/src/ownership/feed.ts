import type { NodeRef } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { PieceSender } from "./piece-sender.js";
import { countFitting, type ReplicaSource } from "./replica-source.js";

/** The owner's side, as a feed sees it. */
export interface FeedSource extends ReplicaSource {
  readonly cell: Pick<SessionCell, "copyLive">;
  /** How long deltas may be gathered before they are sent; 0 when somebody waits for them. */
  readonly gatherMs: number;
  /** The feed's acknowledged version went up. */
  onAcked(feed: Feed): void;
}

/** So many deltas are sent without waiting for more. */
const MAX_GATHERED = 64;

/** With a live copy of which nothing was heard the patience doubles each time, up to so much of what it is at first. */
const MAX_PATIENCE = 16;

/** Up to this size a base counts as small. */
const SMALL_BASE_BYTES = 32_768;

type Phase =
  /** The replica's position is not known to fit; it is asked by an empty delta. */
  | { readonly name: "probing" }
  /** A base is to be taken as soon as no turn is in hand. */
  | { readonly name: "waiting" }
  /** Its large arrays go first, while turns go on. */
  | { readonly name: "streaming"; readonly pieces: PieceSender; waits: "turn" | "window" | "blocked" }
  | {
      readonly name: "copying";
      /** The large arrays, which went before it. */
      readonly pieces: PieceSender | null;
      readonly bytes: Uint8Array;
      readonly version: number;
      readonly hash: number;
      readonly crc: number;
      offset: number;
    }
  | { readonly name: "following" };

/**
 * Keeps one replica up to date: a base when it needs one, then every delta. Everything may be sent again; the replica acknowledges
 * cumulatively. `waited` says whether releases need it [12], `recorded` whether the directory names it in-sync [2, 3].
 */
export class Feed {
  readonly peer: NodeRef;
  waited = false;
  recorded = false;
  readonly #source: FeedSource;
  #phase: Phase = { name: "probing" };
  #acked = 0;
  #sent = 0;
  /** How many times over nothing must be heard of a live copy until it is sent again. */
  #patience = 1;
  #timer: Scheduled | null = null;
  #gathering: Scheduled | null = null;
  #stopped = false;

  constructor(source: FeedSource, peer: NodeRef) {
    this.#source = source;
    this.peer = peer;
  }

  /** Highest version that the replica holds for certain. */
  get acked(): number {
    return this.#acked;
  }

  get following(): boolean {
    return this.#phase.name === "following";
  }

  /** The replica certainly holds this version. */
  startAt(version: number): void {
    this.#acked = version;
    this.#sent = version;
    this.#follow();
    this.#catchUp();
  }

  /** Asks the replica where it stands. */
  startProbing(): void {
    this.#leavePhase();
    this.#phase = { name: "probing" };
    this.#probe();
  }

  /** The replica holds nothing of use. */
  startBase(): void {
    this.#heard();
    this.#beginBase();
  }

  #beginBase(): void {
    this.#leavePhase();
    this.#phase = { name: "waiting" };
    this.#takeBase();
  }

  stop(): void {
    this.#stopped = true;
    this.#leavePhase();
    this.#timer?.cancel();
    this.#timer = null;
    this.#gathering?.cancel();
    this.#gathering = null;
  }

  /** A turn was committed; its delta is the last in the log. */
  onDelta(delta: Uint8Array, hashBefore: number): void {
    if (this.#phase.name !== "following") return;
    if (this.#source.gatherMs > 0) this.#gather();
    else if (this.#sent === this.#source.version - 1 && this.#fitting([delta]) === 1) this.#send([delta], this.#sent, hashBefore);
    else this.#catchUp();
  }

  /** Nobody waits for the delta: it goes with those that come within a moment. */
  #gather(): void {
    const { host, version, gatherMs } = this.#source;
    if (version - this.#sent >= MAX_GATHERED) {
      this.#gathering?.cancel();
      this.#gathering = null;
      this.#catchUp();
    } else {
      this.#gathering ??= host.clock.schedule(gatherMs, () => {
        this.#gathering = null;
        if (!this.#stopped && this.#phase.name === "following") this.#catchUp();
      });
    }
  }

  /** The turn in hand has ended. */
  onQuiet(): void {
    if (this.#phase.name === "waiting") this.#takeBase();
    else if (this.#phase.name === "streaming" && this.#phase.waits === "turn") this.#stream(this.#phase.pieces);
  }

  onAnswer(message: PeerMessageOf<"ack" | "pieces">): void {
    if (message.t === "ack") this.onAck(message);
    else this.#onPieces(message);
  }

  /** The replica has these pieces of a copy. */
  #onPieces(message: PeerMessageOf<"pieces">): void {
    const pieces = this.#pieces;
    if (this.#stopped || pieces?.id !== message.copy) return;
    if (message.seq === 0 && pieces.begun) {
      this.startBase(); // it has given up what it had
      return;
    }
    this.#heard();
    pieces.onArrived(message.seq);
    if (this.#phase.name === "streaming") this.#stream(pieces);
    else this.#arm();
  }

  onAck(message: PeerMessageOf<"ack">): void {
    if (this.#stopped) return;
    const source = this.#source;
    if (message.want === "table") {
      source.host.forgetTables(this.peer);
      this.#sent = this.#acked;
      if (this.#phase.name === "copying") this.startBase();
      else this.resend();
      return;
    }
    if (message.want === "base") {
      if (this.#phase.name === "probing" || this.#phase.name === "following") this.startBase();
      return;
    }
    if (!this.#accepts(message)) return;
    this.#heard();
    if (message.version > this.#acked) this.#acked = message.version;
    if (this.#phase.name !== "following") {
      this.#follow();
      this.#sent = message.version;
    } else if (message.want === "deltas") {
      this.#sent = message.version;
    }
    this.#catchUp();
    this.#arm();
    source.onAcked(this);
  }

  /** Sends again whatever is not acknowledged: the connection was lost, and with it what was under way. */
  resend(): void {
    this.#heard();
    this.#sendAgain();
  }

  #sendAgain(): void {
    if (this.#stopped) return;
    switch (this.#phase.name) {
      case "probing":
        this.#probe();
        break;
      case "streaming":
        this.#readAgain(this.#phase.pieces);
        break;
      case "copying":
        if (this.#phase.pieces?.unconfirmed === true) {
          this.#readAgain(this.#phase.pieces);
        } else {
          this.#phase.offset = 0;
          this.#pushChunks();
        }
        break;
      case "following":
        this.#sent = this.#acked;
        this.#catchUp();
        break;
      case "waiting":
        this.#takeBase();
        break;
    }
  }

  /** An acknowledgement counts only for a position that lies on this owner's chain. */
  #accepts(message: PeerMessageOf<"ack">): boolean {
    const source = this.#source;
    if (message.version > source.version) return false;
    const phase = this.#phase;
    if (phase.name === "streaming") return false;
    if (phase.name === "copying") {
      if (message.version === phase.version && message.hash === phase.hash) return true;
      if (message.version < phase.version) return false;
    }
    if (message.version <= this.#acked) return true;
    if (message.version === source.version) return message.hash === source.hash;
    if (source.log.since(message.version)?.hash === message.hash) return true;
    // Too old, or of another branch: a replica that was asked has said so.
    if (phase.name === "probing") this.startBase();
    return false;
  }

  #probe(): void {
    this.#send([], this.#source.version, this.#source.hash);
  }

  #catchUp(): void {
    const source = this.#source;
    if (this.#sent >= source.version) return;
    const since = source.log.since(this.#sent);
    if (since === null || since.hash === null) {
      this.startBase();
      return;
    }
    const fitting = this.#fitting(since.deltas);
    // A delta that no frame can carry travels as part of a base.
    if (fitting === 0) this.startBase();
    else this.#send(fitting === since.deltas.length ? since.deltas : since.deltas.slice(0, fitting), this.#sent, since.hash);
  }

  /** How many of the deltas one frame carries; the rest follows with the next acknowledgement. */
  #fitting(deltas: readonly Uint8Array[]): number {
    return countFitting(deltas, this.#source.host.limits.maxPeerFrameBytes / 2);
  }

  #send(deltas: readonly Uint8Array[], fromVersion: number, fromHash: number): void {
    const { host, key, epoch, hash } = this.#source;
    const table = host.tableFor(this.peer, key, deltas);
    const outcome = host.send(this.peer, "control", { t: "delta", session: key, epoch, fromVersion, fromHash, hash, deltas, table });
    if (outcome === "queued") this.#sent = fromVersion + deltas.length;
    this.#arm();
  }

  /** The large arrays that are on their way. */
  get #pieces(): PieceSender | null {
    const phase = this.#phase;
    return phase.name === "streaming" || phase.name === "copying" ? phase.pieces : null;
  }

  /** A copy that will not be sent any more need not watch the session. */
  #leavePhase(): void {
    this.#pieces?.copy.close();
  }

  #follow(): void {
    this.#leavePhase();
    this.#phase = { name: "following" };
  }

  #takeBase(): void {
    const source = this.#source;
    if (source.busy) return; // onQuiet calls again
    const copy = source.cell.copyLive(source.host.limits.liveArrayBytes);
    if (copy === null) {
      this.#pushBase(source.snapshot(), null);
      return;
    }
    this.#stream(new PieceSender(source, this.peer, copy));
  }

  /** Large arrays as far as there is room on the way; behind the last piece, before another turn, the rest of the session. */
  #stream(pieces: PieceSender): void {
    const source = this.#source;
    const phase: Phase = { name: "streaming", pieces, waits: "turn" };
    this.#phase = phase;
    if (source.busy) return; // onQuiet calls again
    let sent = pieces.send();
    while (sent === "all") {
      const bytes = pieces.copy.finish();
      if (bytes !== null) {
        this.#pushBase(bytes, pieces);
        return;
      }
      sent = pieces.send();
    }
    if (pieces.hopeless) {
      // Turns write faster than the way carries: whole, and at once.
      this.#leavePhase();
      this.#pushBase(source.snapshot(), null);
      return;
    }
    phase.waits = sent;
    this.#arm();
  }

  /** The way was lost, or the pieces: what is there stays there. */
  #readAgain(pieces: PieceSender): void {
    if (!pieces.begun) {
      this.#beginBase();
      return;
    }
    pieces.readAgain();
    this.#stream(pieces);
  }

  #pushBase(bytes: Uint8Array, pieces: PieceSender | null): void {
    const source = this.#source;
    const { version, hash } = source;
    this.#phase = { name: "copying", pieces, bytes, version, hash, crc: source.host.crc32(bytes), offset: 0 };
    if (source.log.toVersion !== source.version) source.log.reset(source.version);
    this.#pushChunks();
  }

  #pushChunks(): void {
    const phase = this.#phase;
    if (phase.name !== "copying") return;
    const { host, key, epoch, stateVersion } = this.#source;
    const size = host.limits.bulkChunkBytes;
    // A small session goes with the other small messages; only a large one has to stand back behind them.
    // It must not overtake its own pieces either.
    const lane = phase.pieces === null && phase.bytes.length <= SMALL_BASE_BYTES ? "control" : "bulk";
    while (phase.offset < phase.bytes.length || phase.offset === 0) {
      const chunk = phase.bytes.subarray(phase.offset, phase.offset + size);
      const outcome = host.send(this.peer, lane, {
        t: "base",
        session: key,
        epoch,
        version: phase.version,
        hash: phase.hash,
        stateVersion,
        totalBytes: phase.bytes.length,
        crc: phase.crc,
        offset: phase.offset,
        chunk,
        // On the bulk lane the table cannot rely on what went over the control lane before: the first chunk carries it.
        table: phase.offset === 0 ? host.tableFor(this.peer, key, [phase.bytes]) : null,
        copy: phase.pieces?.id ?? 0,
        pieces: phase.pieces?.pieces ?? 0,
      });
      if (outcome !== "queued") break;
      phase.offset += chunk.length;
      if (chunk.length === 0) break;
    }
    this.#arm();
  }

  /** What is under way comes, or certainly will not: the long wait for it is over. */
  #heard(): void {
    if (this.#patience === 1) return;
    this.#patience = 1;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** One timer per feed, only while something is unacknowledged. */
  #arm(): void {
    if (this.#stopped || this.#timer !== null || this.#settled()) return;
    const { clock, limits } = this.#source.host;
    const phase = this.#phase;
    const unsent = phase.name === "copying" ? phase.offset < phase.bytes.length : phase.name === "streaming" && phase.waits === "blocked";
    // A copy that is begun anew comes behind what is under way of the one before: the sooner, the later.
    const patience = this.#pieces === null ? 1 : this.#patience;
    this.#timer = clock.schedule(unsent ? 5 : limits.ackTimeoutMs * patience, () => {
      this.#timer = null;
      if (this.#stopped || this.#settled()) return;
      const now = this.#phase;
      if (now.name === "streaming" && (now.waits === "blocked" || now.pieces.advanced)) {
        now.pieces.advanced = false;
        this.#stream(now.pieces);
      } else if (now.name === "copying" && now.offset < now.bytes.length) this.#pushChunks();
      else {
        this.#patience = Math.min(this.#patience * 2, MAX_PATIENCE);
        this.#sendAgain();
      }
    });
  }

  #settled(): boolean {
    return this.#phase.name === "following" && this.#acked >= this.#source.version;
  }
}
