import { SojournError } from "../errors/sojourn-error.js";
import { type ContainerKind, isContainer, kindOf, type TypedArray } from "./kinds.js";
import { showStep } from "./path.js";
import { rawOf } from "./registry.js";

/** The bounds that plain data is held to. */
export interface PlainLimits {
  readonly maxStateDepth: number;
}

/** A fresh container of a copy and a container of the live tree (or a fresh one that leads to it) that was put into it. */
export interface FreshLink {
  readonly parent: object;
  readonly child: object;
}

/** How a walk starts: where the value will stand, and what to do with containers that are already part of a live tree. */
export interface WalkOptions {
  /** Where the value will stand, for messages. Only called for one. */
  readonly path: () => string;
  /** Containers above the value. */
  readonly depth: number;
  /**
   * Called for each container with its depth. Returns the container of the live tree that `value` stands for, to be used as
   * it is, or null when `value` has to be copied.
   */
  readonly existing?: (value: object, depth: number) => object | null;
}

const SCAN_SEEN_UP_TO = 12;

/** One pass over plain data that checks everything and, if wanted, copies it. Not reusable after a refusal. */
export class PlainWalk {
  /** Links between fresh containers and existing ones, innermost first. */
  readonly links: FreshLink[] = [];
  readonly #maxDepth: number;
  readonly #copying: boolean;
  readonly #options: WalkOptions;
  readonly #containers: object[] = [];
  readonly #keys: unknown[] = [];
  readonly #seen: object[] = [];
  #seenSet: Set<object> | null = null;
  #level = 0;

  constructor(limits: PlainLimits, copying: boolean, options: WalkOptions) {
    this.#maxDepth = limits.maxStateDepth;
    this.#copying = copying;
    this.#options = options;
  }

  /** Checks (and copies) one value. @throws SojournError `E_UNTRAVELLABLE`, `E_ALIASED`, `E_STATE_TOO_DEEP` */
  value(value: unknown): unknown {
    if (isContainer(value)) return this.#container(value);
    this.#primitive(value);
    return value;
  }

