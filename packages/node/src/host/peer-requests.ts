import { type Clock, type NodeRef, SojournError } from "@sojourn/core";

interface Pending<A> {
  readonly to: NodeRef;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: SojournError) => void;
  readonly cancel: () => void;
}

/** Questions to other nodes of one sort, told apart by number. Each ends with its answer or with an error within a time limit. */
export class PeerRequests<A> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #unanswered: string;
  readonly #pending = new Map<number, Pending<A>>();
  #last = 0;

  /** @param unanswered what it means that a node did not answer in time, for the error's text */
  constructor(clock: Clock, timeoutMs: number, unanswered: string) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#unanswered = unanswered;
  }

  /**
   * @param send sends the question with this number; false when the node cannot be reached
   * @throws SojournError (rejects) `E_PEER_UNREACHABLE`, also as soon as the other node's life ends, or `E_LEASE_ENDED` when this node's life ends first
   */
  ask(to: NodeRef, send: (request: number) => boolean): Promise<A> {
    return new Promise((resolve, reject) => {
      this.#last++;
      const request = this.#last;
      if (!send(request)) {
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${to} cannot be reached`));
        return;
      }
      const timer = this.#clock.schedule(this.#timeoutMs, () => {
        this.#pending.delete(request);
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${to} did not answer; ${this.#unanswered}`));
      });
      this.#pending.set(request, { to, resolve, reject, cancel: () => timer.cancel() });
    });
  }

  /** An answer counts only from the node that was asked. */
  answered(from: NodeRef, request: number, answer: A): void {
    const pending = this.#pending.get(request);
    if (pending === undefined || pending.to !== from) return;
    this.#pending.delete(request);
    pending.cancel();
    pending.resolve(answer);
  }

  /** A node's life is over: nothing that was asked of it is answered any more. */
  ended(ref: NodeRef): void {
    for (const [request, pending] of this.#pending) {
      if (pending.to !== ref) continue;
      this.#pending.delete(request);
      pending.cancel();
      pending.reject(new SojournError("E_PEER_UNREACHABLE", `the lease of node ${ref} has ended; ${this.#unanswered}`));
    }
  }

  stop(): void {
    for (const pending of this.#pending.values()) {
      pending.cancel();
      pending.reject(new SojournError("E_LEASE_ENDED"));
    }
    this.#pending.clear();
  }
}
