import { describe, expect, test } from "vitest";
import { Mesh } from "./mesh.js";

/** Whether a promise has settled by the time everything that is ready has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  const first = await Promise.race([promise.catch(() => undefined), new Promise((resolve) => setImmediate(resolve, open))]);
  return first !== open;
}

describe("a mesh", () => {
  test("a node is connected when every other one says so and is said so", async () => {
    const mesh = new Mesh();
    const connected = mesh.connected("a", () => ["b", "c"], 60_000);
    for (const [from, to] of [
      ["a", "b"],
      ["b", "a"],
      ["a", "c"],
    ] as const) {
      mesh.up(from, to);
      expect(await settled(connected)).toBe(false);
    }
    mesh.up("c", "a");
    await connected;
  });

  test("what is so already is not waited for", async () => {
    const mesh = new Mesh();
    mesh.up("a", "b");
    mesh.up("b", "a");
    await mesh.connected("a", () => ["b"], 60_000);
    await mesh.connected("a", () => [], 60_000);
  });

  test("a node that ended takes its connections with it, both ways", async () => {
    const mesh = new Mesh();
    mesh.up("a", "b");
    mesh.up("b", "a");
    mesh.ended("b");
    const connected = mesh.connected("a", () => ["b"], 60_000);
    mesh.up("b", "a");
    expect(await settled(connected)).toBe(false);
    mesh.up("a", "b");
    await connected;
  });

  test("who is no longer there is no longer waited for", async () => {
    const mesh = new Mesh();
    let others = ["b"];
    const connected = mesh.connected("a", () => others, 60_000);
    expect(await settled(connected)).toBe(false);
    others = [];
    mesh.changed();
    await connected;
  });

  test("gives up after its time with the pair that is missing", async () => {
    const mesh = new Mesh();
    mesh.up("a", "b");
    await expect(mesh.connected("a", () => ["b"], 1)).rejects.toMatchObject({
      code: "E_PEER_UNREACHABLE",
      message: "a and b did not connect within 1 ms",
    });
  });
});
