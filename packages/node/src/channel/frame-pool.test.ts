import { describe, expect, it } from "vitest";
import { FramePool } from "./frame-pool.js";

describe("the pool of frames", () => {
  it("gives a buffer out again once it was given back, and never before", () => {
    const pool = new FramePool();
    const first = pool.take(5_000);
    const second = pool.take(5_000);
    expect(first.length).toBe(5_000);
    expect(second.buffer).not.toBe(first.buffer);
    pool.give(first);
    expect(pool.take(4_990).buffer).toBe(first.buffer);
    expect(pool.take(5_000).buffer).not.toBe(first.buffer);
  });

  it("keeps buffers of one size only, and a bounded number", () => {
    const pool = new FramePool();
    const small = pool.take(100);
    const large = pool.take(200_000);
    pool.give(small);
    expect(pool.free).toBe(0);
    pool.give(large);
    expect(pool.free).toBe(1);
    const many = Array.from({ length: 200 }, () => pool.take(200_000));
    for (const frame of many) pool.give(frame);
    expect(pool.free).toBe(64);
    pool.clear();
    expect(pool.free).toBe(0);
  });
});
