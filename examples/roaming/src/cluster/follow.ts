import { errorCodeOf } from "@sojourn/core";

/** Moves one user's session to a node. Resolves with the blackout, or with null when the session was there already. */
export type MoveSession = (user: number, to: string) => Promise<number | null>;

/** Told how the moves go. */
export interface FollowListener {
  readonly moved: (user: number, to: string, blackoutMs: number) => void;
  /** The session runs where it ran. */
  readonly failed: (user: number, to: string, code: string) => void;
}

/**
 * The policy of the demonstration: a session goes where its user is. One move per session and so many in all at a time; when the user
 * has gone on meanwhile, only the latest place counts.
 */
export class Follow {
  readonly #move: MoveSession;
  readonly #listener: FollowListener;
  readonly #maxInFlight: number;
  /** Users whose sessions are to be moved as soon as there is room, in the order in which they set out. */
  readonly #waiting = new Set<number>();
  readonly #wanted = new Map<number, string>();
  readonly #moving = new Map<number, Promise<void>>();
  #stopped = false;

  constructor(move: MoveSession, maxInFlight: number, listener: FollowListener) {
    this.#move = move;
    this.#maxInFlight = maxInFlight;
    this.#listener = listener;
  }

  get inFlight(): number {
    return this.#moving.size;
  }

  /** The user's nearest node is this one now. */
  want(user: number, node: string): void {
    this.#wanted.set(user, node);
    if (!this.#moving.has(user)) this.#waiting.add(user);
    this.#start();
  }

  #start(): void {
    for (const user of this.#waiting) {
      if (this.#stopped || this.#moving.size >= this.#maxInFlight) return;
      this.#waiting.delete(user);
      const following = this.#follow(user).finally(() => {
        this.#moving.delete(user);
        this.#start();
      });
      this.#moving.set(user, following);
    }
  }

  async #follow(user: number): Promise<void> {
    const to = this.#wanted.get(user);
    if (to === undefined) return;
    try {
      const blackoutMs = await this.#move(user, to);
      if (blackoutMs !== null) this.#listener.moved(user, to, blackoutMs);
    } catch (error) {
      this.#listener.failed(user, to, errorCodeOf(error));
    }
    if (this.#wanted.get(user) !== to) this.#waiting.add(user);
  }

  /** Starts no more moves and waits for those under way until `patience` resolves. Returns how many have not ended by then. */
  async stop(patience: Promise<void>): Promise<number> {
    this.#stopped = true;
    await Promise.race([Promise.all(this.#moving.values()), patience]);
    return this.#moving.size;
  }
}
