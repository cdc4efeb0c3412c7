import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineSession } from "./define-session.js";
import type { LiveCopy } from "./live-copy.js";
import { attachInput, Driver, testEnv } from "./session.fixture.test.js";
import { createSessionFactory } from "./session-factory.js";

const PAGE = 4_096;
const MIN = PAGE * 2;

const Write = z.object({ array: z.enum(["map", "heights"]), at: z.number(), value: z.number(), length: z.number() });
const atlas = defineSession({
  name: "atlas",
  version: 1,
  state: () => ({
    map: new Uint8Array(PAGE * 6 + 100),
    heights: new Float32Array(PAGE),
    small: new Uint8Array(16),
    more: new Map<string, Uint8Array>(),
    n: 0,
  }),
  actions: (action) => ({
    write: action(Write, (ctx, { array, at, value, length }) => {
      const target = ctx.state[array];
      const from = at % target.length;
      target.fill(value, from, from + length);
      ctx.state.small[at % 16] = value;
      ctx.state.n++;
    }),
    undone: action(Write, (ctx, { at, value }) => {
      ctx.state.map[at % ctx.state.map.length] = value;
      throw new Error("not so");
    }),
    add: action(z.string(), (ctx, key) => {
      ctx.state.more.set(key, new Uint8Array(MIN).fill(ctx.state.n + 1));
      ctx.state.n++;
    }),
    drop: action(z.string(), (ctx, key) => {
      ctx.state.more.delete(key);
      ctx.state.n++;
    }),
  }),
});

/** What a receiver makes of pieces that all arrive, in order. */
class Arrays {
  readonly bytes: Uint8Array<ArrayBuffer>[] = [];
  read = 0;

  take(copy: LiveCopy, maxBytes: number): boolean {
    const piece = copy.next(maxBytes);
    if (piece === null) return false;
    const { array, arrayBytes, offset, bytes } = piece;
    this.bytes[array] ??= new Uint8Array(arrayBytes);
    this.bytes[array].set(bytes, offset);
    this.read += bytes.length;
    return true;
  }
}

function started() {
  const driver = new Driver(atlas, testEnv());
  driver.attach("anna");
  const copy = driver.cell.copyLive(MIN);
  if (copy === null) throw new Error("no large array was found");
  return { driver, copy, arrays: new Arrays() };
}

function restored({ driver }: ReturnType<typeof started>, snapshot: Uint8Array, arrays: Arrays) {
  const env = testEnv();
  const table = driver.env.codec.tableOf(snapshot);
  const exported = table === null ? null : driver.env.codec.exportTable(table);
  if (exported !== null) env.codec.importTable(exported);
  return new Driver(atlas, env, createSessionFactory(atlas, env).restore("room/1", snapshot, arrays.bytes));
}

/** Comparing tens of thousands of elements one by one takes too long. */
function text(image: unknown): string {
  return JSON.stringify(image, (_key, value: unknown) => {
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
    return value instanceof Map ? [...value] : value;
  });
}

type Step =
  | { readonly do: "read"; readonly maxBytes: number }
  | { readonly do: "again"; readonly array: number; readonly offset: number; readonly length: number }
  | {
      readonly do: "write" | "undone";
      readonly array: "map" | "heights";
      readonly at: number;
      readonly value: number;
      readonly length: number;
    }
  | { readonly do: "add" | "drop"; readonly key: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), maxBytes: fc.integer({ min: 1, max: PAGE * 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("write" as const, "undone" as const),
      array: fc.constantFrom("map" as const, "heights" as const),
      at: fc.nat(PAGE * 7),
      value: fc.integer({ min: 1, max: 200 }),
      length: fc.integer({ min: 1, max: PAGE * 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("again" as const),
      array: fc.nat(2),
      offset: fc.nat(PAGE * 6),
      length: fc.integer({ min: 1, max: PAGE * 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("add" as const, "drop" as const), key: fc.constantFrom("x", "y") }) },
);

describe("a live copy", () => {
  it("is the session at its last version, whatever turns did while it was read", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const stage = started();
        const { driver, copy, arrays } = stage;
        for (const it of steps) {
          if (it.do === "read") arrays.take(copy, it.maxBytes);
          else if (it.do === "again") copy.again(it.array, it.offset, it.length);
          else if ("key" in it) driver.call("anna", it.do, it.key);
          else driver.call("anna", it.do, { array: it.array, at: it.at, value: it.value, length: it.length });
        }
        let snapshot = copy.finish();
        while (snapshot === null) {
          while (arrays.take(copy, PAGE * 2));
          snapshot = copy.finish();
        }
        expect(text(restored(stage, snapshot, arrays).image())).toBe(text(driver.image()));
      }),
      { numRuns: 200 },
    );
  });

  it("does not end before every byte was read, and reads again what a turn wrote", () => {
    const { driver, copy, arrays } = started();
    expect(copy.finish()).toBeNull();
    while (arrays.take(copy, PAGE));
    driver.call("anna", "write", { array: "map", at: 10, value: 7, length: 1 });
    expect(copy.restBytes).toBe(PAGE);
    expect(copy.finish()).toBeNull();
    arrays.take(copy, PAGE);
    expect(copy.finish()).not.toBeNull();
    expect(arrays.bytes[0]?.[10]).toBe(7);
  });

  it("reads a page that every turn writes once a round, not each time", () => {
    const { driver, copy, arrays } = started();
    const whole = copy.arrayBytes;
    for (let i = 0; copy.next(PAGE) !== null && i < 1_000; i++) {
      arrays.read += PAGE;
      if (arrays.read < whole) driver.call("anna", "write", { array: "map", at: 0, value: i % 200, length: 1 });
    }
    expect(arrays.read).toBeLessThan(whole + PAGE * 4);
  });

  it("is none where every array is small, and leaves no watch behind", () => {
    const { driver } = started();
    expect(driver.cell.copyLive(PAGE * 100)).toBeNull();
  });

  it("keeps the snapshot small, whatever the arrays take", () => {
    const { driver, copy, arrays } = started();
    while (arrays.take(copy, PAGE));
    expect(copy.finish()?.length).toBeLessThan(1_000);
    expect(driver.cell.snapshot().length).toBeGreaterThan(copy.arrayBytes);
  });

  it("cannot be restored without its arrays, or with others", () => {
    const stage = started();
    const { copy, arrays } = stage;
    while (arrays.take(copy, PAGE));
    const snapshot = copy.finish() as Uint8Array;
    expect(() => restored(stage, snapshot, new Arrays())).toThrow(/E_CODEC_CORRUPT|not at hand/);
    const wrong = new Arrays();
    wrong.bytes.push(...arrays.bytes.map((bytes) => bytes.slice(0, bytes.length - 4)));
    expect(() => restored(stage, snapshot, wrong)).toThrow(/not at hand/);
  });

  it("is not begun while a turn is in hand", () => {
    const { driver } = started();
    const slow = defineSession({
      name: "slow",
      version: 1,
      state: () => ({ map: new Uint8Array(MIN) }),
      actions: (action) => ({ wait: action(null, async () => new Promise<void>(() => undefined)) }),
    });
    const other = new Driver(slow, driver.env);
    other.run(attachInput("anna"));
    void other.cell.run(other.message("anna", "wait"), false);
    expect(() => other.cell.copyLive(MIN)).toThrow(/while a turn is in hand/);
  });
});
