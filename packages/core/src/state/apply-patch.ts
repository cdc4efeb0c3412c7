import { SojournError } from "../errors/sojourn-error.js";
import { type ContainerKind, isContainer, kindOf, type TypedArray } from "./kinds.js";
import { OP, type Patch } from "./patch.js";

export type { Patch } from "./patch.js";

/** Takes back what has been applied to a tree. */
class Undo {
  readonly #steps: (() => void)[] = [];
  /** A container whose contents are remembered as a whole: single steps on it need no remembering any more. */
  #covered: object | null = null;

  push(target: object, step: () => void): void {
    if (target !== this.#covered) this.#steps.push(step);
  }

  /** As `push`; `makeStep` remembers everything that is in the container. */
  cover(target: object, makeStep: () => () => void): void {
    if (target === this.#covered) return;
    this.#steps.push(makeStep());
    this.#covered = target;
  }

  run(): void {
    for (const step of this.#steps.reverse()) step();
  }
}

/** Reads the operations of one group one argument after the other. */
class Arguments {
  readonly #group: readonly unknown[];
  #at = 1;

  constructor(group: readonly unknown[]) {
    this.#group = group;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#group.length;
  }

  any(): unknown {
    if (this.isAtEnd) corrupt("an operation lacks an argument");
    const value = this.#group[this.#at];
    this.#at += 1;
    return value;
  }

  /** A whole number from 0 to `max`. */
  count(max: number): number {
    const value = this.any();
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max) corrupt("a position is out of range");
    return value as number;
  }

  key(): unknown {
    const value = this.any();
    if (isContainer(value) || typeof value === "function" || typeof value === "symbol") corrupt("a key is not a primitive");
    return value;
  }

  name(): string {
    const value = this.any();
    if (typeof value !== "string" || value === "__proto__") corrupt("a name is not usable as a property");
    return value as string;
  }

  list(): readonly unknown[] {
    const value = this.any();
    if (!Array.isArray(value)) corrupt("an argument is not a list");
    return value as unknown[];
  }
}

function corrupt(why: string): never {
  throw new SojournError("E_CODEC_CORRUPT", `the patch is malformed: ${why}`);
}

/**
 * Applies a patch to a plain tree. Containers that the patch carries become part of the tree: apply each decoded patch once.
 * @throws SojournError `E_CODEC_CORRUPT` when the patch does not fit; the tree is unchanged then
 */
export function applyPatch(raw: object, patch: Patch): void {
  const undo = new Undo();
  try {
    if (!Array.isArray(patch)) corrupt("it is not a list");
    for (const group of patch as readonly unknown[]) {
      if (!Array.isArray(group) || group.length < 2) corrupt("a group is not a list of operations");
      applyGroup(find(raw, (group as unknown[])[0]), new Arguments(group as unknown[]), undo);
    }
  } catch (thrown) {
    undo.run();
    throw thrown;
  }
}

function find(root: object, path: unknown): object {
  if (!Array.isArray(path)) corrupt("a path is not a list");
  let at: unknown = root;
  for (const key of path as readonly unknown[]) {
    if (at instanceof Map) at = at.get(key);
    else if (Array.isArray(at) && typeof key === "number") at = at[key];
    else if (isContainer(at) && kindOf(at) === "object" && typeof key === "string" && Object.hasOwn(at, key)) {
      at = (at as Record<string, unknown>)[key];
    } else corrupt("a path leads nowhere");
  }
  return isContainer(at) ? at : corrupt("a path leads nowhere");
}

function applyGroup(target: object, args: Arguments, undo: Undo): void {
  const kind: ContainerKind = kindOf(target) ?? corrupt("a path leads to something that is not a container");
  while (!args.isAtEnd) {
    const op = args.any();
    switch (kind) {
      case "object":
        applyToObject(target as Record<string, unknown>, op, args, undo);
        break;
      case "map":
        applyToMap(target as Map<unknown, unknown>, op, args, undo);
        break;
      case "set":
        applyToSet(target as Set<unknown>, op, args, undo);
        break;
      case "array":
        applyToArray(target as unknown[], op, args, undo);
        break;
      case "typed":
        applyToTyped(target as TypedArray, op, args, undo);
        break;
      case "date":
        applyToDate(target as Date, op, args, undo);
        break;
    }
  }
}

function applyToObject(target: Record<string, unknown>, op: unknown, args: Arguments, undo: Undo): void {
  if (op === OP.set) {
    const key = args.name();
    const value = args.any();
    if (Object.hasOwn(target, key)) {
      const old = target[key];
      undo.push(target, () => {
        target[key] = old;
      });
    } else {
      undo.push(target, () => {
        delete target[key];
      });
    }
    target[key] = value;
    return;
  }
  if (op !== OP.delete && op !== OP.clear) corrupt("an operation does not fit an object");
  const removed = op === OP.delete ? [args.name()] : Object.keys(target);
  undo.cover(target, () => {
    const before = Object.entries(target);
    return () => {
      for (const key of Object.keys(target)) delete target[key];
      for (const [key, value] of before) target[key] = value;
    };
  });
  for (const key of removed) {
    if (!Object.hasOwn(target, key)) corrupt("a property to delete is not there");
    delete target[key];
  }
}

function applyToMap(target: Map<unknown, unknown>, op: unknown, args: Arguments, undo: Undo): void {
  if (op === OP.set) {
    const key = args.key();
    const value = args.any();
    if (target.has(key)) {
      const old = target.get(key);
      undo.push(target, () => target.set(key, old));
    } else undo.push(target, () => target.delete(key));
    target.set(key, value);
    return;
  }
  if (op !== OP.delete && op !== OP.clear) corrupt("an operation does not fit a Map");
  undo.cover(target, () => {
    const before = [...target];
    return () => {
      target.clear();
      for (const [key, value] of before) target.set(key, value);
    };
  });
  if (op === OP.clear) target.clear();
  else if (!target.delete(args.key())) corrupt("a key to delete is not there");
}

function applyToSet(target: Set<unknown>, op: unknown, args: Arguments, undo: Undo): void {
  if (op === OP.add) {
    const member = args.key();
    if (target.has(member)) corrupt("a member to add is there already");
    undo.push(target, () => target.delete(member));
    target.add(member);
    return;
  }
  if (op !== OP.delete && op !== OP.clear) corrupt("an operation does not fit a Set");
  undo.cover(target, () => {
    const before = [...target];
    return () => {
      target.clear();
      for (const member of before) target.add(member);
    };
  });
  if (op === OP.clear) target.clear();
  else if (!target.delete(args.key())) corrupt("a member to delete is not there");
}

function applyToArray(target: unknown[], op: unknown, args: Arguments, undo: Undo): void {
  if (op === OP.set) {
    const index = args.count(target.length - 1);
    const value = args.any();
    const old = target[index];
    undo.push(target, () => {
      target[index] = old;
    });
    target[index] = value;
    return;
  }
  if (op !== OP.splice && op !== OP.arrange) corrupt("an operation does not fit an array");
  const start = args.count(target.length);
  const count = args.count(target.length - start);
  const sources = op === OP.arrange ? args.list() : null;
  const carried = args.list();
  const items = sources === null ? carried : arrange(target, start, count, sources, carried);
  const removed = target.splice(start, count, ...items);
  undo.push(target, () => {
    target.splice(start, items.length, ...removed);
  });
}

function arrange(
  target: readonly unknown[],
  start: number,
  count: number,
  sources: readonly unknown[],
  carried: readonly unknown[],
): unknown[] {
  const used = new Set<unknown>();
  let next = 0;
  const items = sources.map((source) => {
    if (source === -1 && next < carried.length) {
      next += 1;
      return carried[next - 1];
    }
    if (typeof source !== "number" || !Number.isInteger(source) || source < 0 || source >= count)
      corrupt("a place to take from is out of range");
    const value = target[start + (source as number)];
    if (isContainer(value)) {
      if (used.has(value)) corrupt("a container would stand at two places");
      used.add(value);
    }
    return value;
  });
  if (next !== carried.length) corrupt("carried elements are left over");
  return items;
}

function applyToTyped(target: TypedArray, op: unknown, args: Arguments, undo: Undo): void {
  if (op !== OP.bytes) corrupt("an operation does not fit a typed array");
  const start = args.count(target.length);
  const elements = args.any();
  if (!isContainer(elements) || Object.getPrototypeOf(elements) !== Object.getPrototypeOf(target)) {
    corrupt("elements are not of the type of their array");
  }
  const source = elements as TypedArray;
  if (source.length > target.length - start) corrupt("elements reach beyond the end of their array");
  const before = target.slice(start, start + source.length);
  undo.push(target, () => copyElements(target, before, start));
  copyElements(target, source, start);
}

/** Between two typed arrays of the same type, which the checker cannot know. */
function copyElements(target: TypedArray, source: TypedArray, start: number): void {
  (target as Uint8Array).set(source as Uint8Array, start);
}

function applyToDate(target: Date, op: unknown, args: Arguments, undo: Undo): void {
  const time = args.any();
  if (op !== OP.time || typeof time !== "number") corrupt("an operation does not fit a Date");
  const before = target.getTime();
  undo.push(target, () => {
    target.setTime(before);
  });
  target.setTime(time as number);
}
