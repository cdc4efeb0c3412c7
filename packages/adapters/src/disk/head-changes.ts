import type { SessionHead } from "@sojourn/core";
import type { HeadRow, SessionRows } from "./session-rows.js";

/** A change of a head that is under way. */
export interface HeadChange {
  readonly session: string;
  /** The head as it will be once it is committed. */
  readonly row: HeadRow;
  /** Whether it came to be. Rejects with LMDB's own error: for `committed`. */
  readonly write: Promise<boolean>;
  /** The same for all that build on each other: when one fails, so do all after it. */
  readonly chain: object;
}

/**
 * Changes of sessions' heads. Those of one session do not wait for each other: each is judged on the head that the one before will leave,
 * and fails with it. Whoever begins one says how it ended.
 */
export class HeadChanges {
  readonly #rows: SessionRows;
  /** The last one under way of each session. */
  readonly #last = new Map<string, HeadChange>();

  constructor(rows: SessionRows) {
    this.#rows = rows;
  }

  /** The head that the next change is judged on. */
  headOf(session: string): HeadRow {
    return this.#last.get(session)?.row ?? this.#rows.head(session);
  }

  /** The change that the next one builds on. */
  last(session: string): HeadChange | undefined {
    return this.#last.get(session);
  }

  /** Writes a head that was accepted on `from`, with what belongs to it, if `from` is still the head then. */
  begin(session: string, from: HeadRow, head: SessionHead, also: () => void): HeadChange {
    const version = this.#rows.nextVersion();
    const write = this.#rows.change(session, from.version, head, version, also);
    const change: HeadChange = { session, row: { head, version }, write, chain: this.#last.get(session)?.chain ?? {} };
    this.#last.set(session, change);
    return change;
  }

  /** @param done whether it came to be; if not, others were judged on a head that never was, and the next one is read anew */
  ended(change: HeadChange, done: boolean): void {
    const last = this.#last.get(change.session);
    if (last === change || (!done && last?.chain === change.chain)) this.#last.delete(change.session);
    if (!done) this.#rows.refresh();
  }
}
