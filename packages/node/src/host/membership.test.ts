import { type Directory, type NodeEntry, type NodeRef, nodeIdOf, resolveLimits } from "@sojourn/core";
import { VirtualClock } from "@sojourn/testkit";
import { expect, it } from "vitest";
import { Membership } from "./membership.js";

const info = (id: string) => ({
  id,
  place: { zone: "z" },
  clientEndpoint: `ws://${id}`,
  controlEndpoint: `tcp://${id}`,
  kinds: {},
  cordoned: false,
});

/** Node a, a member in its third life, that hears what a directory says of others. */
async function stage() {
  const told: string[] = [];
  let say: (entry: NodeEntry) => void = () => undefined;
  const directory = {
    register: async () => "a#3",
    watchNodes: (onEntry: (entry: NodeEntry) => void) => {
      say = onEntry;
      return () => told.push("unwatch");
    },
  } as unknown as Directory;
  const lease = { valid: () => true, stop: () => undefined };
  const membership = new Membership(
    directory,
    { open: async () => undefined, begin: () => lease, close: () => undefined } as never,
    new VirtualClock(),
    resolveLimits(),
    info("a"),
    { reach: (ref) => told.push(`reach ${ref}`), forget: (ref) => told.push(`forget ${ref}`) },
    {
      ended: (ref) => told.push(`ended ${ref}`),
      lost: () => told.push("lost"),
      lapsed: () => undefined,
      resumed: () => undefined,
      failed: () => undefined,
    },
  );
  await membership.join();
  const hear = (ref: NodeRef, ended = false) => {
    say({ ref, info: info(nodeIdOf(ref)), ended });
    return told.splice(0);
  };
  return { membership, hear };
}

it("tells once that a node has ended, by the directory's word or by a newer life of it", async () => {
  const { membership, hear } = await stage();
  expect(hear("b#1")).toEqual(["reach b#1"]);
  expect(hear("b#1", true)).toEqual(["forget b#1", "ended b#1"]);
  expect(hear("b#1", true)).toEqual([]);
  expect(hear("b#2")).toEqual(["reach b#2"]);
  expect(hear("b#4")).toEqual(["forget b#2", "ended b#2", "reach b#4"]);
  expect(["b#1", "b#2", "b#3", "b#4", "b#5", "c#1"].map((ref) => membership.isEnded(ref))).toEqual([true, true, true, false, false, false]);
  expect(membership.others().map(({ ref }) => ref)).toEqual(["b#4"]);
});

it("takes nothing that comes late of an earlier life for news", async () => {
  const { membership, hear } = await stage();
  hear("b#7");
  expect(hear("b#6")).toEqual([]);
  expect(hear("b#6", true)).toEqual([]);
  expect(hear("b#7", true)).toEqual(["forget b#7", "ended b#7"]);
  expect(hear("b#7")).toEqual([]);
  expect([membership.find("b"), membership.entryOf("b#6"), membership.entryOf("b#7")?.ended]).toEqual([null, undefined, true]);
});

it("is over when its own lease has ended, or its id has begun another life", async () => {
  const one = await stage();
  one.hear("a#3");
  expect(one.hear("a#3", true)).toEqual(["unwatch", "lost"]);
  const other = await stage();
  other.hear("a#3");
  expect(other.hear("a#4")).toEqual(["unwatch", "lost"]);
});
