import { type Clock, type Limits, type NodeRef, SojournError } from "@sojourn/core";

interface Asked {
  readonly to: NodeRef;
  readonly resolve: (answer: string) => void;
  readonly reject: (error: SojournError) => void;
  readonly cancel: () => void;
}

/** Operators' commands that are passed on to other nodes. Each ends with an answer or an error. */
export class Commands {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #send: (to: NodeRef, request: number, body: string) => boolean;
  readonly #asked = new Map<number, Asked>();
  #last = 0;

  constructor(clock: Clock, limits: Limits, send: (to: NodeRef, request: number, body: string) => boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#send = send;
  }

  /** @throws SojournError (rejects) `E_PEER_UNREACHABLE` */
  ask(to: NodeRef, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#last++;
      const request = this.#last;
      if (!this.#send(to, request, body)) {
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${to} cannot be reached`));
        return;
      }
      const timer = this.#clock.schedule(this.#limits.commandTimeoutMs, () => {
        this.#asked.delete(request);
        reject(new SojournError("E_PEER_UNREACHABLE", `node ${to} did not answer; the command may have been carried out`));
      });
      this.#asked.set(request, { to, resolve, reject, cancel: () => timer.cancel() });
    });
  }

  answered(from: NodeRef, request: number, body: string): void {
    const asked = this.#asked.get(request);
    if (asked === undefined || asked.to !== from) return;
    this.#asked.delete(request);
    asked.cancel();
    asked.resolve(body);
  }

  stop(): void {
    for (const asked of this.#asked.values()) {
      asked.cancel();
      asked.reject(new SojournError("E_LEASE_ENDED"));
    }
    this.#asked.clear();
  }
}
