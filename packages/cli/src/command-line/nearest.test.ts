import { expect, test } from "vitest";
import { nearest } from "./nearest.js";

const NAMES = ["dev", "status", "sessions", "where", "move", "drain", "cordon", "uncordon"];

test.each([
  ["stauts", "status"],
  ["mvoe", "move"],
  ["drian", "drain"],
  ["session", "sessions"],
  ["sess", "sessions"],
  ["wher", "where"],
  ["dve", "dev"],
  ["deploy", null],
  ["x", null],
])("%s → %s", (given, meant) => {
  expect(nearest(given, NAMES)).toBe(meant);
});
