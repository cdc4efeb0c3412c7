import type { Socket } from "node:net";
import {
  DIRECTORY_MAGIC,
  DIRECTORY_PROTOCOL,
  type DirectoryEngine,
  type DirectoryReply,
  type DirectoryRequest,
  decodeDirectoryRequest,
  type Limits,
  type SessionRecord,
  SojournError,
  writeDirectoryReply,
} from "@sojourn/core";
import { FrameSocket, type FrameSocketIo, type FrameSocketUser } from "./frame-socket.js";

type Keyed = { readonly key: string; readonly record: SessionRecord };

/** Serves one client's requests and watches from the engine. */
export class ServerConnection implements FrameSocketUser {
  readonly #engine: DirectoryEngine;
  readonly #limits: Limits;
  readonly #frames: FrameSocket;
  readonly #onGone: (connection: ServerConnection, error: SojournError) => void;
  readonly #watches = new Map<number, () => void>();
  #greeted = false;
  #underWay = 0;
  #paused = false;

  constructor(
    engine: DirectoryEngine,
    limits: Limits,
    io: FrameSocketIo,
    socket: Socket,
    onGone: (connection: ServerConnection, error: SojournError) => void,
  ) {
    this.#engine = engine;
    this.#limits = limits;
    this.#onGone = onGone;
    this.#frames = new FrameSocket(io, socket, this);
  }

  /** True once the client has said which protocol it speaks. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Tells the client why and closes. */
  refuse(error: SojournError): void {
    this.onBadFrame(error);
    this.#frames.end(error);
  }

  /** Closes at once. */
  destroy(error: SojournError): void {
    this.#frames.destroy(error);
  }

  onBadFrame(error: SojournError): void {
    this.#reply({ t: "problem", code: error.code, message: error.message });
  }

