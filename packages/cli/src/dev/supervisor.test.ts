import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LocalCluster, LocalNodeSpec } from "../cluster/local-cluster.js";
import type { LocalNode } from "../cluster/node-handle.js";
import { type Supervised, Supervisor } from "./supervisor.js";

/** A cluster whose nodes end when a test says so. */
class FakeCluster {
  readonly started: string[] = [];
  failNext: Error | null = null;
  readonly #ends = new Map<string, (code: number) => void>();

  make({ id }: LocalNodeSpec): LocalNode {
    const exited = new Promise<number>((resolve) => this.#ends.set(id, resolve));
    return { id, exited } as LocalNode;
  }

  async start(spec: LocalNodeSpec): Promise<LocalNode> {
    this.started.push(spec.id);
    const error = this.failNext;
    this.failNext = null;
    if (error !== null) throw error;
    return this.make(spec);
  }

  async end(id: string, code: number): Promise<void> {
    this.#ends.get(id)?.(code);
    await vi.advanceTimersByTimeAsync(0);
  }
}

describe("a supervisor", () => {
  let cluster: FakeCluster;
  let told: Supervised[];
  let supervisor: Supervisor;
  beforeEach(() => {
    vi.useFakeTimers();
    cluster = new FakeCluster();
    told = [];
    supervisor = new Supervisor(cluster as unknown as LocalCluster, (what) => told.push(what));
    for (const id of ["a", "b"]) supervisor.watch({ id }, cluster.make({ id }));
  });
  afterEach(() => {
    supervisor.stop();
    vi.useRealTimers();
  });

  test("starts a crashed node again after a pause", async () => {
    await cluster.end("a", 1);
    expect(told).toEqual([{ type: "crashed", id: "a", exitCode: 1, againInMs: 250 }]);
    await vi.advanceTimersByTimeAsync(249);
    expect(cluster.started).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(cluster.started).toEqual(["a"]);
    expect(told.at(-1)).toMatchObject({ type: "restarted", node: { id: "a" } });
  });

  test("waits longer from crash to crash, up to a bound, and anew once the node was steady", async () => {
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      await cluster.end("a", 139);
      const last = told.at(-1);
      const againInMs = last?.type === "crashed" ? last.againInMs : Number.NaN;
      pauses.push(againInMs);
      await vi.advanceTimersByTimeAsync(againInMs);
    }
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    await vi.advanceTimersByTimeAsync(30_001);
    await cluster.end("a", 1);
    expect(told.at(-1)).toMatchObject({ type: "crashed", againInMs: 250 });
  });

  test("a start that fails is tried again, later", async () => {
    cluster.failNext = new Error("port taken");
    await cluster.end("a", 1);
    await vi.advanceTimersByTimeAsync(250);
    expect(told.at(-1)).toMatchObject({ type: "failed", id: "a", againInMs: 500 });
    await vi.advanceTimersByTimeAsync(500);
    expect(told.at(-1)).toMatchObject({ type: "restarted" });
  });

  test("a node that left on purpose stays away; the last one ends the cluster", async () => {
    await cluster.end("a", 0);
    expect(told).toEqual([{ type: "left", id: "a", whole: true }]);
    await cluster.end("b", 3);
    expect(told.slice(1)).toEqual([{ type: "left", id: "b", whole: false }, { type: "empty" }]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.started).toEqual([]);
  });

  test("stopped, it starts and tells nothing any more", async () => {
    await cluster.end("a", 1);
    supervisor.stop();
    await cluster.end("b", 1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.started).toEqual([]);
    expect(told).toHaveLength(1);
  });
});
