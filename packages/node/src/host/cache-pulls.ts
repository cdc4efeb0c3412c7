import { type Clock, type Limits, type NodeRef, type PeerMessageOf, type SessionKey, SojournError } from "@sojourn/core";

interface Pull {
  readonly from: NodeRef;
  readonly resolve: (answer: PeerMessageOf<"cacheValue">) => void;
  readonly reject: (error: SojournError) => void;
  readonly cancel: () => void;
}

/** Requests for lazy cache entries that their old owner has kept. Each ends with an answer or an error within the offer's time limit. */
export class CachePulls {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #send: (to: NodeRef, session: SessionKey, request: number, key: string) => boolean;
  readonly #pulls = new Map<number, Pull>();
  #last = 0;

  constructor(clock: Clock, limits: Limits, send: (to: NodeRef, session: SessionKey, request: number, key: string) => boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#send = send;
  }

  /** @throws SojournError (rejects) `E_PEER_UNREACHABLE` */
  pull(from: NodeRef, session: SessionKey, key: string): Promise<PeerMessageOf<"cacheValue">> {
    return new Promise((resolve, reject) => {
      this.#last++;
      const request = this.#last;
      if (!this.#send(from, session, request, key)) {
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${from} keeps a cached value but cannot be reached`));
        return;
      }
      const timer = this.#clock.schedule(this.#limits.offerTimeoutMs, () => {
        this.#pulls.delete(request);
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${from} did not answer for a cached value`));
      });
      this.#pulls.set(request, { from, resolve, reject, cancel: () => timer.cancel() });
    });
  }

  answer(from: NodeRef, message: PeerMessageOf<"cacheValue">): void {
    const pull = this.#pulls.get(message.request);
    if (pull === undefined || pull.from !== from) return;
    this.#pulls.delete(message.request);
    pull.cancel();
    pull.resolve(message);
  }

  stop(): void {
    for (const pull of this.#pulls.values()) {
      pull.cancel();
      pull.reject(new SojournError("E_LEASE_ENDED"));
    }
    this.#pulls.clear();
  }
}
