import { expect, test } from "vitest";
import type { Clock } from "../ports/clock.js";
import type { NodeInfo } from "../ports/directory.js";
import { InMemoryDirectory } from "./in-memory-directory.js";

const clock: Clock = { now: () => 0, wallNow: () => 0, schedule: () => ({ cancel() {} }) };
const info: NodeInfo = { id: "a", place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false };

test("a watch that was stopped is told nothing, not even what was on its way", async () => {
  const directory = new InMemoryDirectory(clock).open();
  await directory.register(info, 1_000);
  const told: string[] = [];
  const stop = directory.watchNodes((entry) => told.push(entry.ref));
  stop();
  await directory.read("r/1");
  expect(told).toEqual([]);
  directory.watchNodes((entry) => told.push(entry.ref));
  await directory.read("r/1");
  expect(told).toEqual(["a#1"]);
});

test("closing a handle stops its watches, closing the directory ends every handle", async () => {
  const directory = new InMemoryDirectory(clock);
  const first = directory.open();
  const second = directory.open();
  const told: string[] = [];
  first.watchNodes((entry) => told.push(entry.ref));
  await first.close();
  await second.register(info, 1_000);
  expect(told).toEqual([]);
  await directory.close();
  await expect(second.read("r/1")).rejects.toMatchObject({ code: "E_DIRECTORY_UNAVAILABLE" });
});
