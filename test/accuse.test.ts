import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { type LocalCluster, type LocalNode, startLocalCluster } from "@sojourn/cli";
import { describe, expect, test } from "vitest";
import { sojourn } from "./cli/command-line.js";
import { closingAfterEach } from "./support/closing.js";
import { Talker } from "./support/talker.js";

const moduleOf = (name: string) => fileURLToPath(new URL(`./support/${name}.ts`, import.meta.url));
/** Nobody's lease ends while these tests last, and nobody suspects anybody for being silent. */
const limits = { standbys: 1, leaseTtlMs: 600_000, suspectAfterMs: 600_000, clientHeartbeatMs: 500 };
const SESSIONS = ["ledger/one", "ledger/two", "ledger/three"];

const closing = closingAfterEach();

interface World {
  readonly cluster: LocalCluster;
  readonly talkers: readonly Talker[];
  readonly owner: LocalNode;
  /** Runs `sojourn … --json` against the admin APIs of all nodes, the owner's first. */
  operate(...args: string[]): Promise<{ readonly code: number | null; readonly answer: Record<string, unknown> }>;
}

/** Sessions that are owned by `a` and have copies elsewhere, each with a client that talks. */
async function start(module: string): Promise<World> {
  const cluster: LocalCluster = closing(
    await startLocalCluster({ nodes: [{ id: "a" }, { id: "b" }, { id: "c" }], module: moduleOf(module), limits }),
    (cluster) => cluster.stop(),
  );
  const endpoints = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
  const admin = cluster.nodes.map(({ adminEndpoint }) => adminEndpoint).join(",");
  const talkers: Talker[] = [];
  for (const session of SESSIONS) talkers.push(closing(await Talker.start({ endpoints, session }), (talker) => talker.abandon()));
  await Promise.all(talkers.map((talker) => talker.more(20)));
  const copies = async () => {
    const statuses = await Promise.all(["b", "c"].map((id) => cluster.node(id).command({ command: "status" })));
    return statuses.reduce((sum, { sessions }) => sum + sessions.copies, 0);
  };
  await expect.poll(copies).toBe(SESSIONS.length);
  const operate: World["operate"] = async (...args) => {
    const { code, out, err } = await sojourn([...args, "--json", "--admin", admin], tmpdir());
    expect(err).toBe("");
    return { code, answer: JSON.parse(out) };
  };
  return { cluster, talkers, owner: cluster.node("a"), operate };
}

async function served({ talkers }: World): Promise<void> {
  await Promise.all(talkers.map((talker) => talker.until(() => talker.client.owner !== "a")));
  await Promise.all(talkers.map((talker) => talker.more(50)));
  for (const talker of talkers) await talker.finish();
}

describe("a node of which an operator says that it is down", () => {
  test("its process was killed: its sessions go on, although they wait for its lease and that is long", async () => {
    const world = await start("ledger");
    const alive = await world.operate("accuse", "a", "--ended");
    expect(alive).toMatchObject({ code: 1, answer: { error: { code: "E_NODE_ALIVE" } } });
    expect(await world.owner.kill()).toBe(137);
    const { code, answer } = await world.operate("accuse", "a#1", "--ended");
    expect({ code, answer }).toEqual({ code: 0, answer: { node: "a", ref: "a#1", told: ["b", "c"], silent: [], leaseEnded: true } });
    await served(world);
    expect(await world.operate("accuse", "a", "--ended")).toMatchObject({ code: 1, answer: { error: { code: "E_NODE_UNKNOWN" } } });
  });

  test("its process stands still: copies that lack nothing take over, and it does no harm when it wakes", async () => {
    const world = await start("swift-ledger");
    process.kill(world.owner.pid, "SIGSTOP");
    const { code, answer } = await world.operate("accuse", "a");
    expect({ code, answer }).toEqual({ code: 0, answer: { node: "a", ref: "a#1", told: ["b", "c"], silent: [], leaseEnded: false } });
    await Promise.all(world.talkers.map((talker) => talker.until(() => talker.client.owner !== "a")));
    process.kill(world.owner.pid, "SIGCONT");
    await served(world);
    const { self, sessions } = await world.owner.command({ command: "status" });
    expect({ self, owned: sessions.owned }).toEqual({ self: "a#1", owned: 0 });
  });
});