  onClosed(error: SojournError): void {
    for (const stop of this.#watches.values()) stop();
    this.#watches.clear();
    this.#onGone(this, error);
  }

  onFrame(frame: Uint8Array): void {
    const request = decodeDirectoryRequest(frame);
    if (request.t === "hello") this.#greet(request.magic, request.protocol);
    else if (!this.#greeted) throw new SojournError("E_FRAME_MALFORMED", "the first frame must be a hello");
    else this.#handle(request);
  }

  #greet(magic: string, protocol: number): void {
    if (magic !== DIRECTORY_MAGIC) throw new SojournError("E_FRAME_MALFORMED", "not a client of a Sojourn directory");
    if (protocol !== DIRECTORY_PROTOCOL) {
      throw new SojournError("E_PROTOCOL_VERSION", `this directory speaks version ${DIRECTORY_PROTOCOL}, not ${protocol}`);
    }
    this.#greeted = true;
    this.#reply({ t: "welcome", protocol: DIRECTORY_PROTOCOL });
  }

  #handle(request: Exclude<DirectoryRequest, { t: "hello" }>): void {
    const engine = this.#engine;
    const { id } = request;
    switch (request.t) {
      case "renew":
        engine.renew(
          request.ref,
          this.#answer(id, (result) => ({ t: "renewed", id, result })),
        );
        break;
      case "compareAndSet":
        engine.compareAndSet(
          request.key,
          request.expectedRevision,
          request.draft,
          this.#answer(id, (result) =>
            result.outcome === "applied" ? { t: "applied", id, revision: result.revision } : { t: "conflict", id, current: result.current },
          ),
        );
        break;
      case "read":
        engine.read(
          request.key,
          this.#answer(id, (record) => ({ t: "record", id, record })),
        );
        break;
      case "register":
        engine.register(
          request.info,
          request.ttlMs,
          this.#answer(id, (ref) => ({ t: "registered", id, ref })),
        );
        break;
      case "update":
        engine.update(
          request.ref,
          request.info,
          this.#answer(id, () => ({ t: "done", id })),
        );
        break;
      case "resign":
        engine.resign(
          request.ref,
          this.#answer(id, () => ({ t: "done", id })),
        );
        break;
      case "listRecords":
        engine.listRecords(
          request.ref,
          this.#answer(id, (records) => this.#list(id, records)),
        );
        break;
      case "watchRecords":
        this.#watch(id, () =>
          engine.watchRecords(
            request.ref,
            (key, record) => this.#event({ t: "recordChanged", id, key, record }),
            () => this.#event({ t: "replayed", id }),
          ),
        );
        break;
      case "watchNodes":
        this.#watch(id, () =>
          engine.watchNodes(
            (entry) => this.#event({ t: "nodeChanged", id, entry }),
            () => this.#event({ t: "replayed", id }),
          ),
        );
        break;
      case "unwatch":
        this.#watches.get(id)?.();
        this.#watches.delete(id);
        break;
      case "ping":
        this.#reply({ t: "done", id });
        break;
    }
  }

  #watch(id: number, start: () => () => void): void {
    if (this.#watches.has(id)) throw new SojournError("E_FRAME_MALFORMED", `watch ${id} is open already`);
    if (this.#watches.size >= this.#limits.maxDirectoryWatches) {
      this.#refused(id, new SojournError("E_QUEUE_FULL", "too many watches on this connection"));
      return;
    }
    this.#watches.set(id, start());
  }

  /** Counts the request until it is answered. A client with too many under way is not read until half are answered. */
  #answer<T>(id: number, toReply: (result: T) => DirectoryReply): (result: T | SojournError) => void {
    this.#underWay++;
    if (this.#underWay >= this.#limits.maxDirectoryRequests && !this.#paused) {
      this.#paused = true;
      this.#frames.socket.pause();
    }
    return (result) => {
      this.#underWay--;
      if (this.#paused && this.#underWay <= this.#limits.maxDirectoryRequests / 2) {
        this.#paused = false;
        this.#frames.socket.resume();
      }
      if (result instanceof SojournError) this.#refused(id, result);
      else this.#reply(toReply(result), result === "renewed");
    };
  }

  #refused(id: number, error: SojournError): void {
    this.#reply({ t: "refused", id, code: error.code, message: error.message });
  }

  /** Sends all parts but the last, which it returns. */
  #list(id: number, all: ReadonlyMap<string, SessionRecord>): DirectoryReply {
    let part: Keyed[] = [];
    let bytes = 0;
    for (const [key, record] of all) {
      const more = longestBytes(key, record);
      if (part.length > 0 && bytes + more > this.#limits.maxPeerFrameBytes / 2) {
        this.#reply({ t: "someRecords", id, records: part });
        part = [];
        bytes = 0;
      }
      part.push({ key, record });
      bytes += more;
    }
    return { t: "lastRecords", id, records: part };
  }

  /** A watcher that does not keep up is cut off: it connects again and gets the present state, instead of a backlog. */
  #event(event: DirectoryReply): void {
    if (this.#frames.queuedBytes > this.#limits.maxSocketBacklogBytes) {
      this.#frames.destroy(new SojournError("E_QUEUE_FULL", "the client does not read its events"));
      return;
    }
    this.#reply(event);
  }

  #reply(reply: DirectoryReply, urgent = false): void {
    try {
      this.#frames.send((writer) => writeDirectoryReply(writer, reply), urgent);
    } catch (error) {
      // Bounds were set so that a stored record does not fit an answer. The engine that answers must not suffer for it.
      if (!(error instanceof SojournError)) throw error;
      this.#frames.destroy(error);
    }
  }
}

/** At least as many bytes as the record takes in a frame: UTF-8 needs at most three for each UTF-16 unit. */
function longestBytes(key: string, record: SessionRecord): number {
  let units = key.length + record.owner.length + record.writer.length + (record.heir?.length ?? 0);
  for (const ref of record.inSync) units += ref.length + 2;
  return 64 + 3 * units;
}
