import { isContainer, kindOf, type TypedArray } from "./kinds.js";

/** Hears of every write to the elements of a typed array of the state, before it happens. */
export interface WriteWatcher {
  /** Bytes from `fromByte` to `toByte` (exclusive) are about to change; they may be told several times, or turn out the same. */
  wrote(array: TypedArray, fromByte: number, toByte: number): void;
}

/** The typed arrays of a tree that take at least `minBytes`, in the order in which they are encoded. */
export function largeArraysOf(root: object, minBytes: number): TypedArray[] {
  const found: TypedArray[] = [];
  const visit = (value: unknown): void => {
    if (!isContainer(value)) return;
    switch (kindOf(value)) {
      case "typed":
        if ((value as TypedArray).byteLength >= minBytes) found.push(value as TypedArray);
        return;
      case "array":
        for (const item of value as readonly unknown[]) visit(item);
        return;
      case "map":
        for (const item of (value as ReadonlyMap<unknown, unknown>).values()) visit(item);
        return;
      case "object":
        for (const key of Object.keys(value)) visit((value as Record<string, unknown>)[key]);
        return;
      default: // the members of a Set are primitive
        return;
    }
  };
  visit(root);
  return found;
}

/** The bytes of a typed array, in place. */
export function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
