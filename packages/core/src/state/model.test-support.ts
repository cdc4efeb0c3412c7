import { trackedBehind } from "./registry.js";

/** Where two plain values differ, to the last bit and in every order; null when they are the same. */
export function difference(a: unknown, b: unknown, path = "$"): string | null {
  if (Object.is(a, b)) return null;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return `${path}: ${show(a)} is not ${show(b)}`;
  if (trackedBehind(a) !== undefined) return `${path} is a proxy`;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: prototypes differ`;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime()) ? null : `${path}: dates differ`;
  if (ArrayBuffer.isView(a)) {
    const x = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
    const y = new Uint8Array((b as Uint8Array).buffer, (b as Uint8Array).byteOffset, (b as Uint8Array).byteLength);
    return x.length === y.length && x.every((byte, i) => byte === y[i]) ? null : `${path}: bytes differ`;
  }
  const x = entriesOf(a);
  const y = entriesOf(b);
  if (x.length !== y.length) return `${path}: ${x.length} entries instead of ${y.length}`;
  for (let i = 0; i < x.length; i += 1) {
    const [key, value] = x[i] as [unknown, unknown];
    const [otherKey, otherValue] = y[i] as [unknown, unknown];
    if (!Object.is(key, otherKey)) return `${path}: key ${show(key)} instead of ${show(otherKey)} at ${i}`;
    const inner = difference(value, otherValue, `${path}/${show(key)}`);
    if (inner !== null) return inner;
  }
  return null;
}

function show(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : Object.is(value, -0) ? "-0" : `${typeof value} ${String(value)}`;
}

function entriesOf(value: object): [unknown, unknown][] {
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value].map((member) => [member, true]);
  return Object.entries(value);
}

/** Every container below (and including) `root`, in order; one that stands twice is listed twice. */
export function containersOf(root: object, out: object[] = []): object[] {
  out.push(root);
  if (ArrayBuffer.isView(root)) return out;
  for (const [, value] of entriesOf(root)) if (typeof value === "object" && value !== null) containersOf(value, out);
  return out;
}

/** True when no container stands twice. */
export function isTree(root: object): boolean {
  const all = containersOf(root);
  return new Set(all).size === all.length;
}
