import { SojournError } from "../errors/sojourn-error.js";
import { ByteReader } from "./reader.js";
import type { ByteWriter } from "./writer.js";

/** How one type of field is written and read. */
export interface Field<T> {
  /** How the bytes look, for the generated page of the wire: `uint`, `str?`, `{ seq: uint, gap: bool }` … */
  readonly grammar: string;
  write(writer: ByteWriter, value: T): void;
  read(reader: ByteReader): T;
}

/** A field of whatever type. */
export interface AnyField {
  /** How the bytes look, for the generated page of the wire: `uint`, `str?`, `{ seq: uint, gap: bool }` … */
  readonly grammar: string;
  write(writer: ByteWriter, value: never): void;
  read(reader: ByteReader): unknown;
}

/** The type a layout of fields describes. */
export type Shape<F extends Record<string, AnyField>> = {
  [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** Unsigned safe integer, LEB128. */
export const uint: Field<number> = { grammar: "uint", write: (w, v) => w.uint(v), read: (r) => r.uint() };
/** Unsigned 32-bit integer, little-endian. */
export const u32: Field<number> = { grammar: "u32", write: (w, v) => w.u32(v), read: (r) => r.u32() };
/** IEEE 754 double. */
export const f64: Field<number> = { grammar: "f64", write: (w, v) => w.f64(v), read: (r) => r.f64() };
/** UTF-8 string with its length. */
export const str: Field<string> = { grammar: "str", write: (w, v) => w.str(v), read: (r) => r.str() };
/** Bytes with their length; read as a view. */
export const bytes: Field<Uint8Array> = { grammar: "bytes", write: (w, v) => w.bytes(v), read: (r) => r.bytes() };
/** 0 or 1 in one byte. */
export const bool: Field<boolean> = {
  grammar: "bool",
  write: (w, v) => w.u8(v ? 1 : 0),
  read: (r) => {
    const byte = r.u8();
    if (byte > 1) throw new SojournError("E_FRAME_MALFORMED", `boolean is ${byte}`);
    return byte === 1;
  },
};

/** A value or null: one byte, then the value. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    grammar: `${field.grammar}?`,
    write(w, v) {
      w.u8(v === null ? 0 : 1);
      if (v !== null) field.write(w, v);
    },
    read: (r) => (bool.read(r) ? field.read(r) : null),
  };
}

/** A counted list. The count is checked against the bytes left, so a forged count cannot allocate. */
export function list<T>(field: Field<T>): Field<readonly T[]> {
  return {
    grammar: `${field.grammar}[]`,
    write(w, v) {
      w.uint(v.length);
      for (const item of v) field.write(w, item);
    },
    read(r) {
      const count = r.uint();
      if (count > r.remaining) throw new SojournError("E_FRAME_MALFORMED", "list is longer than its frame");
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(field.read(r));
      return items;
    },
  };
}

/** Fields in a fixed order, as one field. */
export function struct<F extends Record<string, AnyField>>(fields: F): Field<Shape<F>> {
  const entries = Object.entries(fields) as unknown as [string, Field<unknown>][];
  return {
    grammar: entries.length === 0 ? "{}" : `{ ${entries.map(([key, field]) => `${key}: ${field.grammar}`).join(", ")} }`,
    write(w, v) {
      const values = v as Record<string, unknown>;
      for (const [key, field] of entries) field.write(w, values[key]);
    },
    read(r) {
      const values: Record<string, unknown> = {};
      for (const [key, field] of entries) values[key] = field.read(r);
      return values as Shape<F>;
    },
  };
}

/** One of a fixed set of names, as one byte. */
export function oneOf<const T extends readonly string[]>(...names: T): Field<T[number]> {
  return {
    grammar: `(${names.join(" | ")})`,
    write: (w, v) => w.u8(names.indexOf(v)),
    read(r) {
      const name = names[r.u8()];
      if (name === undefined) throw new SojournError("E_FRAME_MALFORMED", "unknown choice");
      return name;
    },
  };
}

/**
 * Reads one frame whose first byte is its position in `order` plus one, to the end of `data`. Byte fields are views.
 * @param what names such a frame in the error's text
 * @returns its fields and its type as `t`
 * @throws SojournError `E_FRAME_MALFORMED`
 */
export function readFrame<T extends string>(
  data: Uint8Array,
  order: readonly T[],
  frames: Readonly<Record<T, AnyField>>,
  what: string,
): object {
  const reader = new ByteReader(data);
  const type = order[reader.u8() - 1];
  if (type === undefined) throw new SojournError("E_FRAME_MALFORMED", `unknown ${what}`);
  const fields = frames[type].read(reader) as object;
  reader.end();
  return Object.assign(fields, { t: type });
}

/** One frame type of a protocol: its first byte, its name, its fields. */
export interface GrammarRow {
  readonly code: number;
  readonly name: string;
  readonly fields: string;
}

/** Describes frames whose first byte is their position in `order` plus one. */
export function grammarOf<T extends string>(order: readonly T[], frames: Readonly<Record<T, AnyField>>): readonly GrammarRow[] {
  return order.map((name, i) => ({ code: i + 1, name, fields: frames[name].grammar }));
}
