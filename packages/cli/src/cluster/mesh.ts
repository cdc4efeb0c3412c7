import { SojournError } from "@sojourn/core";

/** Who among the nodes of a cluster has a connection to whom, as they tell it themselves. */
export class Mesh {
  readonly #ups = new Map<string, Set<string>>();
  readonly #waiting = new Set<() => void>();

  /** A node says that its connection to another stands. */
  up(id: string, peer: string): void {
    const known = this.#ups.get(id);
    if (known === undefined) this.#ups.set(id, new Set([peer]));
    else known.add(peer);
    this.changed();
  }

  /** The process of a node has ended, and its connections with it. */
  ended(id: string): void {
    this.#ups.delete(id);
    for (const known of this.#ups.values()) known.delete(id);
    this.changed();
  }

  /** What others wait for may have come about. */
  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  /**
   * Waits until a node and all others that run have a connection both ways.
   * @param others asked anew at each change
   * @throws SojournError (rejects) `E_PEER_UNREACHABLE` when that takes too long
   */
  connected(id: string, others: () => readonly string[], timeoutMs: number): Promise<void> {
    const has = (from: string, to: string) => this.#ups.get(from)?.has(to) === true;
    const missing = () => others().find((other) => !has(id, other) || !has(other, id));
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        action();
      };
      const look = () => {
        if (missing() === undefined) settle(resolve);
      };
      const timer = setTimeout(() => {
        const message = `${id} and ${missing()} did not connect within ${timeoutMs} ms`;
        settle(() => reject(new SojournError("E_PEER_UNREACHABLE", message)));
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}
