import type { ConnectionOptions } from "node:tls";
import {
  type CasOutcome,
  type Clock,
  type Crc32,
  type Directory,
  type DirectoryReply,
  type Limits,
  type NodeEntry,
  type NodeInfo,
  type NodeRef,
  type Random,
  type RecordDraft,
  type RenewalSource,
  type SessionKey,
  type SessionRecord,
  SojournError,
} from "@sojourn/core";
import { TickFlusher } from "../channel/tick-flusher.js";
import type { FrameSocketIo } from "./frame-socket.js";
import { DirectoryLink, isLasting, problemError } from "./link.js";
import { Requests } from "./requests.js";
import { NodeWatch, RecordWatch, type Watch } from "./watches.js";

/** What a directory client runs on. */
export interface DirectoryClientOptions {
  /** `host:port` of a directory server. */
  readonly endpoint: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  readonly crc32: Crc32;
  /** With these the client speaks TLS. */
  readonly tls?: ConnectionOptions;
  /** The server refuses this client, or a watch's listener threw. Connecting goes on. */
  readonly onProblem?: (error: SojournError) => void;
}

/** What a second connection to the same directory needs, in another thread. */
export type RenewalOptions = Pick<DirectoryClientOptions, "endpoint" | "limits" | "tls">;

/**
 * The directory over a connection that is made again whenever it is lost. Requests wait for a connection until their time is
 * over; reads and renewals that lost their connection are sent again on the next, changes are not.
 * @throws SojournError `E_CONFIG_INVALID` when the endpoint is not `host:port`
 */
export function connectDirectory(options: DirectoryClientOptions): Directory {
  return new DirectoryClient(options);
}

/** Loaded by the thread that renews the lease, so it is named and not imported. */
const RENEWALS = new URL("./renewals.js", import.meta.url).href;

class DirectoryClient implements Directory {
  readonly renewals: RenewalSource | null;
  readonly #clock: Clock;
  readonly #retryMs: number;
  readonly #link: DirectoryLink;
  readonly #requests: Requests;
  readonly #watches = new Map<number, Watch>();
  readonly #onProblem: (error: SojournError) => void;
  #closed = false;

