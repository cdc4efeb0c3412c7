/**
 * The bytes of encoded values. They are MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) with the application
 * extensions below, except for `RECORD`, which only the state codec writes: a byte MessagePack never uses, then the number of a
 * shape (LEB128) and the values of its keys in order.
 */
export const RECORD = 0xc1;

/** Extension types. Append only: they are part of every stored snapshot and every client's wire format. */
export const EXT = {
  /** One zero byte. */
  undefined: 0,
  /** One MessagePack array: key, value, key, value … in insertion order. */
  map: 1,
  /** One MessagePack array of the members in insertion order. */
  set: 2,
  /** Milliseconds since 1970 as a big-endian double; NaN for an invalid date. */
  date: 3,
  /** Eight bytes, two's complement, big-endian. */
  bigint64: 4,
  /** A sign byte (0 or 1 for negative), then the magnitude big-endian. */
  bigint: 5,
  /** A string that is not well-formed Unicode: its UTF-16 code units, little-endian. */
  utf16: 6,
  /** A typed array whose elements travel apart: its position in TYPED_ARRAYS (a byte), its number and its bytes (32 bits each, big-endian). */
  apart: 7,
  /** 16 + position in TYPED_ARRAYS: the elements, little-endian. */
  typedArray: 16,
} as const;

/** Size of what stands for an array whose elements travel apart. */
export const APART_BYTES = 9;

/** Append only. A Uint8Array travels as MessagePack `bin` instead. */
export const TYPED_ARRAYS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;
