import { expect, test } from "vitest";
import { Latest } from "./latest.js";

test("keeps what was set last, and no more than its bound", () => {
  const latest = new Latest<number>(2);
  latest.set("a", 1);
  latest.set("b", 2);
  latest.set("a", 3);
  latest.set("c", 4);
  expect(["a", "b", "c"].map((key) => latest.get(key))).toEqual([3, undefined, 4]);
  latest.forget("a");
  latest.set("d", 5);
  expect(["a", "b", "c", "d"].map((key) => latest.get(key))).toEqual([undefined, undefined, 4, 5]);
});