  constructor(options: DirectoryClientOptions) {
    this.#onProblem = options.onProblem ?? (() => {});
    const { clock, limits } = options;
    this.renewals = renewalsOf(options);
    const io: FrameSocketIo = {
      crc32: options.crc32,
      clock,
      flusher: new TickFlusher(),
      lingerMs: limits.peerConnectTimeoutMs,
      maxSentBytes: limits.maxDirectoryRequestBytes,
      maxReceivedBytes: limits.maxPeerFrameBytes,
    };
    this.#clock = clock;
    this.#retryMs = limits.directoryRetryMs;
    this.#requests = new Requests(clock, limits, (request, urgent) => this.#link.send(request, urgent));
    this.#link = new DirectoryLink(options, io, {
      onUp: () => this.#onUp(),
      onReply: (reply) => this.#onReply(reply),
      onDown: (error) => {
        if (isLasting(error)) this.#onProblem(error);
        this.#requests.onDown(error);
      },
    });
  }

  register(info: NodeInfo, ttlMs: number): Promise<NodeRef> {
    return this.#ask(
      "once",
      (id) => ({ t: "register", id, info, ttlMs }),
      (reply) => (reply.t === "registered" ? { value: reply.ref } : null),
    );
  }

  renew(ref: NodeRef): Promise<"renewed" | "ended"> {
    return this.#ask(
      "repeatable",
      (id) => ({ t: "renew", id, ref }),
      (reply) => (reply.t === "renewed" ? { value: reply.result } : null),
    );
  }

  update(ref: NodeRef, info: NodeInfo): Promise<void> {
    return this.#ask(
      "once",
      (id) => ({ t: "update", id, ref, info }),
      (reply) => (reply.t === "done" ? { value: undefined } : null),
    );
  }

  resign(ref: NodeRef): Promise<void> {
    return this.#ask(
      "repeatable",
      (id) => ({ t: "resign", id, ref }),
      (reply) => (reply.t === "done" ? { value: undefined } : null),
    );
  }

  read(key: SessionKey): Promise<SessionRecord | null> {
    return this.#ask(
      "none",
      (id) => ({ t: "read", id, key }),
      (reply) => (reply.t === "record" ? { value: reply.record } : null),
    );
  }

  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): Promise<CasOutcome> {
    return this.#ask<CasOutcome>(
      "once",
      (id) => ({ t: "compareAndSet", id, key, expectedRevision, draft }),
      (reply) => {
        if (reply.t === "applied") return { value: { outcome: "applied", revision: reply.revision } };
        return reply.t === "conflict" ? { value: { outcome: "conflict", current: reply.current } } : null;
      },
    );
  }

  listRecords(ref: NodeRef): Promise<ReadonlyMap<SessionKey, SessionRecord>> {
    const found = new Map<SessionKey, SessionRecord>();
    return this.#ask(
      "none",
      (id) => {
        // Asked again on a new connection, it starts again.
        found.clear();
        return { t: "listRecords", id, ref };
      },
      (reply) => {
        if (reply.t !== "someRecords" && reply.t !== "lastRecords") return null;
        for (const { key, record } of reply.records) found.set(key, record);
        return reply.t === "lastRecords" ? { value: found } : undefined;
      },
    );
  }

  watchRecords(ref: NodeRef, listener: (key: SessionKey, record: SessionRecord) => void): () => void {
    const watch: RecordWatch = new RecordWatch(ref, listener, (key) => this.#catchUp(id, watch, key));
    const id = this.#watch(watch);
    return () => this.#unwatch(id);
  }

  watchNodes(listener: (entry: NodeEntry) => void): () => void {
    const id = this.#watch(new NodeWatch(listener));
    return () => this.#unwatch(id);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watches.clear();
    this.#link.close();
    this.#requests.close(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory client is closed"));
  }

  #ask<T>(
    risk: "none" | "repeatable" | "once",
    request: Parameters<Requests["ask"]>[0],
    take: (reply: DirectoryReply) => { readonly value: T } | undefined | null,
  ): Promise<T> {
    if (this.#closed) return Promise.reject(new SojournError("E_DIRECTORY_UNAVAILABLE", "the directory client is closed"));
    return this.#requests.ask(request, risk, (reply) => {
      const taken = take(reply);
      if (taken === null) throw new SojournError("E_FRAME_MALFORMED", `${reply.t} does not answer the request`);
      return taken;
    });
  }

  /** Reads a record that may have changed while the watch was interrupted, for as long as it takes. */
  #catchUp(id: number, watch: RecordWatch, key: SessionKey): void {
    if (!this.#watches.has(id)) return;
    this.read(key).then(
      (record) => {
        if (record !== null && this.#watches.has(id)) this.#tell(() => watch.onRecord(key, record));
      },
      () => void this.#clock.schedule(this.#retryMs, () => this.#catchUp(id, watch, key)),
    );
  }

  #watch(watch: Watch): number {
    const id = this.#requests.nextId();
    if (this.#closed) return id;
    this.#watches.set(id, watch);
    if (this.#link.isUp) this.#link.send(watch.request(id));
    return id;
  }

  #unwatch(id: number): void {
    if (this.#watches.delete(id)) this.#link.send({ t: "unwatch", id });
  }

  #onUp(): void {
    for (const [id, watch] of this.#watches) this.#link.send(watch.request(id));
    this.#requests.onUp();
  }

  #onReply(reply: Exclude<DirectoryReply, { t: "welcome" | "problem" }>): void {
    switch (reply.t) {
      case "recordChanged":
        this.#tell(() => this.#watches.get(reply.id)?.onRecord(reply.key, reply.record));
        break;
      case "nodeChanged":
        this.#tell(() => this.#watches.get(reply.id)?.onNode(reply.entry));
        break;
      case "replayed":
        this.#watches.get(reply.id)?.onReplayed();
        break;
      case "refused":
        if (this.#watches.has(reply.id)) this.#onProblem(problemError(reply.code, reply.message));
        else this.#requests.onReply(reply.id, reply);
        break;
      default:
        this.#requests.onReply(reply.id, reply);
    }
  }

  /** A listener's defect must not end the connection for everybody else. */
  #tell(tell: () => void): void {
    try {
      tell();
    } catch (cause) {
      this.#onProblem(new SojournError("E_INTERNAL", "a directory watch's listener threw", {}, cause));
    }
  }
}

/** TLS options can hold functions and contexts, which no other thread can be given. */
function renewalsOf({ endpoint, limits, tls }: DirectoryClientOptions): RenewalSource | null {
  try {
    const options: RenewalOptions = structuredClone({ endpoint, limits, ...(tls && { tls }) });
    return { module: RENEWALS, options };
  } catch {
    return null;
  }
}
