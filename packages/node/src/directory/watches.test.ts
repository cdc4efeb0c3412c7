import type { NodeEntry, NodeInfo, SessionRecord } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { NodeWatch, RecordWatch } from "./watches.js";

const info: NodeInfo = { id: "a", place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false };
const entry = (incarnation: number, ended: boolean): NodeEntry => ({ ref: `a#${incarnation}`, info, ended });
const record = (revision: number, owner: string): SessionRecord => ({
  revision,
  epoch: 1,
  owner,
  inSync: [],
  heir: null,
  ended: false,
  strategy: "replica",
  stored: false,
  writer: "",
});

describe("NodeWatch", () => {
  test("tells the end of an incarnation that was succeeded while nobody watched", () => {
    const told: string[] = [];
    const watch = new NodeWatch((e) => told.push(`${e.ref} ${e.ended}`));
    watch.onNode(entry(1, false));
    watch.onNode(entry(3, false));
    watch.onNode(entry(1, true));
    watch.onNode(entry(3, true));
    watch.onNode(entry(3, true));
    expect(told).toEqual(["a#1 false", "a#1 true", "a#3 false", "a#3 true"]);
  });

  test("repeats a live node, and a late word of an earlier incarnation changes nothing", () => {
    const told: string[] = [];
    const watch = new NodeWatch((e) => told.push(`${e.ref} ${e.ended}`));
    watch.onNode(entry(2, false));
    watch.onNode(entry(1, true));
    watch.onNode(entry(2, false));
    expect(told).toEqual(["a#2 false", "a#1 true", "a#2 false"]);
  });
});

describe("RecordWatch", () => {
  test("after an interruption reads what was not replayed, once, and never goes back", () => {
    const told: string[] = [];
    const asked: string[] = [];
    const watch = new RecordWatch(
      "b#1",
      (key, r) => told.push(`${key} ${r.revision}`),
      (key) => asked.push(key),
    );
    expect(watch.request(1)).toEqual({ t: "watchRecords", id: 1, ref: "b#1" });
    watch.onRecord("r/1", record(1, "b#1"));
    watch.onRecord("r/2", record(1, "b#1"));
    watch.onRecord("r/3", record(4, "b#1"));
    watch.onRecord("r/2", record(2, "a#1"));
    watch.onReplayed();
    expect(asked).toEqual([]);
    watch.request(1);
    watch.onRecord("r/3", record(4, "b#1"));
    watch.onReplayed();
    expect(asked).toEqual(["r/1"]);
    watch.onRecord("r/3", record(3, "b#1"));
    watch.onRecord("r/1", record(5, "a#1"));
    expect(told).toEqual(["r/1 1", "r/2 1", "r/3 4", "r/2 2", "r/3 4", "r/1 5"]);
  });
});
