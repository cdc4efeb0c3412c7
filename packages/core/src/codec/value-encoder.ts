import { SojournError } from "../errors/sojourn-error.js";
import type { ShapeTable } from "./shape-table.js";
import { APART_BYTES, EXT, RECORD, TYPED_ARRAYS } from "./tags.js";
import { writeUtf8 } from "./text.js";
import { describe, pathTo } from "./untravellable.js";

const INITIAL_BYTES = 4_096;
/** A scratch buffer that grew beyond this is given back after use. */
const MAX_KEPT_BYTES = 1_048_576;

/**
 * Writes plain data as bytes (see tags.ts). Values that cannot travel are refused, not skipped; what it does not look for, because
 * the look would cost more than the encoding, are accessors (their value is written), named properties of arrays, and symbol keys:
 * state is checked for those when it is assigned.
 */
export class ValueEncoder {
  readonly #maxDepth: number;
  readonly #shapes: ShapeTable | null;
  readonly #typedArrays = new Map<unknown, number>(TYPED_ARRAYS.map((type, i) => [type.prototype, i]));
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #shapesNeeded = 0;
  #refused: unknown;
  #apart: ReadonlyMap<object, number> | undefined;

  /** Without `shapes` every object carries its keys and the bytes are MessagePack. */
  constructor(maxDepth: number, shapes: ShapeTable | null) {
    this.#maxDepth = maxDepth;
    this.#shapes = shapes;
  }

  /** How many shapes of the table the latest value relies on. */
  get shapesNeeded(): number {
    return this.#shapesNeeded;
  }

  /**
   * Encodes `value` behind `reserve` free bytes.
   * @param apart typed arrays of which only the number is written
   * @returns scratch space of the encoder, valid until its next use
   * @throws SojournError `E_UNTRAVELLABLE`, `E_STATE_TOO_DEEP`
   */
  encode(value: unknown, reserve: number, apart?: ReadonlyMap<object, number>): Uint8Array {
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#replace(new Uint8Array(INITIAL_BYTES));
    this.#at = reserve;
    this.#shapesNeeded = 0;
    this.#refused = this;
    this.#apart = apart;
    try {
      this.#value(value, 0);
    } catch (thrown) {
      if (thrown instanceof SojournError && thrown.code !== "E_UNTRAVELLABLE") throw thrown;
      const path = this.#refused === this ? "" : pathTo(value, this.#refused);
      const what = this.#refused === this ? "the value" : describe(this.#refused);
      this.#refused = this;
      // What is not ours was thrown by the value itself: an accessor, a proxy, an object that only looks like a Date.
      const cause = thrown instanceof SojournError ? undefined : thrown;
      throw new SojournError("E_UNTRAVELLABLE", `${what} at "${path}" cannot travel`, { path }, cause);
    }
    return this.#bytes.subarray(0, this.#at);
  }

  #refuse(value: unknown): never {
    this.#refused = value;
    throw new SojournError("E_UNTRAVELLABLE");
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #ensure(count: number): void {
    const end = this.#at + count;
    if (end <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#replace(grown);
  }

