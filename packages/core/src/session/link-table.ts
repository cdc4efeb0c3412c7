import type { LeaveReason } from "./context.js";
import { type LinkState, type Message, messageBytes } from "./link-state.js";

/** A link that was removed and whose onLeave has not run yet. */
export interface Departure {
  readonly id: string;
  readonly user: unknown;
  readonly reason: LeaveReason;
}

/** The links of a session, with what must survive their removal. */
export class LinkTable {
  readonly byId = new Map<string, LinkState>();
  /** Whose onLeave is still to come, in order. */
  departures: Departure[] = [];
  nextOrdinal = 1;
  /**
   * The highest generation of a removed link, or that a client names of one that was lost with the session: a frame for it can never be
   * taken for one of a later link of the same id.
   */
  generationFloor = 0;
  /** Links whose window changed between turns. */
  marked: LinkState[] = [];
  #byOrdinal: Map<number, LinkState> | null = null;
  /** No outbox is longer or larger than this. */
  #fullestMessages = 0;
  #fullestBytes = 0;

  add(link: LinkState): void {
    this.byId.set(link.id, link);
    this.#byOrdinal?.set(link.ordinal, link);
    if (link.ordinal >= this.nextOrdinal) this.nextOrdinal = link.ordinal + 1;
    this.#fullestMessages = Math.max(this.#fullestMessages, link.outbox.length);
    this.#fullestBytes = Math.max(this.#fullestBytes, link.outboxBytes);
  }

  remove(link: LinkState): void {
    this.byId.delete(link.id);
    this.#byOrdinal?.delete(link.ordinal);
    if (link.generation > this.generationFloor) this.generationFloor = link.generation;
  }

  /** The session goes on from a copy that may lack turns. */
  branch(nowMs: number): void {
    for (const link of this.byId.values()) {
      link.branch(nowMs);
      if (link.generation > this.generationFloor) this.generationFloor = link.generation;
    }
  }

  ordinal(ordinal: number): LinkState | undefined {
    if (this.#byOrdinal === null) {
      this.#byOrdinal = new Map();
      for (const link of this.byId.values()) this.#byOrdinal.set(link.ordinal, link);
    }
    return this.#byOrdinal.get(ordinal);
  }

  /** The first departure of that id, or of any. */
  departure(id: string | null): Departure | undefined {
    return id === null ? this.departures[0] : this.departures.find((departure) => departure.id === id);
  }

  /** Its onLeave has run. */
  departed(id: string): void {
    const at = this.departures.findIndex((departure) => departure.id === id);
    if (at >= 0) this.departures.splice(at, 1);
  }

  /** Notes that a message was appended to some outboxes; keeps the bound for `mayOverflow`. */
  appended(message: Message): void {
    this.#fullestMessages++;
    this.#fullestBytes += messageBytes(message.name, message.payload);
  }

  /** Whether that much more may not fit into every outbox. Cheap while no outbox is nearly full. */
  mayOverflow(messages: number, bytes: number, maxMessages: number, maxBytes: number): boolean {
    if (this.#fullestMessages + messages <= maxMessages && this.#fullestBytes + bytes <= maxBytes) return false;
    let fullestMessages = 0;
    let fullestBytes = 0;
    for (const link of this.byId.values()) {
      if (link.outbox.length > fullestMessages) fullestMessages = link.outbox.length;
      if (link.outboxBytes > fullestBytes) fullestBytes = link.outboxBytes;
    }
    this.#fullestMessages = fullestMessages;
    this.#fullestBytes = fullestBytes;
    return fullestMessages + messages > maxMessages || fullestBytes + bytes > maxBytes;
  }

  /** The client confirmed up to `seq` by a frame of `generation`. False when it confirmed what was never sent. */
  confirm(link: LinkState, generation: number, seq: number): boolean {
    if (seq >= link.nextOut) return false;
    let changed = link.trim(seq);
    if (!link.confirmed && generation === link.generation) {
      link.confirmed = true;
      changed = true;
    }
    if (changed) this.mark(link);
    return true;
  }

  mark(link: LinkState): void {
    if (link.marked) return;
    link.marked = true;
    this.marked.push(link);
  }

  clearMarks(): void {
    if (this.marked.length === 0) return;
    for (const link of this.marked) link.marked = false;
    this.marked = [];
  }
}
