/**
 * Turns plain data into bytes and back. Contract: `decode(encode(v))` is `v` to the last bit for every travellable value
 * (see state/plain.ts), and anything else is refused with `E_UNTRAVELLABLE`, never lost. Encoded bytes may rely on a table of
 * structures; the table's owner is the encoding process. Damaged bytes give `E_CODEC_CORRUPT` or a wrong value: callers check a
 * checksum first.
 */
export interface StateCodec {
  /**
   * The bytes are the caller's to keep. Of a typed array that `apart` names only its number is written: its elements travel by
   * themselves, and `decode` is given them.
   */
  encode(value: unknown, apart?: ReadonlyMap<object, number>): Uint8Array;
  /**
   * `apart` are the bytes of the arrays that were kept apart, by number; each has a buffer of its own, which becomes the value's.
   * @throws SojournError `E_CODEC_TABLE_UNKNOWN` when `missingTable(bytes)` is not null, `E_CODEC_CORRUPT` when damaged.
   */
  decode(bytes: Uint8Array, apart?: readonly Uint8Array<ArrayBuffer>[]): unknown;
  /** Which part of which table the bytes rely on; null when they stand alone. */
  tableOf(bytes: Uint8Array): TableNeed | null;
  /** What of that is not known here; null when `decode` can go ahead. */
  missingTable(bytes: Uint8Array): TableNeed | null;
  /** The table with at least the needed length (longer is fine), self-describing, or null when it is not known here. */
  exportTable(need: TableNeed): Uint8Array | null;
  /** Learns an exported table; one that is already known or shorter changes nothing. @throws `E_CODEC_CORRUPT` */
  importTable(table: Uint8Array): void;
}

/** A prefix of an append-only table: `lineage` names the table (unique over processes), `length` how much of it. */
export interface TableNeed {
  readonly lineage: string;
  readonly length: number;
}
