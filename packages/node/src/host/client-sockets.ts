import type { ClientOp, ClientSocket, Scheduled, SessionKey } from "@sojourn/core";

/** An attach without an answer, and when it is sent again. */
export interface PendingAttach {
  readonly op: ClientOp;
  readonly sinceMs: number;
  tries: number;
  /** The newest epoch of the session that was known when it was sent last. */
  epoch: number;
  timer: Scheduled | null;
}

/** One client's socket at this ingress, from its hello on. */
export interface ClientEntry {
  readonly id: number;
  readonly socket: ClientSocket;
  readonly session: SessionKey;
  readonly link: string;
  /** 0 until the session has welcomed this socket. */
  generation: number;
  /** The newest owner that this client has been told of. */
  toldEpoch: number;
  /** Until the session has welcomed this socket. */
  attach: PendingAttach | null;
}

/** The sockets of one ingress, found by number, by session and by link. */
export class ClientSockets {
  readonly #byId = new Map<number, ClientEntry>();
  readonly #bySession = new Map<SessionKey, Map<string, ClientEntry>>();
  readonly #waiting = new Map<SessionKey, Set<ClientEntry>>();
  #lastId = 0;

  get count(): number {
    return this.#byId.size;
  }

  /** `toldEpoch`: the newest owner that the client has heard of, 0 when it is new. */
  add(socket: ClientSocket, session: SessionKey, link: string, toldEpoch: number): ClientEntry {
    this.#lastId++;
    const entry: ClientEntry = { id: this.#lastId, socket, session, link, generation: 0, toldEpoch, attach: null };
    this.#byId.set(entry.id, entry);
    const waiting = this.#waiting.get(session);
    if (waiting === undefined) this.#waiting.set(session, new Set([entry]));
    else waiting.add(entry);
    return entry;
  }

  byId(id: number): ClientEntry | undefined {
    return this.#byId.get(id);
  }

  /** The welcomed socket of a link. */
  live(session: SessionKey, link: string): ClientEntry | undefined {
    return this.#bySession.get(session)?.get(link);
  }

  /** All welcomed sockets of a session. */
  liveOf(session: SessionKey): Iterable<ClientEntry> {
    return this.#bySession.get(session)?.values() ?? [];
  }

  hasLive(session: SessionKey): boolean {
    return this.#bySession.has(session);
  }

  /** Sessions that have a welcomed socket here. */
  get liveSessions(): Iterable<SessionKey> {
    return this.#bySession.keys();
  }

  /** Sessions that a socket here waits for. */
  get waitingSessions(): Iterable<SessionKey> {
    return this.#waiting.keys();
  }

  /** Sockets that wait for their welcome. */
  waitingOf(session: SessionKey): Iterable<ClientEntry> {
    return this.#waiting.get(session) ?? [];
  }

  all(): Iterable<ClientEntry> {
    return this.#byId.values();
  }

  /** Marks a socket as welcomed. @returns the socket that it replaces on this ingress */
  welcome(entry: ClientEntry, generation: number): ClientEntry | null {
    entry.generation = generation;
    this.#waitsNoMore(entry);
    let links = this.#bySession.get(entry.session);
    if (links === undefined) {
      links = new Map();
      this.#bySession.set(entry.session, links);
    }
    const replaced = links.get(entry.link);
    links.set(entry.link, entry);
    return replaced === undefined || replaced === entry ? null : replaced;
  }

  remove(entry: ClientEntry): void {
    this.#byId.delete(entry.id);
    this.#waitsNoMore(entry);
    const links = this.#bySession.get(entry.session);
    if (links?.get(entry.link) !== entry) return;
    links.delete(entry.link);
    if (links.size === 0) this.#bySession.delete(entry.session);
  }

  #waitsNoMore(entry: ClientEntry): void {
    entry.attach?.timer?.cancel();
    entry.attach = null;
    const waiting = this.#waiting.get(entry.session);
    if (waiting?.delete(entry) === true && waiting.size === 0) this.#waiting.delete(entry.session);
  }
}
