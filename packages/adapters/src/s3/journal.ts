import type { AppendOutcome, BaseHead, DamagedRecord, Judged, LogRecord, Position, SessionHead, StaleWrite } from "@sojourn/core";

/** A record with its stored form. */
export interface Encoded {
  readonly record: LogRecord;
  readonly bytes: Uint8Array;
}

/** What of a session is kept, as of one moment. */
export interface Contents {
  readonly head: SessionHead;
  readonly bases: readonly (Pick<Position, "epoch" | "version"> & { readonly key: string })[];
  readonly records: readonly (LogRecord | DamagedRecord)[];
}

/** What to remove; `records` says which of them go. */
export interface Removal {
  readonly bases: Contents["bases"];
  readonly records: (at: Pick<Position, "epoch" | "version">) => boolean;
}

/**
 * How writes of one session are put in order and fenced on a server that knows only objects. Calls for one session come one after
 * another; a base's object is uploaded before it is committed.
 */
export interface Journal {
  fence(session: string, epoch: number): Promise<Judged<StaleWrite>>;
  /** What a write of this epoch would meet now: a newer one, or null. */
  overtaken(session: string, epoch: number): Promise<StaleWrite | null>;
  /** The key under which a base is uploaded. */
  baseKey(session: string, base: BaseHead): string;
  /** Makes an uploaded object a base, unless it is stale. */
  commitBase(session: string, base: BaseHead, key: string): Promise<Judged<StaleWrite>>;
  /** Records of one epoch. */
  append(session: string, records: readonly Encoded[]): Promise<readonly AppendOutcome[]>;
  remove(session: string, epoch: number): Promise<Judged<StaleWrite>>;
  forget(session: string): Promise<{ readonly outcome: "forgotten" | "kept" }>;
  contents(session: string): Promise<Contents>;
  /** The number of records that went. */
  removeParts(session: string, removal: Removal): Promise<number>;
}
