import type {
  Clock,
  Lane,
  Limits,
  NodeRef,
  PeerMessage,
  PeerMessageOf,
  SendOutcome,
  SessionCell,
  SessionKey,
  StateCodec,
} from "@sojourn/core";
import { PeerRequests } from "./peer-requests.js";

/** What pulling needs from its node. */
export interface CachePullPorts {
  readonly clock: Clock;
  readonly limits: Limits;
  send(to: NodeRef, lane: Lane, message: PeerMessage): SendOutcome;
  codecOf(key: SessionKey): StateCodec | null;
  /** The session's cell, where there is a slot that has one. */
  cellOf(key: SessionKey): SessionCell | null;
}

/** Lazy cache entries stay where they were made: a later owner pulls them from there, as long as what is left of the session is kept. */
export class CachePulls {
  readonly #ports: CachePullPorts;
  readonly #requests: PeerRequests<PeerMessageOf<"cacheValue">>;
  /** Cells of sessions that left. */
  readonly #retained = new Map<SessionKey, SessionCell>();

  constructor(ports: CachePullPorts) {
    this.#ports = ports;
    this.#requests = new PeerRequests(ports.clock, ports.limits.offerTimeoutMs, "it keeps a cached value");
  }

  /** The entry that another node keeps, or undefined. */
  async pull(from: NodeRef, session: SessionKey, key: string): Promise<unknown> {
    const { send, codecOf } = this.#ports;
    const answer = await this.#requests.ask(from, (request) => {
      return send(from, "control", { t: "pullCache", session, request, key }) === "queued";
    });
    const codec = codecOf(session);
    if (answer.value === null || codec === null) return undefined;
    if (answer.table !== null) codec.importTable(answer.table);
    return codec.decode(answer.value);
  }

  answered(from: NodeRef, message: PeerMessageOf<"cacheValue">): void {
    // Kept beyond this call: the bytes of the frame are not.
    const value = message.value?.slice() ?? null;
    this.#requests.answered(from, message.request, { ...message, value, table: message.table?.slice() ?? null });
  }

  answer(from: NodeRef, { session, request, key }: PeerMessageOf<"pullCache">): void {
    const { send, codecOf, cellOf } = this.#ports;
    const value = (cellOf(session) ?? this.#retained.get(session))?.cachedValue(key);
    const codec = codecOf(session);
    const bytes = value === undefined || codec === null ? null : codec.encode(value);
    const need = bytes === null || codec === null ? null : codec.tableOf(bytes);
    const table = need === null || codec === null ? null : codec.exportTable(need);
    send(from, "control", { t: "cacheValue", session, request, value: bytes, table });
  }

  /** The session left; what is kept of it may be pulled for a while. */
  retain(key: SessionKey, cell: SessionCell): void {
    this.#retained.set(key, cell);
    this.#ports.clock.schedule(this.#ports.limits.replicaRetentionMs, () => {
      if (this.#retained.get(key) === cell) this.#retained.delete(key);
    });
  }

  stop(): void {
    this.#retained.clear();
    this.#requests.stop();
  }
}
