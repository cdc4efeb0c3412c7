import fc from "fast-check";
import { expect, test } from "vitest";
import { ReorderWindow } from "./reorder-window.js";
import { SendWindow } from "./send-window.js";

const collect = (maxParked: number) => {
  const got: string[] = [];
  return { got, window: new ReorderWindow<string>(maxParked, (item, seq) => got.push(`${seq}${item}`)) };
};

test("parks what comes early and hands it over in order", () => {
  const { got, window } = collect(4);
  expect(window.accept(2, "b")).toBe("parked");
  expect(window.accept(3, "c")).toBe("parked");
  expect(got).toEqual([]);
  expect(window.accept(1, "a")).toBe("delivered");
  expect(got).toEqual(["1a", "2b", "3c"]);
  expect([window.next, window.parked]).toEqual([4, 0]);
});

test("reports duplicates of delivered and of parked messages", () => {
  const { got, window } = collect(4);
  window.accept(1, "a");
  window.accept(3, "c");
  expect([window.accept(1, "a"), window.accept(3, "c")]).toEqual(["duplicate", "duplicate"]);
  expect(got).toEqual(["1a"]);
});

test("parks no further ahead than its bound", () => {
  const { window } = collect(2);
  expect([window.accept(3, "c"), window.accept(4, "d"), window.accept(2, "b")]).toEqual(["parked", "dropped", "parked"]);
  expect(window.parked).toBe(2);
});

test("hands over undefined as a value", () => {
  const got: unknown[] = [];
  const window = new ReorderWindow<undefined>(4, (item) => got.push(item));
  window.accept(2, undefined);
  window.accept(1, undefined);
  expect(got).toEqual([undefined, undefined]);
});

test("a reset inside deliver ends the old numbering at once", () => {
  const got: number[] = [];
  const window: ReorderWindow<string> = new ReorderWindow(4, (_, seq) => {
    got.push(seq);
    if (seq === 1) window.reset(1);
  });
  window.accept(2, "b");
  window.accept(1, "a");
  expect(got).toEqual([1]);
  expect([window.next, window.parked]).toEqual([1, 0]);
});

test("with a send window: everything arrives once and in order over a path that loses, doubles and reorders", () => {
  const fate = fc.record({ lose: fc.boolean(), twice: fc.boolean(), at: fc.nat(30) });
  fc.assert(
    fc.property(
      fc.array(fate, { maxLength: 300 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 8 }),
      (fates, total, room) => {
        const send = new SendWindow<number>(room);
        const got: number[] = [];
        const receive = new ReorderWindow<number>(room, (item) => got.push(item));
        const flying: { seq: number; item: number }[] = [];
        let turn = 0;
        const put = (seq: number, item: number) => {
          const fate = fates[turn++];
          if (fate?.lose) return;
          for (let copies = fate?.twice ? 2 : 1; copies > 0; copies--)
            flying.splice((fate?.at ?? 0) % (flying.length + 1), 0, { seq, item });
        };
        for (let made = 0; got.length < total; ) {
          while (made < total && send.size < room) put(send.push(made + 1), ++made);
          for (const { seq, item } of flying.splice(0)) receive.accept(seq, item);
          // Acknowledgements are lost as well; once the fates are used up the path is clean.
          if (!fates[turn]?.lose) send.ack(receive.next - 1);
          send.resend(1, put);
        }
        expect(got).toEqual(Array.from({ length: total }, (_, i) => i + 1));
      },
    ),
  );
});
