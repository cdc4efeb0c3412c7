import { SojournError } from "../errors/sojourn-error.js";
import { APART_BYTES, EXT, RECORD, TYPED_ARRAYS } from "./tags.js";
import { readUtf8 } from "./text.js";

/** Key sequences by number. */
export type Shapes = readonly (readonly string[])[];

const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/**
 * Reads what ValueEncoder wrote. Nothing that was read is trusted: no count allocates before its bytes are there, nesting is bounded,
 * and no key reaches a prototype.
 */
export class ValueDecoder {
  readonly #maxDepth: number;
  #bytes: Uint8Array = NO_BYTES;
  #view: DataView = NO_VIEW;
  #at = 0;
  #shapes: Shapes | null = null;
  /** The arrays that came by themselves and have not been used yet; null when none did. */
  #apart: (Uint8Array<ArrayBuffer> | undefined)[] | null = null;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /**
   * Decodes the one value that fills `bytes` from `at` on. What it returns shares no memory with `bytes`, and takes over that of `apart`.
   * @throws SojournError `E_CODEC_CORRUPT`, `E_STATE_TOO_DEEP`
   */
  decode(bytes: Uint8Array, at: number, shapes: Shapes | null, apart?: readonly Uint8Array<ArrayBuffer>[]): unknown {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#shapes = shapes;
    this.#apart = apart === undefined ? null : [...apart];
    try {
      const value = this.#value(0);
      if (this.#at !== bytes.length) throw corrupt("bytes are left over");
      return value;
    } catch (thrown) {
      if (thrown instanceof SojournError) throw thrown;
      // A read past the end, text that is not UTF-8, a BigInt beyond the engine's limit.
      throw corrupt("a value is damaged or cut short", thrown);
    } finally {
      this.#apart = null;
      this.#bytes = NO_BYTES;
      this.#view = NO_VIEW;
    }
  }

  #advance(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw corrupt("cut short");
    this.#at = at + count;
    return at;
  }