  #primitive(value: unknown): void {
    const problem = primitiveProblem(value);
    if (problem !== null) this.#refuse(problem);
  }

  #container(value: object): unknown {
    const depth = this.#options.depth + this.#level + 1;
    if (depth > this.#maxDepth) {
      throw new SojournError("E_STATE_TOO_DEEP", `${this.#path()} is nested deeper than ${this.#maxDepth} levels`, {
        maxStateDepth: this.#maxDepth,
      });
    }
    const existing = this.#options.existing?.(value, depth) ?? null;
    if (existing !== null) return existing;
    const raw = rawOf(value);
    this.#see(raw);
    const kind = kindOf(raw);
    if (kind === null) return this.#refuse(describeForeign(raw));
    this.#containers[this.#level] = raw;
    this.#level += 1;
    const out = this.#contents(raw, kind);
    this.#level -= 1;
    return out;
  }

  #contents(raw: object, kind: ContainerKind): object {
    try {
      switch (kind) {
        case "object":
          return this.#object(raw as Record<string, unknown>);
        case "array":
          return this.#array(raw as unknown[]);
        case "map":
          return this.#map(raw as Map<unknown, unknown>);
        case "set":
          return this.#set(raw as Set<unknown>);
        case "date":
          return this.#date(raw as Date);
        case "typed":
          return this.#typed(raw as TypedArray);
      }
    } catch (thrown) {
      if (thrown instanceof SojournError) throw thrown;
      // A forged prototype, or a Proxy of somebody else around a Map, Set, Date or typed array.
      this.#level -= 1;
      return this.#refuse(`is not a genuine ${kind === "typed" ? "typed array" : kind}`);
    }
  }

  #object(raw: Record<string, unknown>): object {
    const keys = Object.keys(raw);
    if (Object.getOwnPropertyNames(raw).length !== keys.length) this.#refuseHere("has properties that are not enumerable");
    if (Object.getOwnPropertySymbols(raw).length !== 0) this.#refuseHere("has symbol keys");
    const out: Record<string, unknown> = this.#copying ? {} : raw;
    for (const key of keys) {
      this.#keys[this.#level - 1] = key;
      const problem = keyProblem(key);
      if (problem !== null) this.#refuse(problem);
      const descriptor = Object.getOwnPropertyDescriptor(raw, key);
      if (descriptor === undefined || !("value" in descriptor)) this.#refuse("is a getter or setter");
      const child = this.#child(descriptor?.value, out);
      if (this.#copying) out[key] = child;
    }
    return out;
  }

  #array(raw: unknown[]): object {
    const length = raw.length;
    const out: unknown[] = this.#copying ? [] : raw;
    for (let i = 0; i < length; i += 1) {
      this.#keys[this.#level - 1] = i;
      const item = raw[i];
      if (item === undefined && !Object.hasOwn(raw, i)) this.#refuse("is a hole in an array");
      const child = this.#child(item, out);
      if (this.#copying) out.push(child);
    }
    // Indices come first in the order of keys, so any further key is one too many ("length" is always there).
    if (Reflect.ownKeys(raw).length !== length + 1) this.#refuseHere("has properties besides its elements");
    return out;
  }

  #map(raw: Map<unknown, unknown>): object {
    this.#noOwnKeys(raw);
    const out = this.#copying ? new Map<unknown, unknown>() : raw;
    for (const [key, value] of raw) {
      this.#keys[this.#level - 1] = key;
      if (isContainer(key)) this.#refuseHere("has an object as a key; keys of a Map must be primitives");
      const problem = primitiveProblem(key);
      if (problem !== null) this.#refuseHere(`has a key that ${problem}`);
      const child = this.#child(value, out);
      if (this.#copying) out.set(key, child);
    }
    return out;
  }

  #set(raw: Set<unknown>): object {
    this.#noOwnKeys(raw);
    for (const member of raw) {
      if (isContainer(member)) this.#refuseHere("holds an object; members of a Set must be primitives (use a Map or an array)");
      const problem = primitiveProblem(member);
      if (problem !== null) this.#refuseHere(`has a member that ${problem}`);
    }
    return this.#copying ? new Set(raw) : raw;
  }

  #date(raw: Date): object {
    this.#noOwnKeys(raw);
    const time = raw.getTime();
    return this.#copying ? new Date(time) : raw;
  }

  #typed(raw: TypedArray): object {
    if (Object.getPrototypeOf(raw.buffer) !== ArrayBuffer.prototype) this.#refuseHere("shares its memory");
    return this.#copying ? raw.slice() : raw;
  }

  #child(value: unknown, parent: object): unknown {
    if (!isContainer(value)) {
      this.#primitive(value);
      return value;
    }
    const before = this.links.length;
    const child = this.#container(value) as object;
    if (this.#copying && (this.links.length > before || this.#isExisting(value, child))) this.links.push({ parent, child });
    return child;
  }

  /** A container that was not copied although the walk copies is one of the live tree. */
  #isExisting(value: object, child: object): boolean {
    return this.#options.existing !== undefined && child === rawOf(value);
  }

  #noOwnKeys(raw: object): void {
    if (Reflect.ownKeys(raw).length !== 0) this.#refuseHere("has properties of its own besides its contents");
  }

  #see(raw: object): void {
    const set = this.#seenSet;
    if (set === null ? this.#seen.includes(raw) : set.has(raw)) {
      throw new SojournError(
        "E_ALIASED",
        `${this.#path()} is an object that stands at another place of the same value too; state is a tree`,
      );
    }
    if (set !== null) {
      set.add(raw);
      return;
    }
    this.#seen.push(raw);
    if (this.#seen.length > SCAN_SEEN_UP_TO) this.#seenSet = new Set(this.#seen);
  }

  #path(): string {
    let path = this.#options.path();
    for (let i = 0; i < this.#level; i += 1) path += showStep(this.#containers[i] as object, this.#keys[i]);
    return path;
  }

  #refuse(problem: string): never {
    const path = this.#path();
    throw new SojournError("E_UNTRAVELLABLE", `${path} ${problem}`, { path });
  }

  /** Refuses the container in hand, not one of its children. */
  #refuseHere(problem: string): never {
    this.#level -= 1;
    return this.#refuse(problem);
  }
}

