import type { ClientSocket, SessionKey } from "@sojourn/core";

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
}

/** The sockets of one ingress, found by number, by session and by link. */
export class ClientSockets {
  readonly #byId = new Map<number, ClientEntry>();
  readonly #bySession = new Map<SessionKey, Map<string, ClientEntry>>();
  #lastId = 0;

  get count(): number {
    return this.#byId.size;
  }

  /** `toldEpoch`: the newest owner that the client has heard of, 0 when it is new. */
  add(socket: ClientSocket, session: SessionKey, link: string, toldEpoch: number): ClientEntry {
    this.#lastId++;
    const entry = { id: this.#lastId, socket, session, link, generation: 0, toldEpoch };
    this.#byId.set(entry.id, entry);
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

  /** Sessions that have a welcomed socket here. */
  get liveSessions(): Iterable<SessionKey> {
    return this.#bySession.keys();
  }

  /** Sockets that wait for their welcome. */
  *waitingOf(session: SessionKey): Iterable<ClientEntry> {
    for (const entry of this.#byId.values()) if (entry.session === session && entry.generation === 0) yield entry;
  }

  all(): Iterable<ClientEntry> {
    return this.#byId.values();
  }

  /** Marks a socket as welcomed. @returns the socket that it replaces on this ingress */
  welcome(entry: ClientEntry, generation: number): ClientEntry | null {
    entry.generation = generation;
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
    const links = this.#bySession.get(entry.session);
    if (links?.get(entry.link) !== entry) return;
    links.delete(entry.link);
    if (links.size === 0) this.#bySession.delete(entry.session);
  }
}