  #u8(): number {
    return this.#view.getUint8(this.#at++);
  }

  #u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  #u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  #value(depth: number): unknown {
    const tag = this.#u8();
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#object(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#string(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    switch (tag) {
      case 0xc0:
        return null;
      case RECORD:
        return this.#record(depth);
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#u8());
      case 0xc5:
        return this.#binary(this.#u16());
      case 0xc6:
        return this.#binary(this.#u32());
      case 0xc7:
        return this.#ext(this.#u8(), depth);
      case 0xc8:
        return this.#ext(this.#u16(), depth);
      case 0xc9:
        return this.#ext(this.#u32(), depth);
      case 0xca:
        return this.#view.getFloat32(this.#advance(4));
      case 0xcb:
        return this.#view.getFloat64(this.#advance(8));
      case 0xcc:
        return this.#u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.#u32();
      case 0xcf:
        return number(this.#view.getBigUint64(this.#advance(8)));
      case 0xd0:
        return this.#view.getInt8(this.#advance(1));
      case 0xd1:
        return this.#view.getInt16(this.#advance(2));
      case 0xd2:
        return this.#view.getInt32(this.#advance(4));
      case 0xd3:
        return number(this.#view.getBigInt64(this.#advance(8)));
      case 0xd4:
        return this.#ext(1, depth);
      case 0xd5:
        return this.#ext(2, depth);
      case 0xd6:
        return this.#ext(4, depth);
      case 0xd7:
        return this.#ext(8, depth);
      case 0xd8:
        return this.#ext(16, depth);
      case 0xd9:
        return this.#string(this.#u8());
      case 0xda:
        return this.#string(this.#u16());
      case 0xdb:
        return this.#string(this.#u32());
      case 0xdc:
        return this.#array(this.#u16(), depth);
      case 0xdd:
        return this.#array(this.#u32(), depth);
      case 0xde:
        return this.#object(this.#u16(), depth);
      case 0xdf:
        return this.#object(this.#u32(), depth);
      default:
        throw corrupt(`unknown tag ${tag}`);
    }
  }

  /** Each container checks its own level before it reads anything inside. */
  #enter(depth: number): number {
    if (depth >= this.#maxDepth)
      throw new SojournError("E_STATE_TOO_DEEP", `a value is nested deeper than ${this.#maxDepth} levels`, { maxDepth: this.#maxDepth });
    return depth + 1;
  }

  #string(count: number): string {
    return readUtf8(this.#bytes, this.#advance(count), count);
  }

  #array(count: number, depth: number): unknown[] {
    const inside = this.#enter(depth);
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) items.push(this.#value(inside));
    return items;
  }

  #object(count: number, depth: number): object {
    const inside = this.#enter(depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) {
      const key = this.#value(inside);
      if (typeof key !== "string") throw corrupt("a key is not a string");
      put(object, key, this.#value(inside));
    }
    return object;
  }

  #record(depth: number): object {
    const inside = this.#enter(depth);
    let id = this.#u8();
    if (id >= 0x80) {
      const high = this.#u8();
      if (high >= 0x80) throw corrupt("a shape's number is too large");
      id = (id & 0x7f) | (high << 7);
    }
    const keys = this.#shapes?.[id];
    if (keys === undefined) throw corrupt("a shape is not in the table");
    const object: Record<string, unknown> = {};
    for (let i = 0; i < keys.length; i++) put(object, keys[i] as string, this.#value(inside));
    return object;
  }

  #binary(count: number): Uint8Array {
    const at = this.#advance(count);
    return copy(this.#bytes, at, at + count);
  }

  #ext(count: number, depth: number): unknown {
    const type = this.#u8();
    const at = this.#advance(count);
    const end = this.#at;
    switch (type) {
      case EXT.undefined:
        return undefined;
      case EXT.date:
        if (count !== 8) throw corrupt("a date is damaged");
        return new Date(this.#view.getFloat64(at));
      case EXT.bigint64:
        if (count !== 8) throw corrupt("a bigint is damaged");
        return this.#view.getBigInt64(at);
      case EXT.bigint:
        return readBigint(this.#bytes, at, end);
      case EXT.apart: {
        if (count !== APART_BYTES) throw corrupt("an array that travels apart is damaged");
        return this.#arrayApart(this.#view.getUint8(at), this.#view.getUint32(at + 1), this.#view.getUint32(at + 5));
      }
      case EXT.utf16: {
        let text = "";
        for (let i = at; i < end; i += 2) text += String.fromCharCode(this.#view.getUint16(i, true));
        if (count % 2 !== 0) throw corrupt("a string is damaged");
        return text;
      }
      case EXT.map:
      case EXT.set: {
        this.#at = at;
        const collection = type === EXT.map ? this.#map(depth) : this.#set(depth);
        if (this.#at !== end) throw corrupt("a collection is damaged");
        return collection;
      }
      default: {
        const TypedArray = TYPED_ARRAYS[type - EXT.typedArray];
        if (TypedArray === undefined || count % TypedArray.BYTES_PER_ELEMENT !== 0) throw corrupt(`unknown extension ${type}`);
        return new TypedArray(copy(this.#bytes, at, end).buffer);
      }
    }
  }

  #arrayApart(type: number, number: number, byteLength: number): unknown {
    const TypedArray = TYPED_ARRAYS[type];
    const apart = this.#apart;
    const bytes = apart?.[number];
    if (
      TypedArray === undefined ||
      apart === null ||
      bytes === undefined ||
      bytes.length !== byteLength ||
      byteLength % TypedArray.BYTES_PER_ELEMENT !== 0
    ) {
      throw corrupt("an array that travels apart is not at hand");
    }
    apart[number] = undefined; // no two values share memory
    return new TypedArray(bytes.buffer);
  }

  #count(): number {
    const tag = this.#u8();
    if ((tag & 0xf0) === 0x90) return tag & 0x0f;
    if (tag === 0xdc) return this.#u16();
    if (tag === 0xdd) return this.#u32();
    throw corrupt("a collection is damaged");
  }

  #map(depth: number): Map<unknown, unknown> {
    const inside = this.#enter(depth);
    const map = new Map<unknown, unknown>();
    const count = this.#count();
    if (count % 2 !== 0) throw corrupt("a map is damaged");
    for (let i = 0; i < count; i += 2) {
      const key = this.#value(inside);
      map.set(key, this.#value(inside));
    }
    return map;
  }

  #set(depth: number): Set<unknown> {
    const inside = this.#enter(depth);
    const set = new Set<unknown>();
    const count = this.#count();
    for (let i = 0; i < count; i++) set.add(this.#value(inside));
    return set;
  }
}

function corrupt(why: string, cause?: unknown): SojournError {
  return new SojournError("E_CODEC_CORRUPT", `encoded bytes are damaged: ${why}`, {}, cause);
}

/** Our encoder writes no 64-bit integers; other MessagePack libraries do. */
function number(value: bigint): number | bigint {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
}

/** Plain assignment, except where it would set the prototype. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** A copy that starts at the beginning of a buffer of its own, whatever subclass of Uint8Array `bytes` is. */
function copy(bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const own = new Uint8Array(to - from);
  own.set(bytes.subarray(from, to));
  return own;
}

function readBigint(bytes: Uint8Array, at: number, end: number): bigint {
  const negative = bytes[at] as number;
  if (negative > 1 || end - at < 2) throw corrupt("a bigint is damaged");
  let hex = "0x";
  for (let i = at + 1; i < end; i++) hex += (bytes[i] as number).toString(16).padStart(2, "0");
  const magnitude = BigInt(hex);
  return negative === 1 ? -magnitude : magnitude;
}
