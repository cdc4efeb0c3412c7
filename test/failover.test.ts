import { fileURLToPath } from "node:url";
import { type LocalCluster, startLocalCluster } from "@sojourn/cli";
import { expect, test } from "vitest";
import { closingAfterEach } from "./support/closing.js";
import { Talker } from "./support/talker.js";

const module = fileURLToPath(new URL("./support/swift-ledger.ts", import.meta.url));
/** Nobody's lease ends while this test lasts. */
const limits = { standbys: 1, leaseTtlMs: 600_000 };
const SESSIONS = ["ledger/one", "ledger/two", "ledger/three", "ledger/four", "ledger/five"];

const closing = closingAfterEach();

test("kill -9 of an owner under a thousand messages a second: copies take over long before its lease ends, and nothing is lost or doubled", async () => {
  const cluster: LocalCluster = closing(
    await startLocalCluster({ nodes: [{ id: "a" }, { id: "b" }, { id: "c" }], module, limits }),
    (cluster) => cluster.stop(),
  );
  const [first, ...others] = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint) as [string, ...string[]];
  const talkers: Talker[] = [];
  // Every session begins at the node that will be killed.
  for (const session of SESSIONS) {
    const talker = await Talker.start({ endpoints: [first, ...others], session });
    talkers.push(closing(talker, (talker) => talker.abandon()));
  }
  await Promise.all(talkers.map((talker) => talker.more(100)));
  const owner = cluster.node("a");
  expect(talkers.map(({ client }) => client.owner)).toEqual(SESSIONS.map(() => "a"));
  await expect.poll(async () => (await owner.command({ command: "status" })).sessions.owned).toBe(SESSIONS.length);
  const copies = async () => {
    const statuses = await Promise.all(["b", "c"].map((id) => cluster.node(id).command({ command: "status" })));
    return statuses.reduce((sum, { sessions }) => sum + sessions.copies, 0);
  };
  await expect.poll(copies).toBe(SESSIONS.length);
  expect(await owner.kill()).toBe(137);
  await Promise.all(talkers.map((talker) => talker.until(() => talker.client.owner !== "a")));
  await Promise.all(talkers.map((talker) => talker.more(200)));
  for (const talker of talkers) {
    talker.expectNoTrouble();
    await talker.finish();
  }
  const taken = await Promise.all(["b", "c"].map((id) => cluster.node(id).command({ command: "status" })));
  const sum = (of: (status: (typeof taken)[number]) => number) => taken.reduce((all, status) => all + of(status), 0);
  expect(sum(({ failovers }) => failovers.promotedOnSuspicion)).toBe(SESSIONS.length);
});
