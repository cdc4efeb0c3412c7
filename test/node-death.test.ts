import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LocalCluster, startLocalCluster } from "@sojourn/cli";
import { connect } from "@sojourn/client/node";
import type { SessionDefinition } from "@sojourn/core";
import { describe, expect, test } from "vitest";
import { closingAfterEach } from "./support/closing.js";
import { startDirectoryProcess } from "./support/directory-process.js";
import { Eye } from "./support/eye.js";
import { ledger } from "./support/ledger.js";
import { startLocalNodes } from "./support/local-nodes.js";
import { NodeEvents } from "./support/node-events.js";
import { openDirectory } from "./support/open-directory.js";
import { Talker } from "./support/talker.js";

const module = fileURLToPath(new URL("./support/ledger.ts", import.meta.url));
const SESSION = "ledger/busy";
/** A client hears within a second that a paused node is silent. */
const limits = { standbys: 1, leaseTtlMs: 2_500, clientHeartbeatMs: 500 };

const closing = closingAfterEach();

describe("a node process with a talking client", () => {
  const start = async (ids: readonly string[] = ["a", "b", "c"]) => {
    const events = new NodeEvents();
    const cluster: LocalCluster = closing(
      await startLocalCluster({ nodes: ids.map((id) => ({ id })), module, limits, onEvent: events.listen }),
      (cluster) => cluster.stop(),
    );
    const eye = closing(new Eye(cluster.directoryEndpoint), (eye) => eye.close());
    const endpoints = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
    const talker = closing(await Talker.start({ endpoints, session: SESSION }), (talker) => talker.abandon());
    await talker.more(20);
    const owner = cluster.node(talker.client.owner);
    const { self } = await owner.command({ command: "status" });
    const { inSync } = await eye.record(self ?? "", SESSION, (record) => record.inSync.length > 0);
    return { events, cluster, talker, owner, standby: inSync[0]?.replace(/#.*/, "") };
  };

  test("kill -9: a standby goes on, and nothing that was acknowledged is lost", async () => {
    const { talker, owner, standby } = await start();
    expect(await owner.kill()).toBe(137);
    await talker.until(() => talker.client.owner !== owner.id);
    await talker.more(50);
    expect(talker.client.owner).toBe(standby);
    expect(talker.statuses).toContain("reconnecting");
    talker.expectNoTrouble();
    await talker.finish();
  });

  test("SIGTERM: it moves its session away, and its client notices nothing", async () => {
    const { cluster, talker, owner } = await start();
    expect(await owner.terminate()).toBe(0);
    expect(talker.handovers[0]).toMatchObject({ from: owner.id });
    await talker.more(50);
    expect(cluster.nodes.map(({ id }) => id)).toContain(talker.client.owner);
    await talker.finish();
  });

  test("SIGSTOP for longer than its lease: it steps down when it wakes, and comes back as a new incarnation", async () => {
    const { events, cluster, talker, owner, standby } = await start();
    // A second client reaches another session of the owner over a third node: what the owner says late comes to a socket that is still open.
    const relayed = "ledger/relayed";
    const relay = cluster.nodes.find(({ id }) => id !== owner.id)?.clientEndpoint ?? "";
    (await connect({ endpoints: [owner.clientEndpoint], session: relayed })).close();
    const other = closing(await Talker.start({ endpoints: [relay], session: relayed, limits: { switchSpreadMs: 60_000 } }), (talker) =>
      talker.abandon(),
    );
    expect(other.client.owner).toBe(owner.id);
    await other.more(20);

    process.kill(owner.pid, "SIGSTOP");
    await talker.until(() => talker.client.owner !== owner.id);
    await Promise.all([talker.more(50), other.more(100)]);
    process.kill(owner.pid, "SIGCONT");
    await events.first((node, event) => node === owner.id && event.type === "lost" && event.self === `${owner.id}#1`);
    await events.first((node, event) => node === owner.id && event.type === "joined" && event.self === `${owner.id}#2`);
    await talker.more(50);
    expect(talker.client.owner).toBe(standby);
    talker.expectNoTrouble();
    await other.more(50);
    await other.finish();
    // What it held is forgotten, and it can be given the session again.
    const status = await owner.command({ command: "status" });
    expect(status).toMatchObject({ self: `${owner.id}#2`, sessions: { owned: 0 } });
    await owner.command({ command: "move", session: SESSION, to: owner.id });
    await talker.until(() => talker.client.owner === owner.id);
    await talker.more(50);
    await talker.finish();
  });

  test("SIGSTOP of the only other node: nothing that it has not acknowledged is shown to the client until its lease has ended", async () => {
    const { events, cluster, talker, owner, standby } = await start(["a", "b"]);
    const paused = cluster.node(standby ?? "");
    process.kill(paused.pid, "SIGSTOP");
    await talker.until(() => talker.open >= 128);
    await talker.until(() => talker.open < 10);
    process.kill(paused.pid, "SIGCONT");
    await events.first((node, event) => node === paused.id && event.type === "joined" && event.self === `${paused.id}#2`);
    await talker.more(50);
    expect(talker.client.owner).toBe(owner.id);
    await talker.finish();
  });

  test("SIGSTOP of the standby where there is another node: that one takes its place before its lease has ended", async () => {
    const { cluster, talker, owner, standby } = await start();
    const paused = cluster.node(standby ?? "");
    process.kill(paused.pid, "SIGSTOP");
    await talker.more(500);
    expect((await owner.command({ command: "status" })).failovers.suspicions).toBeGreaterThan(0);
    process.kill(paused.pid, "SIGCONT");
    await talker.more(50);
    expect(talker.client.owner).toBe(owner.id);
    await talker.finish();
  });
});

test("a directory that is killed and comes back: sessions go on meanwhile, and moves afterwards", async () => {
  const folder = closing(mkdtempSync(join(tmpdir(), "sojourn-directory-")), (path) => rmSync(path, { recursive: true, force: true }));
  const first = closing(await startDirectoryProcess(folder, 0), (directory) => directory.kill());
  const { endpoint } = first;
  const nodes = closing(
    await startLocalNodes([{ id: "a" }, { id: "b" }], [ledger as SessionDefinition], () => openDirectory(endpoint)),
    (nodes) => nodes.close(),
  );
  const talker = closing(
    await Talker.start({ endpoints: nodes.nodes.map(({ clientEndpoint }) => clientEndpoint), session: SESSION }),
    (talker) => talker.abandon(),
  );
  const move = async () => {
    const source = nodes.owner(SESSION);
    const target = source.id === "a" ? "b" : "a";
    expect(await source.move(SESSION, target)).toMatchObject({ session: SESSION });
    await talker.until(() => talker.client.owner === target);
  };
  await talker.more(20);
  await move();

  await first.kill();
  await talker.more(50);
  const second = closing(await startDirectoryProcess(folder, Number(endpoint.split(":")[1])), (directory) => directory.kill());
  expect(second.endpoint).toBe(endpoint);
  await talker.more(20);
  await move();
  await move();
  await talker.more(20);
  expect(nodes.nodes.map(({ self }) => self)).toEqual(["a#1", "b#1"]);
  expect(talker.handovers).toHaveLength(3);
  await talker.finish();
});
