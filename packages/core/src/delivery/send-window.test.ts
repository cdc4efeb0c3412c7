import fc from "fast-check";
import { expect, test } from "vitest";
import { SendWindow } from "./send-window.js";

const code = (code: string) => expect.objectContaining({ code });
const kept = <T>(window: SendWindow<T>, from = 1) => {
  const seen: [number, T][] = [];
  window.resend(from, (seq, item) => seen.push([seq, item]));
  return seen;
};

test("numbers from 1 and keeps until acknowledged", () => {
  const window = new SendWindow<string>(10);
  expect([window.push("a"), window.push("b"), window.push("c")]).toEqual([1, 2, 3]);
  expect(window.ack(2)).toBe(2);
  expect(kept(window)).toEqual([[3, "c"]]);
  expect(window.push("d")).toBe(4);
  expect(kept(window, 4)).toEqual([[4, "d"]]);
});

test("refuses past its bound and takes again after an acknowledgement", () => {
  const window = new SendWindow<number>(2);
  window.push(1);
  window.push(2);
  expect(() => window.push(3)).toThrow(code("E_QUEUE_FULL"));
  expect(window.last).toBe(2);
  window.ack(1);
  expect(window.push(3)).toBe(3);
});

test("refuses an acknowledgement of what was never sent, and changes nothing", () => {
  const window = new SendWindow<string>(4);
  window.push("a");
  expect(() => window.ack(2)).toThrow(code("E_SEQUENCE_INVALID"));
  expect(window.size).toBe(1);
  expect(window.ack(0)).toBe(0);
});

test("numbers end before they lose exactness", () => {
  const window = new SendWindow<string>(4, Number.MAX_SAFE_INTEGER);
  expect(window.push("last")).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => window.push("beyond")).toThrow(code("E_SEQUENCE_INVALID"));
});

test("reset starts a new numbering", () => {
  const window = new SendWindow<string>(4);
  window.push("a");
  window.reset(1);
  expect(kept(window)).toEqual([]);
  expect(window.push("b")).toBe(1);
});

test("a send that acknowledges while the window is sent again sees each message at most once", () => {
  const window = new SendWindow<string>(8);
  for (const item of "abcdef") window.push(item);
  const seen: string[] = [];
  window.resend(1, (seq, item) => {
    seen.push(`${seq}${item}`);
    if (seq === 2) window.ack(4);
  });
  expect(seen).toEqual(["1a", "2b", "5e", "6f"]);
});

test("is a queue with numbers (against a plain model)", () => {
  const step = fc.oneof(fc.constant("push" as const), fc.integer({ min: 0, max: 12 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const window = new SendWindow<number>(8);
      let model: number[] = [];
      let last = 0;
      for (const step of steps) {
        if (step === "push") {
          if (model.length === 8) expect(() => window.push(0)).toThrow();
          else {
            last += 1;
            model.push(last);
            expect(window.push(last * 10)).toBe(last);
          }
        } else {
          const upTo = last - step;
          const before = model.length;
          model = model.filter((seq) => seq > upTo);
          expect(window.ack(upTo)).toBe(before - model.length);
        }
        expect(kept(window)).toEqual(model.map((seq) => [seq, seq * 10]));
        expect([window.last, window.size]).toEqual([last, model.length]);
      }
    }),
  );
});
