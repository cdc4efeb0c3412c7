import { SojournError } from "../errors/sojourn-error.js";
import { type NodeRef, parseSessionKey, type SessionKey } from "../names.js";
import type { RecordDraft, SessionRecord } from "../ports/directory.js";

/** What a compare-and-set did. */
export type RecordWrite =
  | { readonly outcome: "applied"; readonly record: SessionRecord; readonly previous: SessionRecord | null }
  | { readonly outcome: "conflict"; readonly current: SessionRecord | null };

const NO_KEYS: ReadonlySet<SessionKey> = new Set();

/** The records with an index by every ref they name. Records are frozen: they may be handed out. */
export class SessionRecords {
  readonly #records = new Map<SessionKey, SessionRecord>();
  readonly #named = new Map<NodeRef, Set<SessionKey>>();

  constructor(kept: Iterable<readonly [SessionKey, SessionRecord]>) {
    for (const [key, record] of kept) this.#put(key, freezeRecord(record, record.revision), null);
  }

  get(key: SessionKey): SessionRecord | null {
    return this.#records.get(key) ?? null;
  }

  /** Keys of the records whose present version names `ref`. */
  keysNaming(ref: NodeRef): ReadonlySet<SessionKey> {
    return this.#named.get(ref) ?? NO_KEYS;
  }

  /** Every ref that some record names. */
  namedRefs(): Iterable<NodeRef> {
    return this.#named.keys();
  }

  /**
   * Replaces the record when its revision is the expected one (0: there is none).
   * @throws SojournError `E_SESSION_KEY_INVALID`; `E_EPOCH_STALE` when the draft would take the epoch back, or would bring an
   * ended session back without a greater one
   */
  compareAndSet(key: SessionKey, expectedRevision: number, draft: RecordDraft): RecordWrite {
    const previous = this.#records.get(key) ?? null;
    if (previous === null) parseSessionKey(key);
    if ((previous?.revision ?? 0) !== expectedRevision) return { outcome: "conflict", current: previous };
    const least = previous === null ? 0 : previous.ended && !draft.ended ? previous.epoch + 1 : previous.epoch;
    if (!Number.isSafeInteger(draft.epoch) || draft.epoch < least) {
      throw new SojournError("E_EPOCH_STALE", `epoch ${draft.epoch} does not follow on ${previous?.epoch ?? 0} in ${key}`, {
        key,
        epoch: draft.epoch,
      });
    }
    const record = freezeRecord(draft, expectedRevision + 1);
    this.#put(key, record, previous);
    return { outcome: "applied", record, previous };
  }

  #put(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void {
    this.#records.set(key, record);
    const after = refsOf(record);
    if (previous !== null) {
      for (const ref of refsOf(previous)) {
        const keys = after.includes(ref) ? undefined : this.#named.get(ref);
        if (keys?.delete(key) && keys.size === 0) this.#named.delete(ref);
      }
    }
    for (const ref of after) {
      const keys = this.#named.get(ref);
      if (keys === undefined) this.#named.set(ref, new Set([key]));
      else keys.add(key);
    }
  }
}

/** Everybody a record names, each once. */
export function refsOf(record: SessionRecord): readonly NodeRef[] {
  const refs = [record.owner];
  for (const ref of record.inSync) if (!refs.includes(ref)) refs.push(ref);
  if (record.heir !== null && !refs.includes(record.heir)) refs.push(record.heir);
  return refs;
}

function freezeRecord(draft: RecordDraft, revision: number): SessionRecord {
  const { epoch, owner, inSync, heir, ended, strategy, stored, writer } = draft;
  return Object.freeze({ revision, epoch, owner, inSync: Object.freeze([...inSync]), heir, ended, strategy, stored, writer });
}
