import { decodeUtf8, encodeUtf8 } from "../bytes/utf8.js";
import { SojournError } from "../errors/sojourn-error.js";
import type { StateCodec, TableNeed } from "../ports/codec.js";
import { Lineages, sameBytes } from "./lineages.js";
import { MAX_SHAPE_KEYS, ShapeTable } from "./shape-table.js";
import { type Shapes, ValueDecoder } from "./value-decoder.js";
import { ValueEncoder } from "./value-encoder.js";

/** What a codec is made of; the bounds are those of the limits of the same names. */
export interface RecordCodecOptions {
  /** Names this codec's table: unique over all processes and starts, 1–255 bytes of UTF-8. */
  readonly lineage: string;
  readonly maxSharedShapes: number;
  readonly maxCodecLineages: number;
  /** For the whole encoded value: what wraps the state counts too. */
  readonly maxDepth: number;
}

/** First byte: a value that stands alone. The value follows. */
const ALONE = 1;
/** First byte: a value with shapes. Length of the lineage, lineage, needed length (16 bits, little-endian) and the value follow. */
const SHAPED = 2;
/** First byte: an exported table. Length of the lineage, lineage and an array of arrays of keys follow. */
const TABLE = 3;
/** Nesting of an exported table. */
const TABLE_DEPTH = 2;
/** The most shapes that the two bytes of a record's number can tell apart. */
const MAX_TABLE_SHAPES = 16_384;

/**
 * The state codec: MessagePack, in which an object whose keys were seen often is written as the number of its shape and its values.
 * The table of shapes grows with the encodings of this codec, so one codec should serve all sessions of a kind on a node.
 */
export function createRecordCodec(options: RecordCodecOptions): StateCodec {
  return new RecordCodec(options);
}

class RecordCodec implements StateCodec {
  readonly #lineage: string;
  readonly #lineageBytes: Uint8Array;
  readonly #header: Uint8Array;
  readonly #table: ShapeTable;
  readonly #encoder: ValueEncoder;
  readonly #decoder: ValueDecoder;
  readonly #tableDecoder = new ValueDecoder(TABLE_DEPTH);
  readonly #tableEncoder = new ValueEncoder(TABLE_DEPTH, null);
  readonly #others: Lineages;

  constructor(options: RecordCodecOptions) {
    const name = encodeUtf8(options.lineage);
    if (name.length === 0 || name.length > 255 || decodeUtf8(name) !== options.lineage) {
      throw new SojournError("E_CONFIG_INVALID", "a codec's lineage must be 1 to 255 bytes of UTF-8", { lineage: options.lineage });
    }
    this.#lineage = options.lineage;
    this.#lineageBytes = name;
    this.#header = Uint8Array.of(SHAPED, name.length, ...name, 0, 0);
    this.#table = new ShapeTable(Math.min(options.maxSharedShapes, MAX_TABLE_SHAPES));
    this.#encoder = new ValueEncoder(options.maxDepth, this.#table);
    this.#decoder = new ValueDecoder(options.maxDepth);
    this.#others = new Lineages(options.maxCodecLineages);
  }

  encode(value: unknown, apart?: ReadonlyMap<object, number>): Uint8Array {
    const reserve = this.#header.length;
    const scratch = this.#encoder.encode(value, reserve, apart);
    const needed = this.#encoder.shapesNeeded;
    if (needed === 0) {
      scratch[reserve - 1] = ALONE;
      return scratch.slice(reserve - 1);
    }
    const bytes = scratch.slice();
    bytes.set(this.#header);
    bytes[reserve - 2] = needed & 0xff;
    bytes[reserve - 1] = needed >> 8;
    return bytes;
  }

  decode(bytes: Uint8Array, apart?: readonly Uint8Array<ArrayBuffer>[]): unknown {
    if (bytes[0] === ALONE) return this.#decoder.decode(bytes, 1, null, apart);
    const head = shapedHeaderEnd(bytes);
    const shapes = this.#shapesOf(bytes, head - 4);
    if (shapes === null || shapes.length < neededLength(bytes, head)) {
      const { lineage, length } = this.tableOf(bytes) as TableNeed;
      throw new SojournError("E_CODEC_TABLE_UNKNOWN", undefined, { lineage, length, known: shapes?.length ?? 0 });
    }
    return this.#decoder.decode(bytes, head, shapes, apart);
  }

  tableOf(bytes: Uint8Array): TableNeed | null {
    if (bytes[0] === ALONE) return null;
    const head = shapedHeaderEnd(bytes);
    return { lineage: lineageAt(bytes, head - 4), length: neededLength(bytes, head) };
  }

  missingTable(bytes: Uint8Array): TableNeed | null {
    if (bytes[0] === ALONE) return null;
    const head = shapedHeaderEnd(bytes);
    const known = this.#shapesOf(bytes, head - 4)?.length ?? 0;
    return known >= neededLength(bytes, head) ? null : this.tableOf(bytes);
  }

  exportTable(need: TableNeed): Uint8Array | null {
    const shapes = need.lineage === this.#lineage ? this.#table.shapes : this.#others.get(need.lineage)?.shapes;
    if (shapes === undefined || shapes.length < need.length) return null;
    const name = encodeUtf8(need.lineage);
    const bytes = this.#tableEncoder.encode(shapes, name.length + 2).slice();
    bytes[0] = TABLE;
    bytes[1] = name.length;
    bytes.set(name, 2);
    return bytes;
  }

  importTable(table: Uint8Array): void {
    const count = table[1];
    if (table[0] !== TABLE || count === undefined || count === 0 || table.length < count + 3) throw corrupt("a table has no valid header");
    const name = lineageAt(table, count);
    if (name === this.#lineage) return;
    const shapes = this.#tableDecoder.decode(table, count + 2, null);
    if (!isTable(shapes)) throw corrupt("a table is not a list of shapes");
    this.#others.learn(name, table.slice(2, count + 2), shapes);
  }

  /** The shapes of the lineage whose name of `count` bytes stands at its place in a header. */
  #shapesOf(bytes: Uint8Array, count: number): Shapes | null {
    if (sameBytes(this.#lineageBytes, bytes, 2, count)) return this.#table.shapes;
    const latest = this.#others.latestNamed(bytes, 2, count) ?? this.#others.get(lineageAt(bytes, count));
    return latest === null ? null : latest.shapes;
  }
}

function corrupt(why: string, cause?: unknown): SojournError {
  return new SojournError("E_CODEC_CORRUPT", `encoded bytes are damaged: ${why}`, {}, cause);
}

/** Where the value behind a `SHAPED` header starts. */
function shapedHeaderEnd(bytes: Uint8Array): number {
  const count = bytes[1];
  if (bytes[0] !== SHAPED || count === undefined || count === 0 || bytes.length < count + 5) throw corrupt("no valid header");
  return count + 4;
}

function neededLength(bytes: Uint8Array, head: number): number {
  return (bytes[head - 2] as number) | ((bytes[head - 1] as number) << 8);
}

function lineageAt(bytes: Uint8Array, count: number): string {
  try {
    return decodeUtf8(bytes.subarray(2, count + 2));
  } catch (cause) {
    throw corrupt("a lineage is not UTF-8", cause);
  }
}

function isTable(value: unknown): value is string[][] {
  return Array.isArray(value) && value.length <= MAX_TABLE_SHAPES && value.every(isShape);
}

function isShape(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SHAPE_KEYS) return false;
  return value.every((key) => typeof key === "string") && new Set(value).size === value.length;
}
