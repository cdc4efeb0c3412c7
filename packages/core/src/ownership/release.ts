import type { ByteWriter } from "../bytes/writer.js";
import type { NodeRef } from "../names.js";
import type { ClosedLink, Link, OutboxEntry, TurnResult } from "../session/types.js";
import { encodeClientFrame } from "../wire/client-frames.js";
import type { LinkAddress } from "./slot-host.js";

/** What a release does to the outside. */
export interface ReleasePorts {
  readonly epoch: number;
  /** Scratch space for one frame. */
  readonly scratch: ByteWriter;
  deliver(link: LinkAddress, frame: Uint8Array, close: boolean): void;
  /** The link has attached somewhere else: its socket there is of no use to the session any more. */
  unlink(link: LinkAddress): void;
}

interface Held {
  readonly version: number;
  readonly links: readonly Link[];
  readonly lastIns: readonly number[];
  readonly closed: readonly ClosedLink[];
  /** Runs when the turn is released, before its outputs (the answer to an attach). */
  readonly first: (() => void) | null;
}

/** How far one link's present socket has been served. */
interface Cursor {
  generation: number;
  /** Where that socket is. */
  ingress: NodeRef | null;
  sentOut: number;
  /** Inputs up to here were handled in turns that are released. */
  ackedIn: number;
  /** What of that the client has been told. */
  toldIn: number;
}

/**
 * Output commit [12]: holds what turns produced until the turn may be released, in turn order, then sends it to the links' sockets.
 * What is sent is read from the links' outboxes, so that sending again after a resume or a gap is the same code.
 */
export class Releaser {
  readonly #ports: ReleasePorts;
  readonly #cursors = new Map<string, Cursor>();
  #held: Held[] = [];
  #head = 0;
  #released: number;
  readonly #inherited: number;
  /** Links whose client has to be told that its inputs were handled, unless an output does it. */
  readonly #silent: Link[] = [];
  /** Links with unconfirmed messages at the last look, with how far they had confirmed. */
  #unconfirmed = new Map<string, number>();

  /**
   * @param released everything up to this version may have reached the clients already
   * @param version the session's; how much of it owners before have released is not known for certain
   */
  constructor(ports: ReleasePorts, released: number, version: number) {
    this.#ports = ports;
    this.#released = released;
    this.#inherited = version;
  }

