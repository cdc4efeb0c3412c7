import type { NodeRef, StateCodec } from "@sojourn/core";

/** Remembers how much of which structure table each peer has been sent over its present connection. */
export class KnownTables {
  readonly #peers = new Map<NodeRef, Map<string, number>>();

  /** The exported table when `bytes` rely on more of it than the peer was sent; null when nothing is missing. */
  missing(to: NodeRef, codec: StateCodec, bytes: readonly Uint8Array[]): Uint8Array | null {
    let need: { lineage: string; length: number } | null = null;
    for (const part of bytes) {
      const of = codec.tableOf(part);
      if (of !== null && (need === null || of.length > need.length)) need = of;
    }
    if (need === null) return null;
    let known = this.#peers.get(to);
    if (known === undefined) {
      known = new Map();
      this.#peers.set(to, known);
    }
    if ((known.get(need.lineage) ?? 0) >= need.length) return null;
    const table = codec.exportTable(need);
    if (table !== null) known.set(need.lineage, need.length);
    return table;
  }

  forget(peer: NodeRef): void {
    this.#peers.delete(peer);
  }
}
