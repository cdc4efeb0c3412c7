import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BulkQueue } from "./bulk-queue.js";
import { FrameParser } from "./frame-parser.js";
import { RttEstimate } from "./rtt.js";
import { WriteBatch } from "./write-batch.js";

describe("bulk queue", () => {
  it("hands out no more than the window without credit, in order", () => {
    const queue = new BulkQueue(10);
    const frames = [4, 4, 4, 30, 1].map((size) => new Uint8Array(size));
    for (const frame of frames) queue.push(frame);
    expect([queue.next(), queue.next(), queue.next()]).toEqual([frames[0], frames[1], null]);
    expect([queue.inFlightBytes, queue.queuedBytes]).toEqual([8, 35]);
    queue.credit(4);
    expect([queue.next(), queue.next()]).toEqual([frames[2], null]);
    queue.credit(8);
    // Larger than the window: alone.
    expect([queue.next(), queue.next()]).toEqual([frames[3], null]);
    queue.credit(30);
    expect([queue.next(), queue.next()]).toEqual([frames[4], null]);
    expect([queue.inFlightBytes, queue.queuedBytes]).toEqual([1, 0]);
    expect(() => queue.credit(2)).toThrow("credit");
  });

  it("keeps order and counts over any run of pushes, takes and credits", () => {
    const step = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant("take" as const), fc.constant("credit" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4_000, size: "max" }), (steps) => {
        const queue = new BulkQueue(64);
        const waiting: Uint8Array[] = [];
        const flying: Uint8Array[] = [];
        for (const s of steps) {
          if (s === "take") {
            const frame = queue.next();
            if (frame !== null) {
              expect(frame).toBe(waiting.shift());
              flying.push(frame);
            }
          } else if (s === "credit") {
            queue.credit(flying.shift()?.length ?? 0);
          } else {
            const frame = new Uint8Array(s);
            queue.push(frame);
            waiting.push(frame);
          }
          const sum = (frames: readonly Uint8Array[]) => frames.reduce((n, f) => n + f.length, 0);
          if (queue.queuedBytes !== sum(waiting) || queue.inFlightBytes !== sum(flying) || sum(flying) > 64) throw new Error("count");
        }
      }),
      { numRuns: 20 },
    );
  });

  it("stays right when thousands wait", () => {
    const queue = new BulkQueue(2);
    for (let i = 0; i < 5_000; i++) queue.push(Uint8Array.of(i & 0xff));
    for (let i = 0; i < 5_000; i++) {
      expect(queue.next()?.[0]).toBe(i & 0xff);
      queue.credit(1);
    }
    expect(queue.next()).toBeNull();
  });
});

describe("write batch", () => {
  it("keeps the bytes of any frames, also of those taken earlier", () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 3_000, max: 70_000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 40 }), (steps) => {
        const batch = new WriteBatch();
        const taken: Uint8Array[] = [];
        steps.forEach(([bytes, take], i) => {
          const payload = new Uint8Array(bytes).fill(i);
          batch.append(4, payload);
          payload.fill(0xff);
          if (take) taken.push(...batch.take());
        });
        taken.push(...batch.take());
        expect(batch.bytes).toBe(0);
        let i = 0;
        const parser = new FrameParser(100_000, (all, start, end) => {
          expect(end - start - 1).toBe(steps[i]?.[0]);
          expect(all.subarray(start + 1, end).every((b) => b === i)).toBe(true);
          return ++i > 0;
        });
        for (const buffer of taken) parser.push(buffer);
        expect(i).toBe(steps.length);
      }),
      { numRuns: 50 },
    );
  });

  it("gathers small frames into few buffers", () => {
    const batch = new WriteBatch();
    for (let i = 0; i < 1_000; i++) batch.append(4, new Uint8Array(100));
    expect(batch.bytes).toBe(105_000);
    expect(batch.take().length).toBeLessThan(8);
  });
});

describe("rtt", () => {
  it("follows longer samples slowly and a shorter one at once", () => {
    const rtt = new RttEstimate();
    expect(rtt.ms).toBeUndefined();
    rtt.add(8);
    expect(rtt.ms).toBe(8);
    rtt.add(16);
    expect(rtt.ms).toBe(9);
    rtt.add(3);
    expect(rtt.ms).toBe(3);
  });
});
