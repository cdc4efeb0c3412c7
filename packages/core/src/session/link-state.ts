import type { ErrorCode } from "../errors/catalogue.js";
import type { NodeRef } from "../names.js";
import type { SessionLink } from "./context.js";
import { nextSpan } from "./generations.js";
import type { Link, OutboxEntry } from "./types.js";

/** What a message to several links shares. */
export interface Message {
  readonly version: number;
  readonly kind: OutboxEntry["kind"];
  readonly answers: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** Bytes that a message counts for besides its payload and name. */
const MESSAGE_OVERHEAD_BYTES = 32;

/** What a message counts for against `maxOutboxBytes`. */
export function messageBytes(name: string, payload: Uint8Array): number {
  return payload.length + name.length + MESSAGE_OVERHEAD_BYTES;
}

class Entry implements OutboxEntry {
  readonly seq: number;
  readonly message: Message;

  constructor(seq: number, message: Message) {
    this.seq = seq;
    this.message = message;
  }

  get version(): number {
    return this.message.version;
  }

  get kind(): OutboxEntry["kind"] {
    return this.message.kind;
  }

  get answers(): number {
    return this.message.answers;
  }

  get name(): string {
    return this.message.name;
  }

  get payload(): Uint8Array {
    return this.message.payload;
  }
}

/** An outbox entry that gives access to what it shares with other links. */
export type SharedEntry = OutboxEntry & { readonly message: Message };

/** The part of a link that handlers see. */
class LinkView implements SessionLink {
  readonly #link: LinkState;

  constructor(link: LinkState) {
    this.#link = link;
  }

  get id(): string {
    return this.#link.id;
  }

  get user(): unknown {
    return this.#link.user;
  }

  get attached(): boolean {
    return this.#link.ingress !== null;
  }
}

/** Why a link began anew (null: it is new), and what its client lost by that. */
export interface Beginning {
  readonly reason: ErrorCode | null;
  readonly lostOutputs: number;
  readonly lostInputs: number;
}

/** How a link begins. */
export interface LinkOrigin {
  readonly id: string;
  /** Names the link in deltas; given out once per session. */
  readonly ordinal: number;
  readonly user: unknown;
  readonly ingress: NodeRef | null;
  readonly token: string;
  readonly previousToken: string;
}

/** One link. Everything but `refusedAttaches`, the marks and the view is replicated. */
export class LinkState implements Link {
  readonly id: string;
  readonly ordinal: number;
  readonly user: unknown;
  generation = 0;
  /** The generation at which its numbers began; frames of older ones belong to another numbering. */
  firstGeneration = 0;
  ingress: NodeRef | null;
  token: string;
  previousToken: string;
  /** Whether a frame of the newest generation was seen: the client then knows `token`. */
  confirmed = false;
  lastIn = 0;
  lastInVersion = 0;
  /** `lastIn` when the present token was agreed on; a client that knows it and says it sent less has lost its memory. */
  lastInAtAttach = 0;
  /** The answer to the hello that it began with, as long as that hello may come again. */
  begun: Beginning | null = null;
  nextOut = 1;
  outbox: SharedEntry[] = [];
  outboxBytes = 0;
  awaySinceMs: number | null = null;
  /**
   * `nextOut` where the session last went on from a copy that may lack turns, until the client attaches: a client that comes from before
   * and has seen this number or a later one saw messages of lost turns.
   */
  branchOut: number | null = null;
  refusedAttaches = 0;
  /** Its window was changed between turns and the change is not in a delta yet. */
  marked = false;
  /** It is being removed by the turn in hand. */
  leaving = false;
  /** The last turn that listed it as touched. */
  touchedVersion = -1;
  #view: LinkView | null = null;

  constructor(origin: LinkOrigin) {
    this.id = origin.id;
    this.ordinal = origin.ordinal;
    this.user = origin.user;
    this.ingress = origin.ingress;
    this.token = origin.token;
    this.previousToken = origin.previousToken;
  }

  get ackedOut(): number {
    return this.nextOut - 1 - this.outbox.length;
  }

  get view(): SessionLink {
    this.#view ??= new LinkView(this);
    return this.#view;
  }

  /** Starts its life: its numbers begin at this generation. */
  begin(generation: number, beginning: Beginning): void {
    this.begun = beginning;
    this.generation = generation;
    this.firstGeneration = generation;
  }

  append(message: Message): void {
    this.outbox.push(new Entry(this.nextOut++, message));
    this.outboxBytes += messageBytes(message.name, message.payload);
  }

  /** Drops what the client confirmed; whether that was anything. A number that is too high confirms all there is. */
  trim(ackedOut: number): boolean {
    const count = Math.min(ackedOut - this.ackedOut, this.outbox.length);
    if (count <= 0) return false;
    if (count === this.outbox.length) {
      this.outbox = [];
      this.outboxBytes = 0;
      return true;
    }
    for (const { message } of this.outbox.splice(0, count)) this.outboxBytes -= messageBytes(message.name, message.payload);
    return true;
  }

  attach(ingress: NodeRef, token: string, previousToken: string): void {
    this.generation++;
    // A hello that comes again says nothing new: its client may have made its next one from what was handled before the first copy.
    if (token !== this.token) this.lastInAtAttach = this.lastIn;
    if (token !== this.token || previousToken !== this.previousToken) this.begun = null;
    this.ingress = ingress;
    this.token = token;
    this.previousToken = previousToken;
    this.confirmed = false;
    this.awaySinceMs = null;
    this.branchOut = null;
  }

  /** The session goes on from a copy that may lack turns: the client has to attach again before anything is said to it. */
  branch(nowMs: number): void {
    this.generation = nextSpan(this.generation);
    this.branchOut = Math.min(this.branchOut ?? this.nextOut, this.nextOut);
    if (this.ingress !== null) this.detach(nowMs);
  }

  detach(nowMs: number): void {
    this.ingress = null;
    this.awaySinceMs = nowMs;
  }
}
