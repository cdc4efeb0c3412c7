import { type Clock, type DirectoryReply, type DirectoryRequest, type Limits, type Scheduled, SojournError } from "@sojourn/core";
import { problemError } from "./link.js";

/** What becomes of a request whose answer does not come. */
export type Risk =
  /** Changes nothing: it is sent again on the next connection, and failing it is `E_DIRECTORY_UNAVAILABLE`. */
  | "none"
  /** May be carried out twice without harm: it is sent again, but once sent its outcome is unknown until answered. */
  | "repeatable"
  /** Sent once only. */
  | "once";

interface Pending {
  readonly type: DirectoryRequest["t"];
  /** Made anew for each connection. */
  request(): DirectoryRequest;
  readonly risk: Risk;
  readonly dueAt: number;
  /** Queued on the present connection. */
  sent: boolean;
  /** Queued on any connection: it may have been carried out. */
  everSent: boolean;
  /** Takes an answer; true when it was the last. */
  take(reply: DirectoryReply): boolean;
  reject(error: SojournError): void;
}

/** The client's requests that are not answered yet, in the order they were made; all have the same time to be answered. */
export class Requests {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #send: (request: DirectoryRequest, urgent: boolean) => boolean;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #sweep: Scheduled | null = null;

  constructor(clock: Clock, limits: Limits, send: (request: DirectoryRequest, urgent: boolean) => boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#send = send;
  }

  /** Ids are shared with watches, so that one id never means two things. */
  nextId(): number {
    return this.#nextId++;
  }

  /**
   * Sends a request now or on the next connection.
   * @param take resolves with what it returns; undefined means that more answers follow
   */
  ask<T>(
    request: (id: number) => DirectoryRequest,
    risk: Risk,
    take: (reply: DirectoryReply) => { readonly value: T } | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= this.#limits.maxDirectoryRequests) {
        reject(new SojournError("E_DIRECTORY_UNAVAILABLE", "too many directory requests are under way"));
        return;
      }
      const id = this.nextId();
      const pending: Pending = {
        type: request(id).t,
        request: () => request(id),
        risk,
        dueAt: this.#clock.now() + this.#limits.directoryTimeoutMs,
        sent: false,
        everSent: false,
        reject,
        take: (reply) => {
          const done = take(reply);
          if (done !== undefined) resolve(done.value);
          return done !== undefined;
        },
      };
      this.#pending.set(id, pending);
      try {
        this.#trySend(pending);
      } catch (error) {
        this.#pending.delete(id);
        reject(error);
        return;
      }
      this.#sweep ??= this.#clock.schedule(this.#limits.directoryTimeoutMs, this.#onSweep);
    });
  }

  /** An answer came. One to a request that was given up already is ignored. */
  onReply(id: number, reply: DirectoryReply): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (reply.t === "refused") {
      this.#pending.delete(id);
      pending.reject(problemError(reply.code, reply.message));
    } else if (pending.take(reply)) this.#pending.delete(id);
  }

  /** A new connection stands. */
  onUp(): void {
    for (const [id, pending] of this.#pending) {
      try {
        this.#trySend(pending);
      } catch (error) {
        this.#pending.delete(id);
        pending.reject(error instanceof SojournError ? error : new SojournError("E_INTERNAL", undefined, {}, error));
      }
    }
  }

  /** The connection is gone, and with it what was sent on it. */
  onDown(error: SojournError): void {
    for (const [id, pending] of this.#pending) {
      if (!pending.sent) continue;
      pending.sent = false;
      if (pending.risk !== "once") continue;
      this.#pending.delete(id);
      this.#giveUp(pending, error);
    }
  }

  /** Gives up everything. */
  close(error: SojournError): void {
    this.#sweep?.cancel();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const one of pending) this.#giveUp(one, error);
  }

  #trySend(pending: Pending): void {
    if (pending.sent || !this.#send(pending.request(), pending.type === "renew")) return;
    pending.sent = true;
    pending.everSent = true;
  }

  #giveUp(pending: Pending, cause: SojournError): void {
    const unknown = pending.everSent && pending.risk !== "none";
    const code = unknown ? "E_DIRECTORY_UNKNOWN_OUTCOME" : "E_DIRECTORY_UNAVAILABLE";
    pending.reject(new SojournError(code, `${pending.type} was not answered: ${cause.message}`, {}, cause));
  }

  readonly #onSweep = (): void => {
    this.#sweep = null;
    const now = this.#clock.now();
    for (const [id, pending] of this.#pending) {
      if (pending.dueAt > now) {
        this.#sweep = this.#clock.schedule(pending.dueAt - now, this.#onSweep);
        return;
      }
      this.#pending.delete(id);
      this.#giveUp(pending, new SojournError("E_DIRECTORY_UNAVAILABLE", `no answer within ${this.#limits.directoryTimeoutMs} ms`));
    }
  };
}
