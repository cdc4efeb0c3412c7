/** The typed arrays that can be part of a session's state. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** What a container of the state is; null for everything that is not one (class instances, handles, …). */
export type ContainerKind = "object" | "array" | "map" | "set" | "date" | "typed";

const KIND_OF_PROTOTYPE: ReadonlyMap<object, ContainerKind> = new Map<object, ContainerKind>([
  [Object.prototype, "object"],
  [Array.prototype, "array"],
  [Map.prototype, "map"],
  [Set.prototype, "set"],
  [Date.prototype, "date"],
  [Int8Array.prototype, "typed"],
  [Uint8Array.prototype, "typed"],
  [Uint8ClampedArray.prototype, "typed"],
  [Int16Array.prototype, "typed"],
  [Uint16Array.prototype, "typed"],
  [Int32Array.prototype, "typed"],
  [Uint32Array.prototype, "typed"],
  [Float32Array.prototype, "typed"],
  [Float64Array.prototype, "typed"],
  [BigInt64Array.prototype, "typed"],
  [BigUint64Array.prototype, "typed"],
]);

/** The kind of a container, by its exact prototype: subclasses are not plain data. */
export function kindOf(value: object): ContainerKind | null {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return "object";
  if (prototype === null) return null;
  const kind = KIND_OF_PROTOTYPE.get(prototype) ?? null;
  return kind === "array" && !Array.isArray(value) ? null : kind;
}

/** True for a value that has contents or identity of its own. */
export function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
