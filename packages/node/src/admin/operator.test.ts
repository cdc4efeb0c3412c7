import { connect, type SessionClient } from "@sojourn/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Nodes, startNodes } from "../../test-support/node-trio.js";

describe("commands on a cluster of three", () => {
  let cluster: Nodes;
  let client: SessionClient<unknown>;
  beforeAll(async () => {
    cluster = await startNodes(["a", "b", "c"]);
    client = await connect({ endpoints: [cluster.node("a").clientEndpoint], session: "counter/x" });
    await client.call.add?.();
  });
  afterAll(async () => {
    await client.close();
    await cluster.close();
  });
  const a = () => cluster.node("a");
  const ownerOf = async (session: string) => (await cluster.node("c").command({ command: "where", session })).owner;

  test("status is about the node that is asked", async () => {
    expect(await a().command({ command: "status" })).toMatchObject({ id: "a", self: "a#1", cordoned: false });
  });

  test("cluster is about all, in order, whoever is asked", async () => {
    for (const id of ["a", "b", "c"]) {
      const { asked, nodes } = await cluster.node(id).command({ command: "cluster" });
      expect(asked).toBe(id);
      expect(nodes.map((node) => [node.id, node.status?.id, node.status?.sessions.owned, node.error])).toEqual([
        ["a", "a", 1, null],
        ["b", "b", 0, null],
        ["c", "c", 0, null],
      ]);
    }
  });

  test("sessions are listed at their owner, from anywhere, one node's or all", async () => {
    const here = {
      session: "counter/x",
      owner: "a",
      epoch: 1,
      links: 1,
      connected: 1,
      moving: false,
      strategy: "replica",
      changingTo: null,
      store: "none",
      reason: null,
    };
    expect(await cluster.node("b").command({ command: "sessions" })).toMatchObject({ sessions: [here], total: 1, silent: [] });
    expect(await cluster.node("b").command({ command: "sessions", node: "a" })).toMatchObject({ sessions: [here], total: 1 });
    expect(await a().command({ command: "sessions", node: "b" })).toEqual({ sessions: [], total: 0, silent: [] });
  });

  test("a limited list says how many there are", async () => {
    const second = await connect({ endpoints: [a().clientEndpoint], session: "counter/a-second" });
    await second.call.add?.();
    const { sessions, total } = await a().command({ command: "sessions", limit: 1 });
    expect([sessions.length, total]).toEqual([1, 2]);
    const all = await a().command({ command: "sessions" });
    expect(all.sessions.map(({ session }) => session)).toEqual(["counter/a-second", "counter/x"]);
    await second.close();
  });

  test("where knows the owner, and that there is none", async () => {
    expect(await cluster.node("c").command({ command: "where", session: "counter/x" })).toMatchObject({ owner: "a", ref: "a#1", epoch: 1 });
    await expect(a().command({ command: "where", session: "counter/none" })).rejects.toMatchObject({ code: "E_SESSION_UNKNOWN" });
  });

  test("a move is carried out at the owner, whoever is asked", async () => {
    expect(await cluster.node("c").command({ command: "move", session: "counter/x", to: "b" })).toMatchObject({ from: "a#1", to: "b#1" });
    expect(await ownerOf("counter/x")).toBe("b");
    expect(await cluster.node("b").command({ command: "move", session: "counter/x", to: "a" })).toMatchObject({ from: "b#1", to: "a#1" });
    expect(await ownerOf("counter/x")).toBe("a");
    expect(await client.call.add?.()).toBe(2);
  });

  test("a strategy is changed at the owner, whoever is asked", async () => {
    const answer = await cluster.node("c").command({ command: "strategy", session: "counter/x", strategy: "replica" });
    expect(answer).toEqual({ session: "counter/x", owner: "a", from: "replica", to: "replica", changed: false, tookMs: 0 });
  });

  test.each([
    [{ command: "strategy", session: "counter/x", strategy: "hybrid" }, "E_STRATEGY_INVALID", "needs a session store"],
    [{ command: "strategy", session: "counter/x", strategy: "snapshot" }, "E_STRATEGY_INVALID", "strong"],
    [{ command: "strategy", session: "counter/none", strategy: "hybrid" }, "E_SESSION_UNKNOWN", "counter/none"],
    [{ command: "move", session: "counter/x", to: "mars" }, "E_NODE_UNKNOWN", "there are: a, b, c"],
    [{ command: "move", session: "counter/x", to: "a" }, "E_MOVE_REFUSED", "on a already"],
    [{ command: "move", session: "counter/none", to: "a" }, "E_SESSION_UNKNOWN", "counter/none"],
    [{ command: "drain", node: "mars" }, "E_NODE_UNKNOWN", "there are: a, b, c"],
    [{ command: "drain", node: "b", to: "mars" }, "E_NODE_UNKNOWN", "there are: a, b, c"],
    [{ command: "drain", node: "b", to: "b" }, "E_MOVE_REFUSED", "to itself"],
    [{ command: "drain", node: "b", deadlineMs: 60_000 }, "E_CONFIG_INVALID", "commandTimeoutMs"],
    [{ command: "sessions", node: "mars" }, "E_NODE_UNKNOWN", "there are: a, b, c"],
  ] as const)("%o is refused by name", async (command, code, says) => {
    for (const id of ["a", "b"]) {
      const outcome = cluster.node(id).command(command);
      // The owner itself may be drained for as long as one likes.
      if (code === "E_CONFIG_INVALID" && id === "b") {
        expect(await outcome).toMatchObject({ node: "b", left: [] });
        await cluster.node("b").cordon(false);
      } else await expect(outcome).rejects.toMatchObject({ code, message: expect.stringContaining(says) });
    }
  });

  test("a profile is of all nodes together, or of one", async () => {
    const { kinds, silent } = await cluster.node("c").command({ command: "profile" });
    const turns = async (node: string) => (await cluster.node("c").command({ command: "profile", node })).kinds[0]?.turns ?? 0;
    expect(silent).toEqual([]);
    const parts = [await turns("a"), await turns("b"), await turns("c")];
    expect(kinds).toMatchObject([{ kind: "counter", durability: "strong", sessions: 2, turns: parts.reduce((x, y) => x + y, 0) }]);
    expect(parts[0]).toBeGreaterThan(0);
    // a and b gave it away once each.
    expect(kinds[0]).toMatchObject({ moves: 2, blackoutMs: { count: 2 } });
    // Standbys are kept, so changes are seen.
    expect(kinds[0]?.deltaBytes.count).toBeGreaterThan(0);
    await expect(a().command({ command: "profile", kind: "none" })).rejects.toMatchObject({ code: "E_KIND_UNKNOWN" });
  });

  test("an owner that has given the session away meanwhile is looked for again, but not for ever", async () => {
    // c takes no part in the moves; only what it reads for its operator is stale.
    const { directory } = cluster.node("c").runtime.host ?? {};
    if (directory === undefined) throw new Error("c has no host");
    const read = directory.read.bind(directory);
    let reads = 0;
    const staleUntil = (last: number) => {
      reads = 0;
      directory.read = async (key) => {
        reads++;
        const record = await read(key);
        return record === null || reads > last ? record : { ...record, owner: "c#1" };
      };
    };
    const move = (to: string) => cluster.node("c").command({ command: "move", session: "counter/x", to });
    staleUntil(2);
    expect(await move("b")).toMatchObject({ from: "a#1", to: "b#1" });
    expect(reads).toBe(3);
    staleUntil(Number.POSITIVE_INFINITY);
    await expect(move("a")).rejects.toMatchObject({ code: "E_NOT_OWNER" });
    expect(reads).toBe(4);
    directory.read = read;
    expect(await move("a")).toMatchObject({ from: "b#1", to: "a#1" });
  });

  test("a cordoned node is known to all and refuses what is moved to it; by the owner's code", async () => {
    expect(await a().command({ command: "cordon", node: "b", cordoned: true })).toEqual({ node: "b", cordoned: true });
    expect(cluster.node("b").status().cordoned).toBe(true);
    const { failed } = a().status().moves;
    await expect(cluster.node("c").command({ command: "move", session: "counter/x", to: "b" })).rejects.toMatchObject({
      code: "E_NODE_CORDONED",
    });
    expect(a().status().moves.failed).toBe(failed + 1);
    await a().command({ command: "cordon", node: "b", cordoned: false });
    expect(cluster.node("b").status().cordoned).toBe(false);
  });

  test("a drain empties another node and leaves it cordoned", async () => {
    const report = await cluster.node("c").command({ command: "drain", node: "a", to: "b" });
    expect(report).toMatchObject({ node: "a", moved: 2, left: [] });
    expect(await ownerOf("counter/x")).toBe("b");
    expect(a().status()).toMatchObject({ cordoned: true, sessions: { owned: 0 } });
    expect(await client.call.add?.()).toBe(3);
  });

  test("a command that came over another node is checked like any other", async () => {
    const { host } = a().runtime;
    const answer = async (body: string) => JSON.parse((await host?.command("b#1", body)) ?? "null");
    expect(await answer("{")).toMatchObject({ ok: false, error: { code: "E_INTERNAL" } });
    expect(await answer('{"command":"reboot"}')).toMatchObject({ ok: false, error: { code: "E_CONFIG_INVALID" } });
    expect(await answer('{"command":"cluster"}')).toMatchObject({ ok: false, error: { code: "E_CONFIG_INVALID" } });
  });

  // Last: who is accused is suspected for a while.
  test("an accusation reaches every other node, whoever is asked; a lease is not ended for a node that others are connected to", async () => {
    const suspicions = (id: string) => cluster.node(id).status().failovers.suspicions;
    expect(await a().command({ command: "accuse", node: "b" })).toEqual({
      node: "b",
      ref: "b#1",
      told: ["a", "c"],
      silent: [],
      leaseEnded: false,
    });
    expect(["a", "b", "c"].map(suspicions)).toEqual([1, 0, 1]);
    const alive = { code: "E_NODE_ALIVE", message: expect.stringContaining("as a, c can tell") };
    await expect(cluster.node("c").command({ command: "accuse", node: "b#1", ended: true })).rejects.toMatchObject(alive);
    await expect(cluster.node("b").command({ command: "accuse", node: "b", ended: true })).rejects.toMatchObject({ code: "E_NODE_ALIVE" });
    for (const node of ["mars", "b#2"])
      await expect(a().command({ command: "accuse", node })).rejects.toMatchObject({ code: "E_NODE_UNKNOWN" });
    expect(cluster.node("b").status().self).toBe("b#1");
  });
});

test("a node that does not answer is listed with the reason", async () => {
  const cluster = await startNodes(["a", "b"], { commandTimeoutMs: 100 });
  try {
    // What is asked of b is never answered.
    Object.defineProperty(cluster.node("b").runtime.host, "onMessage", { value: () => undefined });
    const { nodes } = await cluster.node("a").command({ command: "cluster" });
    expect(nodes).toMatchObject([
      { id: "a", status: { id: "a" }, error: null },
      { id: "b", status: null, error: { code: "E_PEER_UNREACHABLE" } },
    ]);
    expect((await cluster.node("a").command({ command: "sessions" })).silent).toMatchObject([
      { node: "b", error: { code: "E_PEER_UNREACHABLE" } },
    ]);
  } finally {
    await cluster.close();
  }
});

test("a node that keeps no profile says nothing of its sessions", async () => {
  const cluster = await startNodes(["a"], {}, { profile: false });
  try {
    expect(await cluster.node("a").command({ command: "profile" })).toEqual({ kinds: [], sessions: [], silent: [] });
  } finally {
    await cluster.close();
  }
});