  get released(): number {
    return this.#released;
  }
  /** The highest version of which clients may have seen something. */
  get shownUpTo(): number {
    return Math.max(this.#inherited, this.#released);
  }

  /** Turns that wait for their release. */
  get held(): number {
    return this.#held.length - this.#head;
  }

  /** Takes a committed turn in. It leaves by `releaseUpTo`. */
  hold(result: TurnResult, first: (() => void) | null): void {
    this.#held.push({
      version: result.version,
      links: result.touched,
      lastIns: result.touched.map((link) => link.lastIn),
      closed: result.closed,
      first,
    });
  }

  /** Says something that follows from the session as it is at this version, once nothing of that can be lost any more. */
  after(version: number, say: () => void): void {
    if (version <= this.#released) say();
    else this.#held.push({ version, links: [], lastIns: [], closed: [], first: say });
  }

  releaseUpTo(version: number): void {
    if (version <= this.#released) return;
    this.#released = version;
    while (this.#head < this.#held.length) {
      const held = this.#held[this.#head] as Held;
      if (held.version > version) break;
      this.#head++;
      held.first?.();
      for (let i = 0; i < held.links.length; i++) this.#serve(held.links[i] as Link, held.lastIns[i] as number);
      for (const gone of held.closed) this.#close(gone);
    }
    this.#tellSilent();
    if (this.#head === this.#held.length) {
      this.#held = [];
      this.#head = 0;
    } else if (this.#head > 256) {
      this.#held = this.#held.slice(this.#head);
      this.#head = 0;
    }
  }

  /**
   * A link's socket was welcomed: its outputs go to this attach from now on.
   * A later attach may have been handled while the welcome waited for its release, and be an older one of the client's that came late:
   * the client then has to say hello once more. Where both came by the same ingress, that one sees to it.
   * @param lastIn inputs up to here were handled when it attached; more may have been handled since, in turns that are not released
   */
  attached(link: Link, attach: Pick<LinkAddress, "generation" | "ingress">, lastIn: number): void {
    const { id, generation, ingress, ackedOut } = link;
    if (generation !== attach.generation) {
      if (ingress !== attach.ingress) this.#ports.unlink({ id, ...attach });
      return;
    }
    const before = this.#cursors.get(id);
    if (before !== undefined && before.ingress !== null && before.ingress !== ingress) {
      this.#ports.unlink({ id, generation: before.generation, ingress: before.ingress });
    }
    this.#cursors.set(id, { generation, ingress, sentOut: ackedOut, ackedIn: lastIn, toldIn: lastIn });
    this.#flush(link, this.#cursor(link));
  }

  /** The new owner goes on where the old one stopped: what was released there is on its way to the client. */
  inherit(links: ReadonlyMap<string, Link>, releasedBefore: number): void {
    for (const link of links.values()) {
      let sentOut = link.ackedOut;
      for (const entry of link.outbox) {
        if (entry.version > releasedBefore) break;
        sentOut = entry.seq;
      }
      const ackedIn = link.lastInVersion <= releasedBefore ? link.lastIn : 0;
      this.#cursors.set(link.id, { generation: link.generation, ingress: link.ingress, sentOut, ackedIn, toldIn: ackedIn });
    }
  }

  /** Sends everything that the client has not confirmed again. */
  resend(link: Link): void {
    const cursor = this.#cursors.get(link.id);
    if (cursor === undefined || cursor.generation !== link.generation) return;
    cursor.sentOut = link.ackedOut;
    if (!this.#flush(link, cursor)) this.#acknowledge(link, cursor);
  }

  /** Says again up to where inputs were handled (the client sent one twice). */
  acknowledgeAgain(link: Link): void {
    const cursor = this.#cursors.get(link.id);
    if (cursor !== undefined && cursor.generation === link.generation) this.#acknowledge(link, cursor);
  }

  /** Sends again what was unconfirmed at the last look and still is; it was probably lost on the way. @returns whether any is unconfirmed */
  resendUnconfirmed(links: ReadonlyMap<string, Link>): boolean {
    const unconfirmed = new Map<string, number>();
    for (const link of links.values()) {
      if (!this.unconfirmed(link)) continue;
      unconfirmed.set(link.id, link.ackedOut);
      if (this.#unconfirmed.get(link.id) === link.ackedOut) this.resend(link);
    }
    this.#unconfirmed = unconfirmed;
    return unconfirmed.size > 0;
  }

  /** Whether anything sent on a present socket is unconfirmed. */
  unconfirmed(link: Link): boolean {
    const cursor = this.#cursors.get(link.id);
    return link.ingress !== null && cursor !== undefined && cursor.generation === link.generation && cursor.sentOut > link.ackedOut;
  }

  forget(linkId: string): void {
    this.#cursors.delete(linkId);
  }

  #cursor(link: Link): Cursor {
    let cursor = this.#cursors.get(link.id);
    if (cursor === undefined) {
      cursor = { generation: 0, ingress: null, sentOut: link.ackedOut, ackedIn: 0, toldIn: 0 };
      this.#cursors.set(link.id, cursor);
    }
    return cursor;
  }

  #serve(link: Link, lastIn: number): void {
    const cursor = this.#cursor(link);
    const news = lastIn > cursor.ackedIn;
    if (news) cursor.ackedIn = lastIn;
    // Until the welcome of its newest attach is released, a link has no socket to send to.
    if (cursor.generation !== link.generation) return;
    if (!this.#flush(link, cursor) && news) this.#silent.push(link);
  }

  /** Several turns of a link that are released together need one word. */
  #tellSilent(): void {
    if (this.#silent.length === 0) return;
    for (const link of this.#silent) {
      const cursor = this.#cursors.get(link.id);
      if (cursor === undefined || cursor.generation !== link.generation) continue;
      if (cursor.toldIn < cursor.ackedIn) this.#acknowledge(link, cursor);
    }
    this.#silent.length = 0;
  }

  #flush(link: Link, cursor: Cursor): boolean {
    if (link.ingress === null) return false;
    const outbox = link.outbox;
    const first = outbox[0];
    if (first === undefined) return false;
    let sent = false;
    for (let i = Math.max(0, cursor.sentOut + 1 - first.seq); i < outbox.length; i++) {
      const entry = outbox[i] as OutboxEntry;
      if (entry.version > this.#released) break;
      cursor.sentOut = entry.seq;
      sent = true;
      cursor.toldIn = cursor.ackedIn;
      this.#send(link, entry, cursor.ackedIn);
    }
    return sent;
  }

  #send(link: LinkAddress, entry: OutboxEntry, ack: number): void {
    const { seq, kind, answers, name, payload } = entry;
    const { epoch } = this.#ports;
    this.#ports.deliver(
      link,
      encodeClientFrame(this.#ports.scratch, { t: "output", epoch, seq, ack, kind, answers, name, payload }),
      false,
    );
  }

  #acknowledge(link: Link, cursor: Cursor): void {
    if (link.ingress === null) return;
    cursor.toldIn = cursor.ackedIn;
    this.#ports.deliver(link, encodeClientFrame(this.#ports.scratch, { t: "acked", epoch: this.#ports.epoch, seq: cursor.ackedIn }), false);
  }

  #close(gone: ClosedLink): void {
    const cursor = this.#cursors.get(gone.link);
    this.#cursors.delete(gone.link);
    if (gone.ingress === null) return;
    const address = { id: gone.link, generation: gone.generation, ingress: gone.ingress };
    if (cursor !== undefined && cursor.generation === gone.generation) {
      for (const entry of gone.outbox) if (entry.seq > cursor.sentOut) this.#send(address, entry, cursor.ackedIn);
    }
    const frame = encodeClientFrame(this.#ports.scratch, {
      t: "problem",
      code: gone.code,
      message: gone.message,
      fatal: true,
      retryAfterMs: 0,
    });
    this.#ports.deliver(address, frame, true);
  }
}
