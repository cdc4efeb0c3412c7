import { isContainer } from "./kinds.js";
import { rawOf, trackedBehind } from "./registry.js";

/** What the methods of a proxied array are built from. */
export interface EditableArray {
  readonly raw: unknown[];
  readonly proxy: unknown[];
  /** To be called before anything else by a method that may write. */
  writing(): void;
  setAt(index: number, value: unknown): void;
  splice(start: number, deleted: number, items: readonly unknown[]): unknown[];
  rearrange(contents: readonly unknown[], isPermutation: boolean): void;
  refuseShared(start: number): never;
  wrap(value: unknown, key: unknown): unknown;
  wrapRemoved(value: unknown): unknown;
}

function editable(proxy: unknown): EditableArray {
  const behind = isContainer(proxy) ? trackedBehind(proxy) : undefined;
  if (behind !== undefined && Array.isArray(behind.raw)) return behind as unknown as EditableArray;
  throw new TypeError("this method of an array in state was called on something else");
}

function editableForWriting(proxy: unknown): EditableArray {
  const array = editable(proxy);
  array.writing();
  return array;
}

/** A relative position as the built-in methods understand it. */
function relative(value: unknown, length: number, fallback: number): number {
  if (value === undefined) return fallback;
  const whole = Math.trunc(Number(value)) || 0;
  return whole < 0 ? Math.max(length + whole, 0) : Math.min(whole, length);
}

function push(this: unknown, ...items: unknown[]): number {
  const array = editableForWriting(this);
  array.splice(array.raw.length, 0, items);
  return array.raw.length;
}

function unshift(this: unknown, ...items: unknown[]): number {
  const array = editableForWriting(this);
  array.splice(0, 0, items);
  return array.raw.length;
}

function pop(this: unknown): unknown {
  const array = editableForWriting(this);
  const length = array.raw.length;
  return length === 0 ? undefined : array.wrapRemoved(array.splice(length - 1, 1, [])[0]);
}

function shift(this: unknown): unknown {
  const array = editableForWriting(this);
  return array.raw.length === 0 ? undefined : array.wrapRemoved(array.splice(0, 1, [])[0]);
}

function splice(this: unknown, ...args: unknown[]): unknown[] {
  const array = editableForWriting(this);
  const length = array.raw.length;
  const start = relative(args[0], length, 0);
  const rest = length - start;
  const deleted = args.length === 0 ? 0 : args.length === 1 ? rest : Math.min(Math.max(Math.trunc(Number(args[1])) || 0, 0), rest);
  return array.splice(start, deleted, args.slice(2)).map((value) => array.wrapRemoved(value));
}

function sort(this: unknown, compare?: (a: unknown, b: unknown) => number): unknown {
  const array = editableForWriting(this);
  const raw = array.raw;
  const before = raw.slice();
  const sorted =
    compare === undefined
      ? raw.slice().sort()
      : raw
          .map((value, i) => array.wrap(value, i))
          .sort(compare)
          .map((value) => (isContainer(value) ? rawOf(value) : value));
  if (raw.length !== before.length || !before.every((value, i) => Object.is(value, raw[i]))) {
    throw new TypeError("the array was changed by the function that compares its elements");
  }
  array.rearrange(sorted, true);
  return this;
}

function reverse(this: unknown): unknown {
  const array = editableForWriting(this);
  array.rearrange(array.raw.slice().reverse(), true);
  return this;
}

function copyWithin(this: unknown, target: number, start: number, end?: number): unknown {
  const array = editableForWriting(this);
  array.rearrange(array.raw.slice().copyWithin(target, start, end), false);
  return this;
}

function fill(this: unknown, value: unknown, start?: number, end?: number): unknown {
  const array = editableForWriting(this);
  const length = array.raw.length;
  const from = relative(start, length, 0);
  const to = relative(end, length, length);
  if (isContainer(value) && to - from > 1) array.refuseShared(from);
  for (let i = from; i < to; i += 1) array.setAt(i, value);
  return this;
}

/** Identity: an element that was read from state is found, although the plain array holds what stands behind it. */
function plainOf(value: unknown): unknown {
  return isContainer(value) ? rawOf(value) : value;
}

function includes(this: unknown, value: unknown, ...from: number[]): boolean {
  return editable(this).raw.includes(plainOf(value), ...from);
}

function indexOf(this: unknown, value: unknown, ...from: number[]): number {
  return editable(this).raw.indexOf(plainOf(value), ...from);
}

function lastIndexOf(this: unknown, value: unknown, ...from: [number]): number {
  return editable(this).raw.lastIndexOf(plainOf(value), ...from);
}

/**
 * The methods of a proxied array that are not left to JavaScript's own, which would go through the proxy element by element.
 * Shared by all arrays, so that reading a method allocates nothing.
 */
export const ARRAY_METHODS: ReadonlyMap<string | symbol, unknown> = /* @__PURE__ */ new Map<string | symbol, unknown>(
  [push, unshift, pop, shift, splice, sort, reverse, copyWithin, fill, includes, indexOf, lastIndexOf].map((method) => [
    method.name,
    method,
  ]),
);
