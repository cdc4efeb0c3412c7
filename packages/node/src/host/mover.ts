import { type MoveReport, type NodeRef, type SessionKey, SojournError } from "@sojourn/core";
import type { Host } from "./host.js";

/** How one session of a batch fared. */
export type MoveOutcome =
  | { readonly session: SessionKey; readonly moved: true; readonly report: MoveReport }
  | { readonly session: SessionKey; readonly moved: false; readonly error: SojournError };

/** Starts hand-overs from this node, at most `maxMovesInFlight` at a time. Each session has its own outcome. */
export class Mover {
  readonly #host: Host;
  readonly #waiting: (() => void)[] = [];
  #inFlight = 0;
  #moved = 0;
  #failed = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get inFlight(): number {
    return this.#inFlight;
  }
  get moved(): number {
    return this.#moved;
  }
  get failed(): number {
    return this.#failed;
  }

  /**
   * Moves one session that this node owns.
   * @throws SojournError (rejects) `E_NOT_OWNER`, `E_MOVE_REFUSED`, `E_MOVE_FAILED`, `E_MOVE_BUSY`, `E_NODE_CORDONED`; the session runs here then
   */
  move(session: SessionKey, to: NodeRef): Promise<MoveReport> {
    return new Promise((resolve, reject) => {
      const start = () => this.#start(session, to, resolve, reject);
      if (this.#inFlight < this.#host.limits.maxMovesInFlight) start();
      else this.#waiting.push(start);
    });
  }

  /** Moves many; one that fails does not hold back the others. */
  moveAll(moves: readonly { readonly session: SessionKey; readonly to: NodeRef }[]): Promise<MoveOutcome[]> {
    return Promise.all(
      moves.map(async ({ session, to }): Promise<MoveOutcome> => {
        try {
          return { session, moved: true, report: await this.move(session, to) };
        } catch (error) {
          return {
            session,
            moved: false,
            error: error instanceof SojournError ? error : new SojournError("E_INTERNAL", undefined, {}, error),
          };
        }
      }),
    );
  }

  #start(session: SessionKey, to: NodeRef, resolve: (report: MoveReport) => void, reject: (error: SojournError) => void): void {
    const slot = this.#host.slots.get(session);
    const owner = slot?.owner ?? null;
    if (slot === undefined || owner === null) {
      reject(new SojournError("E_NOT_OWNER", `this node does not own ${session}`));
      this.#next();
      return;
    }
    if (owner.movingTo !== null) {
      reject(new SojournError("E_MOVE_BUSY"));
      this.#next();
      return;
    }
    if (to === this.#host.self) {
      reject(new SojournError("E_MOVE_REFUSED", "the session is already there"));
      this.#next();
      return;
    }
    this.#inFlight++;
    slot.move(to, {
      moved: (report) => {
        this.#moved++;
        this.#inFlight--;
        resolve(report);
        this.#next();
      },
      failed: (code, message) => {
        this.#failed++;
        this.#inFlight--;
        reject(new SojournError(code, message));
        this.#next();
      },
    });
  }

  #next(): void {
    if (this.#inFlight < this.#host.limits.maxMovesInFlight) this.#waiting.shift()?.();
  }
}
