import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeltaLog } from "./delta-log.js";

const bytes = (size: number, fill = 1) => new Uint8Array(size).fill(fill);

describe("delta log", () => {
  it("gives what follows a version, with the hash that stood before it", () => {
    const log = new DeltaLog(100, 10);
    log.push(bytes(3, 11), 1011);
    log.push(bytes(3, 12), 1012);
    expect(log.since(10)).toEqual({ deltas: [bytes(3, 11), bytes(3, 12)], hash: 1011 });
    expect(log.since(11)).toEqual({ deltas: [bytes(3, 12)], hash: 1012 });
    expect(log.since(12)).toEqual({ deltas: [], hash: null });
    expect(log.since(9)).toBeNull();
    expect(log.since(13)).toBeNull();
  });

  it("is bounded by bytes: the oldest go first, and one that is too large alone leaves nothing", () => {
    const log = new DeltaLog(10, 0);
    for (let i = 0; i < 4; i++) log.push(bytes(4), i);
    expect([log.fromVersion, log.toVersion, log.bytes]).toEqual([2, 4, 8]);
    log.push(bytes(11), 4);
    expect([log.fromVersion, log.toVersion, log.bytes]).toEqual([5, 5, 0]);
  });

  it("is always the end of what was pushed, contiguous and within its bytes", () => {
    const op = fc.oneof(
      fc.record({ t: fc.constant("push" as const), size: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ t: fc.constant("trim" as const), by: fc.nat(5) }),
      fc.record({ t: fc.constant("reset" as const), by: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(op, { maxLength: 400 }), (ops) => {
        const log = new DeltaLog(200, 0);
        let all: { size: number; hash: number }[] = [];
        let start = 0;
        for (const step of ops) {
          if (step.t === "push") {
            all.push({ size: step.size, hash: start + all.length });
            log.push(bytes(step.size), start + all.length - 1);
          } else if (step.t === "trim") {
            log.trim(log.fromVersion + step.by);
          } else {
            start = start + all.length + step.by;
            all = [];
            log.reset(start);
          }
          expect(log.toVersion).toBe(start + all.length);
          const kept = all.slice(log.fromVersion - start);
          expect(log.bytes).toBe(kept.reduce((sum, { size }) => sum + size, 0));
          expect(log.bytes).toBeLessThanOrEqual(200);
          for (const version of [log.fromVersion, log.toVersion - 1, log.toVersion]) {
            if (version < log.fromVersion) continue;
            const since = log.since(version);
            expect(since?.deltas.map(({ length }) => length)).toEqual(all.slice(version - start).map(({ size }) => size));
            expect(since?.hash).toBe(all[version - start]?.hash ?? null);
          }
          expect(log.since(log.fromVersion - 1)).toBeNull();
          expect(log.since(log.toVersion + 1)).toBeNull();
        }
      }),
      { numRuns: 60 },
    );
  });
});
