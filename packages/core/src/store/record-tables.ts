import type { StateCodec, TableNeed } from "../ports/codec.js";

/**
 * Which structure tables the records of a log since its last base have brought. A record brings what its deltas rely on and no earlier one
 * since that base did: then each base, also an older one that a reader falls back to, leads on with the records after it.
 */
export class RecordTables {
  readonly #brought = new Map<string, number>();

  /** A base was taken: what comes after it stands on its own. */
  clear(): void {
    this.#brought.clear();
  }

  /** How many of the deltas, from the first on, rely on one table at most; a record brings one. */
  fitting(codec: StateCodec, deltas: readonly Uint8Array[]): { readonly count: number; readonly need: TableNeed | null } {
    let need: TableNeed | null = null;
    for (const [i, delta] of deltas.entries()) {
      const of = codec.tableOf(delta);
      if (of === null) continue;
      if (need !== null && need.lineage !== of.lineage) return { count: i, need };
      if (need === null || of.length > need.length) need = of;
    }
    return { count: deltas.length, need };
  }

  /** The table to go with a record; `unknown` when it is not known here any more. */
  missing(codec: StateCodec, need: TableNeed | null): Uint8Array | null | "unknown" {
    if (need === null || (this.#brought.get(need.lineage) ?? 0) >= need.length) return null;
    return codec.exportTable(need) ?? "unknown";
  }

  /** The store has a record with this table. */
  brought(need: TableNeed | null): void {
    if (need !== null) this.#brought.set(need.lineage, Math.max(need.length, this.#brought.get(need.lineage) ?? 0));
  }
}