/** ES2024; every supported runtime has it. */
interface WellFormedString {
  isWellFormed(): boolean;
}

/** Why a primitive cannot travel, or null when it can. */
export function primitiveProblem(value: unknown): string | null {
  switch (typeof value) {
    case "string":
      return (value as unknown as WellFormedString).isWellFormed() ? null : "is a string with a lone surrogate";
    case "function":
      return "is a function";
    case "symbol":
      return "is a symbol";
    default:
      return null;
  }
}

/** Why a property name cannot travel, or null when it can. */
export function keyProblem(key: string): string | null {
  if (key === "__proto__") return "has a name that is not safe as a property";
  return (key as unknown as WellFormedString).isWellFormed() ? null : "has a name with a lone surrogate";
}

function describeForeign(value: object): string {
  const prototype: { readonly constructor?: unknown } | null = Object.getPrototypeOf(value);
  if (prototype === null) return "is an object without a prototype; copy it with { ...value }";
  const maker = prototype.constructor;
  const name = typeof maker === "function" && maker.name !== "" ? maker.name : "a class";
  if (name === "ArrayBuffer" || name === "DataView" || name === "Buffer")
    return `is an instance of ${name}; use a typed array such as Uint8Array`;
  return `is an instance of ${name}; only plain data can travel`;
}

/**
 * Checks that a value can travel: primitives but functions and symbols, plain objects, arrays without holes, Map and Set with
 * primitive keys and members, Date, typed arrays; a tree, not deeper than the limit.
 * @param path how the value is called in messages
 * @throws SojournError `E_UNTRAVELLABLE`, `E_ALIASED`, `E_STATE_TOO_DEEP` with the path in the message
 */
export function assertTravellable(value: unknown, limits: PlainLimits, path = "$"): void {
  new PlainWalk(limits, false, { path: () => path, depth: 0 }).value(value);
}

/**
 * A deep copy of plain data that shares nothing with it; tracked state inside is copied as plain data. Checks as
 * `assertTravellable` does, in the same pass.
 * @throws SojournError `E_UNTRAVELLABLE`, `E_ALIASED`, `E_STATE_TOO_DEEP` with the path in the message
 */
export function copyPlain<T>(value: T, limits: PlainLimits, path = "$"): T {
  return new PlainWalk(limits, true, { path: () => path, depth: 0 }).value(value) as T;
}

/** The longest chain of containers in a checked tree, itself included. */
export function heightOf(raw: object): number {
  let below = 0;
  const look = (child: unknown) => {
    if (isContainer(child)) below = Math.max(below, heightOf(child));
  };
  const kind = kindOf(raw);
  if (kind === "array") (raw as unknown[]).forEach(look);
  else if (kind === "map") (raw as Map<unknown, unknown>).forEach(look);
  else if (kind === "object") Object.values(raw).forEach(look);
  return below + 1;
}

/** Refuses a single primitive. */
export function refusePrimitive(problem: string, path: string): never {
  throw new SojournError("E_UNTRAVELLABLE", `${path} ${problem}`, { path });
}

/** A deep copy of a checked tree, without checking it again. What stands in it twice is copied twice. */
export function cloneTree(raw: object): object {
  const copy = (child: unknown): unknown => (isContainer(child) ? cloneTree(child) : child);
  switch (kindOf(raw)) {
    case "array":
      return (raw as unknown[]).map(copy);
    case "map":
      return new Map([...(raw as Map<unknown, unknown>)].map(([key, value]) => [key, copy(value)]));
    case "set":
      return new Set(raw as Set<unknown>);
    case "date":
      return new Date((raw as Date).getTime());
    case "typed":
      return (raw as TypedArray).slice();
    default:
      return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, copy(value)]));
  }
}