  #value(value: unknown, depth: number): void {
    this.#ensure(16);
    switch (typeof value) {
      case "string":
        this.#string(value);
        break;
      case "number":
        this.#number(value);
        break;
      case "object":
        if (value !== null) this.#object(value, depth);
        else this.#bytes[this.#at++] = 0xc0;
        break;
      case "boolean":
        this.#bytes[this.#at++] = value ? 0xc3 : 0xc2;
        break;
      case "undefined":
        this.#ext(EXT.undefined, 1, 0);
        break;
      case "bigint":
        this.#bigint(value);
        break;
      default:
        this.#refuse(value);
    }
  }

  #number(value: number): void {
    const bytes = this.#bytes;
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) {
      if (value < 0x80) bytes[this.#at++] = value;
      else this.#sized(0xcc, value);
      return;
    }
    const at = this.#at;
    if (value < 0 && (value | 0) === value) {
      if (value >= -0x20) {
        bytes[at] = value;
        this.#at = at + 1;
      } else if (value >= -0x80) {
        bytes[at] = 0xd0;
        bytes[at + 1] = value;
        this.#at = at + 2;
      } else if (value >= -0x8000) {
        bytes[at] = 0xd1;
        this.#view.setInt16(at + 1, value);
        this.#at = at + 3;
      } else {
        bytes[at] = 0xd2;
        this.#view.setInt32(at + 1, value);
        this.#at = at + 5;
      }
    } else if (Math.fround(value) === value) {
      bytes[at] = 0xca;
      this.#view.setFloat32(at + 1, value);
      this.#at = at + 5;
    } else {
      bytes[at] = 0xcb;
      this.#view.setFloat64(at + 1, value);
      this.#at = at + 9;
    }
  }

  /** MessagePack's three sizes of a count: `tag` + 8 bits, `tag + 1` + 16 bits, `tag + 2` + 32 bits. */
  #sized(tag: number, count: number): void {
    const at = this.#at;
    if (count < 0x100) {
      this.#bytes[at] = tag;
      this.#bytes[at + 1] = count;
      this.#at = at + 2;
    } else if (count < 0x10000) {
      this.#bytes[at] = tag + 1;
      this.#view.setUint16(at + 1, count);
      this.#at = at + 3;
    } else {
      this.#bytes[at] = tag + 2;
      this.#view.setUint32(at + 1, count);
      this.#at = at + 5;
    }
  }

  /** The head of an array or map, which have no 8-bit size. */
  #container(fixed: number, tag: number, count: number): void {
    this.#ensure(16);
    if (count < 0x10) this.#bytes[this.#at++] = fixed | count;
    else if (count < 0x100) {
      this.#bytes[this.#at] = tag;
      this.#view.setUint16(this.#at + 1, count);
      this.#at += 3;
    } else this.#sized(tag - 1, count);
  }

  #string(value: string): void {
    const room = value.length * 3;
    this.#ensure(room + 5);
    const at = this.#at;
    // Most likely size of the head; moved when the bytes turn out to be more.
    const head = value.length < 0x20 ? 1 : value.length < 0x100 ? 2 : value.length < 0x10000 ? 3 : 5;
    const count = writeUtf8(value, this.#bytes, at + head);
    if (count < 0) {
      this.#utf16(value);
      return;
    }
    const needed = count < 0x20 ? 1 : count < 0x100 ? 2 : count < 0x10000 ? 3 : 5;
    if (needed !== head) this.#bytes.copyWithin(at + needed, at + head, at + head + count);
    if (needed === 1) this.#bytes[this.#at++] = 0xa0 | count;
    else this.#sized(0xd9, count);
    this.#at += count;
  }

  #utf16(value: string): void {
    const count = value.length * 2;
    this.#ensure(count + 6);
    this.#extHead(EXT.utf16, count);
    for (let i = 0; i < value.length; i++) this.#view.setUint16(this.#at + 2 * i, value.charCodeAt(i), true);
    this.#at += count;
  }

  #extHead(type: number, count: number): void {
    if (count === 1) this.#bytes[this.#at++] = 0xd4;
    else if (count === 8) this.#bytes[this.#at++] = 0xd7;
    else this.#sized(0xc7, count);
    this.#bytes[this.#at++] = type;
  }

  #ext(type: number, count: 1 | 8, value: number): void {
    this.#extHead(type, count);
    if (count === 1) this.#bytes[this.#at] = value;
    else this.#view.setFloat64(this.#at, value);
    this.#at += count;
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.#extHead(EXT.bigint64, 8);
      this.#view.setBigInt64(this.#at, value);
      this.#at += 8;
      return;
    }
    const negative = value < 0n;
    const digits = (negative ? -value : value).toString(16);
    const hex = digits.length % 2 === 0 ? digits : `0${digits}`;
    const count = hex.length / 2 + 1;
    this.#ensure(count + 6);
    this.#extHead(EXT.bigint, count);
    this.#bytes[this.#at++] = negative ? 1 : 0;
    for (let i = 0; i < hex.length; i += 2) this.#bytes[this.#at++] = Number.parseInt(hex.slice(i, i + 2), 16);
  }

  #object(value: object, depth: number): void {
    if (depth >= this.#maxDepth) {
      throw new SojournError("E_STATE_TOO_DEEP", `a value is nested deeper than ${this.#maxDepth} levels`, { maxDepth: this.#maxDepth });
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) this.#plain(value as Record<string, unknown>, depth + 1);
    else if (prototype === Array.prototype && Array.isArray(value)) this.#array(value, depth + 1);
    else if (prototype === Map.prototype) this.#collection(EXT.map, value as Map<unknown, unknown>, depth + 1);
    else if (prototype === Set.prototype) this.#collection(EXT.set, value as Set<unknown>, depth + 1);
    else if (prototype === Date.prototype) this.#ext(EXT.date, 8, (value as Date).getTime());
    else {
      const type = this.#typedArrays.get(prototype);
      if (type === undefined) this.#refuse(value);
      this.#typedArray(type, value as Uint8Array);
    }
  }

  #plain(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value);
    const count = keys.length;
    const shape = this.#shapes === null ? -1 : this.#shapes.idOf(keys);
    if (shape < 0) {
      this.#container(0x80, 0xde, count);
      for (let i = 0; i < count; i++) {
        const key = keys[i] as string;
        this.#string(key);
        this.#value(value[key], depth);
      }
      return;
    }
    if (shape >= this.#shapesNeeded) this.#shapesNeeded = shape + 1;
    this.#bytes[this.#at++] = RECORD;
    let rest = shape;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
    for (let i = 0; i < count; i++) this.#value(value[keys[i] as string], depth);
  }

  #array(value: readonly unknown[], depth: number): void {
    const count = value.length;
    this.#container(0x90, 0xdc, count);
    for (let i = 0; i < count; i++) {
      const item = value[i];
      if (item === undefined && !(i in value)) this.#refuse(value);
      this.#value(item, depth);
    }
  }

  /** Always with a 32-bit size, because it is known only afterwards. */
  #collection(type: number, value: Map<unknown, unknown> | Set<unknown>, depth: number): void {
    this.#bytes[this.#at] = 0xc9;
    this.#bytes[this.#at + 5] = type;
    const start = this.#at + 6;
    this.#at = start;
    if (value instanceof Map) {
      this.#container(0x90, 0xdc, value.size * 2);
      for (const entry of value) {
        this.#value(entry[0], depth);
        this.#value(entry[1], depth);
      }
    } else {
      this.#container(0x90, 0xdc, value.size);
      for (const member of value) this.#value(member, depth);
    }
    this.#view.setUint32(start - 5, this.#at - start);
  }

  #typedArray(type: number, value: Uint8Array): void {
    const count = value.byteLength;
    const number = this.#apart?.get(value);
    if (number !== undefined) {
      this.#extHead(EXT.apart, APART_BYTES);
      this.#bytes[this.#at] = type;
      this.#view.setUint32(this.#at + 1, number);
      this.#view.setUint32(this.#at + 5, count);
      this.#at += APART_BYTES;
      return;
    }
    this.#ensure(count + 6);
    if (TYPED_ARRAYS[type] === Uint8Array) this.#sized(0xc4, count);
    else this.#extHead(EXT.typedArray + type, count);
    this.#bytes.set(new Uint8Array(value.buffer, value.byteOffset, count), this.#at);
    this.#at += count;
  }
}
