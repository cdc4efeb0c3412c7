import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorCodeOf } from "../errors/sojourn-error.js";
import { applyPatch } from "./apply-patch.js";
import { containersOf, difference, isTree } from "./model.test-support.js";
import { TrackedState } from "./tracked-state.js";

const LIMITS = { maxStateDepth: 60 };

/** Turns a list of numbers into decisions, so that fast-check can shrink what it means. */
class Choices {
  #at = 0;
  readonly #numbers: readonly number[];
  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }
  get left(): boolean {
    return this.#at < this.#numbers.length;
  }
  below(n: number): number {
    const number = this.#numbers[this.#at] ?? 0;
    this.#at += 1;
    return number % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** The same thing twice: behind the tracker and in the plain model. */
interface Pair {
  readonly proxy: unknown;
  readonly model: unknown;
}

const PRIMITIVES = [
  0,
  -0,
  1,
  2,
  3,
  Number.NaN,
  Infinity,
  1.5,
  "",
  "a",
  "a longer text than most",
  "ü😀",
  true,
  false,
  null,
  undefined,
  7n,
  -(2n ** 80n),
];
const NAMES = ["a", "b", "c", "d", "10", "2", "constructor", "toString"];
const KEYS = ["a", "b", 1, 0, -0, Number.NaN, 5n, true, null, undefined];

function twice<T>(make: () => T): Pair {
  return { proxy: make(), model: make() };
}

function fresh(choices: Choices, held: readonly Pair[], depth = 0): Pair {
  const kind = choices.below(depth > 2 ? 8 : 14);
  if (kind < 6) {
    const value = choices.of(PRIMITIVES);
    return { proxy: value, model: value };
  }
  if (kind === 6) {
    const bytes = choices.of([
      () => new Uint8Array([1, 2, 3, 250]),
      () => new Float64Array([1, Number.NaN, -0]),
      () => new BigInt64Array([5n, -6n]),
      () => new Uint16Array(400),
    ]);
    return twice<object>(bytes);
  }
  if (kind === 7) {
    const time = choices.of([0, 1e12, Number.NaN, -5]);
    return twice(() => new Date(time));
  }
  if (kind === 8) {
    const members = Array.from({ length: choices.below(4) }, () => choices.of(PRIMITIVES));
    return twice(() => new Set(members));
  }
  if (kind === 13 && held.length > 0) return choices.of(held);
  const children = Array.from({ length: choices.below(5) }, () => fresh(choices, held, depth + 1));
  if (kind === 9 || kind === 12) return { proxy: children.map((c) => c.proxy), model: children.map((c) => c.model) };
  const keys = children.map(() => (kind === 10 ? choices.of(KEYS) : choices.of(NAMES)));
  const make = (side: "proxy" | "model") =>
    kind === 10
      ? new Map(children.map((c, i) => [keys[i], c[side]]))
      : Object.fromEntries(children.map((c, i) => [String(keys[i]), c[side]]));
  return { proxy: make("proxy"), model: make("model") };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const rank = (value: unknown): number => (isObject(value) ? Object.keys(value).length : String(value).length);

/** A container of the tree or one that is held, found by walking down. */
function pick(choices: Choices, root: Pair, held: Pair[]): Pair {
  let at = held.length > 0 && choices.below(4) === 0 ? choices.of(held) : root;
  while (choices.below(5) !== 0) {
    const next = child(choices, at);
    if (next === null) break;
    at = next;
  }
  if (choices.below(3) === 0 && at !== root) held.push(at);
  return at;
}

function child(choices: Choices, { proxy, model }: Pair): Pair | null {
  if (!isObject(model) || ArrayBuffer.isView(model) || model instanceof Date || model instanceof Set) return null;
  const keys = model instanceof Map ? [...model.keys()] : Object.keys(model);
  if (keys.length === 0) return null;
  const key = choices.of(keys);
  const read = (from: unknown) => (from instanceof Map ? from.get(key) : (from as Record<string, unknown>)[key as string]);
  const pair = { proxy: read(proxy), model: read(model) };
  return isObject(pair.model) ? pair : null;
}

type Both = (act: (target: never, value: never) => unknown, value?: Pair) => void;

function mutate(choices: Choices, root: Pair, held: Pair[]): void {
  const target = pick(choices, root, held);
  const model = target.model;
  if (!isObject(model)) return;
  const both = (act: (target: never, value: never) => unknown, value?: Pair) => {
    if (value !== undefined && isObject(value.model) && containersOf(value.model).includes(model)) {
      // It would contain itself: refused, and nothing happens.
      expect(() => act(target.proxy as never, value.proxy as never)).toThrow(/state is a tree/);
      return;
    }
    const proxy = act(target.proxy as never, value?.proxy as never);
    const plain = act(model as never, value?.model as never);
    if (isObject(plain) && plain !== model && containersOf(plain).length > 0 && isObject(proxy)) {
      if (Array.isArray(plain) && !isState(plain))
        plain.forEach((item, i) => {
          if (isObject(item)) held.push({ proxy: (proxy as unknown[])[i], model: item });
        });
      else held.push({ proxy, model: plain });
    } else if (!isObject(plain)) expect(proxy).toBe(plain);
  };
  const isState = (plain: unknown[]) => !spliced.has(plain);
  if (Array.isArray(model)) mutateArray(choices, model, held, both);
  else if (model instanceof Map) {
    const key = choices.of(KEYS);
    const kind = choices.below(10);
    if (kind < 6) both((t: Map<unknown, unknown>, v) => void t.set(key, v), fresh(choices, held));
    else if (kind < 9) both((t: Map<unknown, unknown>) => t.delete(key));
    else both((t: Map<unknown, unknown>) => t.clear());
  } else if (model instanceof Set) {
    const member = choices.of(PRIMITIVES);
    const kind = choices.below(10);
    if (kind < 5) both((t: Set<unknown>) => void t.add(member));
    else if (kind < 9) both((t: Set<unknown>) => t.delete(member));
    else both((t: Set<unknown>) => t.clear());
  } else if (model instanceof Date) {
    const value = choices.below(1000);
    both(choices.of([(t: Date) => t.setTime(value), (t: Date) => t.setUTCHours(value), (t: Date) => t.getTime()]));
  } else if (ArrayBuffer.isView(model)) mutateTyped(choices, model as Uint8Array, both);
  else {
    const key = choices.of(NAMES);
    const kind = choices.below(10);
    if (kind < 6) {
      both(
        (t: Record<string, unknown>, v) => {
          t[key] = v;
        },
        fresh(choices, held),
      );
    } else if (kind < 9) both((t: Record<string, unknown>) => delete t[key]);
    else {
      both((t: Record<string, unknown>) => {
        const value = t[key];
        if (!Object.hasOwn(t, key)) return;
        delete t[key];
        t[key] = value;
      });
    }
  }
}

/** Results of splice: plain lists, not containers of the state. */
const spliced = new WeakSet<object>();

function mutateArray(choices: Choices, model: unknown[], held: Pair[], both: Both): unknown {
  const length = model.length;
  const at = choices.below(length + 1);
  const count = choices.below(3);
  switch (choices.below(15)) {
    case 0:
    case 1:
      return both((t: unknown[], v) => t.push(v), fresh(choices, held));
    case 2:
      return both((t: unknown[]) => t.pop());
    case 3:
      return both((t: unknown[]) => t.shift());
    case 4:
      return both((t: unknown[], v) => t.unshift(v), fresh(choices, held));
    case 5:
      return both((t: unknown[]) => {
        const removed = t.splice(at, count);
        spliced.add(removed);
        return removed;
      });
    case 6:
      return both(
        (t: unknown[], v) => {
          const removed = t.splice(at, count, v, 1);
          spliced.add(removed);
          return removed;
        },
        fresh(choices, held),
      );
    case 7:
      return both((t: unknown[]) => void t.sort((a, b) => rank(a) - rank(b)));
    case 8:
      return both((t: unknown[]) => void t.reverse());
    case 9:
      return both((t: unknown[]) => void t.fill(at, at, at + count));
    case 10:
      return both((t: unknown[]) => void t.copyWithin(at, 0, count));
    case 11:
      return both((t: unknown[]) => {
        t.length = Math.min(at, t.length);
      });
    case 12:
      if (length < 2) return;
      return both((t: unknown[]) => {
        const other = (at + 1) % length;
        const one = at % length;
        [t[one], t[other]] = [t[other], t[one]];
      });
    case 13:
      if (length === 0) return;
      return both((t: unknown[]) => {
        const [moved] = t.splice(at % length, 1);
        t.splice(count, 0, moved);
      });
    default:
      return both(
        (t: unknown[], v) => {
          t[at] = v;
        },
        fresh(choices, held),
      );
  }
}

function mutateTyped(choices: Choices, model: Uint8Array, both: Both): void {
  const at = choices.below(model.length + 1);
  const raw = choices.below(300);
  const value = (model as unknown) instanceof BigInt64Array ? BigInt(raw) : raw;
  both(
    choices.of([
      (t: unknown[]) => {
        t[at] = value;
      },
      (t: unknown[]) => void t.fill(value, at, at + 2),
      (t: unknown[]) => void t.reverse(),
      (t: unknown[]) => void t.sort(),
      (t: unknown[]) => void t.copyWithin(at, 0, 2),
      (t: unknown[]) =>
        void (t as unknown as { set(from: unknown[], at: number): void }).set([value], Math.max(0, Math.min(at, t.length - 1))),
    ]),
  );
}

function runProgram(numbers: readonly number[], seen: Record<string, number>): void {
  const choices = new Choices(numbers);
  const start = fresh(choices, []);
  const initial = () => ({
    list: [1, { x: 1 }, { y: 2 }, "text"],
    map: new Map<unknown, unknown>([["a", { pos: { x: 1, y: 2 } }]]),
    rest: 0 as unknown,
  });
  const raw = initial();
  raw.rest = start.proxy;
  let model: object = initial();
  (model as { rest: unknown }).rest = start.model;
  const state = new TrackedState<object>(raw, LIMITS);
  const replica = structuredClone(model);
  let held: Pair[] = [];
  while (choices.left) {
    const before = structuredClone(model);
    const identities = containersOf(model);
    state.begin();
    const root: Pair = { proxy: state.root, model };
    for (let i = choices.below(8); i >= 0; i -= 1) mutate(choices, root, held);
    expect(difference(state.raw, model)).toBeNull();
    const untouched = difference(before, model) === null && sameIdentities(identities, containersOf(model));
    const tree = isTree(model);
    if (tree && choices.below(4) !== 0) {
      const patch = state.commit();
      expect(difference(state.raw, model)).toBeNull();
      if (untouched) expect(patch).toBeNull();
      if (patch !== null) applyPatch(replica, structuredClone(patch));
      expect(difference(replica, model)).toBeNull();
      expect(isTree(replica)).toBe(true);
      count(seen, patch === null ? "empty" : "committed");
      held = keepDisjoint(held, model);
    } else if (tree && choices.below(4) === 0) {
      const changed = state.discard();
      if (untouched) expect(changed).toBe(false);
      if (difference(before, model) !== null) expect(changed).toBe(true);
      expect(difference(state.raw, model)).toBeNull();
      return;
    } else {
      if (!tree) {
        let code = "";
        try {
          state.commit();
        } catch (thrown) {
          code = errorCodeOf(thrown);
        }
        expect(code).toBe("E_ALIASED");
        count(seen, "aliased");
      }
      state.rollback();
      expect(difference(state.raw, before)).toBeNull();
      model = before;
      held = [];
      count(seen, "rolled back");
    }
  }
}

function count(seen: Record<string, number>, what: string): void {
  seen[what] = (seen[what] ?? 0) + 1;
}

function sameIdentities(a: readonly object[], b: readonly object[]): boolean {
  return a.length === b.length && a.every((container, i) => container === b[i]);
}

/** Across turns only what shares nothing with the state or each other is the same on both sides. */
function keepDisjoint(held: readonly Pair[], model: object): Pair[] {
  const taken = new Set<object>(containersOf(model));
  return held.filter((pair) => {
    const own = containersOf(pair.model as object);
    if (!isTree(pair.model as object) || own.some((container) => taken.has(container)))
      return taken.has(pair.model as object) && isPlaced(pair, model);
    for (const container of own) taken.add(container);
    return true;
  });
}

function isPlaced(pair: Pair, model: object): boolean {
  return containersOf(model).includes(pair.model as object);
}

describe("tracked state against a plain model", () => {
  it("has the model's contents, patches that lead to them, and exact rollbacks", () => {
    const seen: Record<string, number> = {};
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 20, maxLength: 160, size: "max" }), (numbers) => runProgram(numbers, seen)),
      { numRuns: Number(process.env.TRACKER_RUNS ?? 1200), endOnFailure: process.env.TRACKER_RUNS !== undefined },
    );
    for (const kind of ["committed", "empty", "aliased", "rolled back"]) expect(seen[kind] ?? 0).toBeGreaterThan(30);
  });
});
