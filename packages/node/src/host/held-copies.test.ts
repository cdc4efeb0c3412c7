import { expect, it } from "vitest";
import { HeldCopies } from "./held-copies.js";

it("adds up what copies take, as it changes", () => {
  const held = new HeldCopies(100);
  held.note("room/1", 60);
  held.note("room/2", 30);
  expect([held.bytes, held.full]).toEqual([90, false]);
  held.note("room/1", 80);
  expect([held.bytes, held.full]).toEqual([110, true]);
  held.note("room/1", 0);
  held.note("room/3", 0);
  expect([held.bytes, held.full]).toEqual([30, false]);
});

it("takes those that are on their way for as large as those that are here", () => {
  const held = new HeldCopies(100);
  held.note("room/1", 20);
  held.note("room/2", 40);
  expect(held.hasRoom(1)).toBe(true);
  expect(held.hasRoom(2)).toBe(false);
});
