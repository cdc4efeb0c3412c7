import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LocalClusterOptions, startLocalCluster } from "@sojourn/cli";
import { connect } from "@sojourn/client/node";
import { resolveLimits, type SessionDefinition } from "@sojourn/core";
import { createNode } from "@sojourn/node";
import { describe, expect, test } from "vitest";
import { closingAfterEach } from "./support/closing.js";
import { startDirectoryProcess } from "./support/directory-process.js";
import { Eye } from "./support/eye.js";
import { ledger } from "./support/ledger.js";
import { startLocalNodes } from "./support/local-nodes.js";
import { NodeEvents } from "./support/node-events.js";
import { openDirectory } from "./support/open-directory.js";
import type { sleeper } from "./support/sleeper.js";
import { Talker } from "./support/talker.js";

const at = (file: string) => fileURLToPath(new URL(`./support/${file}`, import.meta.url));
const LEASE_MS = 1_500;

const closing = closingAfterEach();

const temporary = () => closing(mkdtempSync(join(tmpdir(), "sojourn-lease-")), (path) => rmSync(path, { recursive: true, force: true }));

describe("a handler that holds up its whole process", () => {
  const SESSION = "sleeper/one";
  const start = async (options: Partial<LocalClusterOptions>) => {
    const events = new NodeEvents();
    const cluster = closing(
      await startLocalCluster({
        nodes: [{ id: "a" }, { id: "b" }],
        module: at("sleeper.ts"),
        onEvent: events.listen,
        ...options,
        limits: { standbys: 1, leaseTtlMs: LEASE_MS, clientHeartbeatMs: 10_000, ...options.limits },
      }),
      (cluster) => cluster.stop(),
    );
    const endpoints = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
    const client = closing(await connect<typeof sleeper>({ endpoints, session: SESSION }), (client) => client.detach());
    const owner = cluster.node(client.owner);
    const eye = closing(new Eye(cluster.directoryEndpoint), (eye) => eye.close());
    await eye.record(`${owner.id}#1`, SESSION, ({ inSync }) => inSync.length > 0);
    return { events, cluster, client, owner };
  };
  const lives = (events: NodeEvents) =>
    events.all.flatMap(({ event }) => (event.type === "lost" || event.type === "joined" ? [`${event.type} ${event.self}`] : []));

  test("for 3 s, twice its lease, keeps its session: the lease is renewed by a thread of its own", async () => {
    const { events, client, owner } = await start({});
    expect(await client.call.hold({ pid: owner.pid, ms: 3_000 })).toBe(owner.pid);
    expect(await client.call.turns()).toBe(1);
    expect(client.owner).toBe(owner.id);
    expect(lives(events).sort()).toEqual(["joined a#1", "joined b#1"]);
    expect(await owner.command({ command: "status" })).toMatchObject({ self: `${owner.id}#1`, sessions: { owned: 1 } });
  });

  test("loses it when the lease is renewed on the same event loop", async () => {
    const { events, client, owner } = await start({ leaseRenewal: "loop" });
    const held = client.call.hold({ pid: owner.pid, ms: 3_000 });
    await events.first((node, event) => node === owner.id && event.type === "lost" && event.self === `${owner.id}#1`);
    // Its turn came to nothing, and was made again by the standby, where it holds up nobody.
    expect(await held).not.toBe(owner.pid);
    expect(await client.call.turns()).toBe(1);
  });

  test("for longer than maxStallMs loses it: its process counts as dead, and comes back as a new incarnation", async () => {
    const { events, cluster, client, owner } = await start({ limits: { maxStallMs: 500, clientHeartbeatMs: 500 } });
    const STALL_MS = 10_000;
    const startedAtMs = performance.now();
    const pid = await client.call.hold({ pid: owner.pid, ms: STALL_MS });
    expect(pid).not.toBe(owner.pid);
    expect(performance.now() - startedAtMs).toBeLessThan(STALL_MS);
    expect(client.owner).toBe(cluster.nodes.find(({ id }) => id !== owner.id)?.id);
    await events.first((node, event) => node === owner.id && event.type === "joined" && event.self === `${owner.id}#2`);
    const told = events.all.flatMap(({ node, event }) => (node === owner.id && event.type === "incident" ? [event] : []));
    expect(told).toContainEqual(
      expect.objectContaining({ code: "E_LEASE_RENEWAL", message: expect.stringMatching(/stood still for \d+ ms/) }),
    );
    expect(await client.call.turns()).toBe(1);
  });
});

test("a directory that is away for longer than all leases: nothing runs meanwhile, then everything goes on where it was", async () => {
  const folder = temporary();
  const first = closing(await startDirectoryProcess(folder, 0), (directory) => directory.kill());
  const { endpoint } = first;
  const incidents: string[] = [];
  let bothLapsed: () => void = () => undefined;
  const lapsed = new Promise<void>((resolve) => {
    bothLapsed = resolve;
  });
  const incident = (_: string, code: string): void => {
    incidents.push(code);
    if (incidents.filter((other) => other === "E_LEASE_LAPSED").length === 2) bothLapsed();
  };
  const nodes = closing(
    await startLocalNodes(
      ["a", "b"].map((id) => ({
        id,
        limits: { leaseTtlMs: LEASE_MS },
        on: { incident },
      })),
      [ledger as SessionDefinition],
      () => openDirectory(endpoint),
    ),
    (nodes) => nodes.close(),
  );
  const session = "ledger/away";
  const talker = closing(await Talker.start({ endpoints: nodes.nodes.map(({ clientEndpoint }) => clientEndpoint), session }), (talker) =>
    talker.abandon(),
  );
  await talker.more(20);
  await first.kill();
  await lapsed;
  expect(nodes.nodes.map(({ runtime }) => runtime.host?.leaseValid())).toEqual([false, false]);
  await talker.until(() => talker.statuses.includes("reconnecting"));
  closing(await startDirectoryProcess(folder, Number(endpoint.split(":")[1])), (directory) => directory.kill());
  await talker.more(50);
  expect(nodes.nodes.map(({ self }) => self)).toEqual(["a#1", "b#1"]);
  expect(incidents).not.toContain("E_SESSION_LOST");
  await talker.finish();
});

describe("the thread that renews the lease", () => {
  const serve = async () => closing(await startDirectoryProcess(temporary(), 0), (directory) => directory.kill());
  const sessions = [ledger as SessionDefinition];

  test("that cannot be started keeps the node from starting, with a named error", async () => {
    const { endpoint } = await serve();
    const directory = closing(openDirectory(endpoint), (directory) => directory.close());
    Object.assign(directory, { renewals: { module: new URL("./support/broken-renewals.mjs", import.meta.url).href, options: {} } });
    await expect(createNode({ id: "a", sessions, directory })).rejects.toMatchObject({
      code: "E_LEASE_RENEWAL",
      message: expect.stringContaining("no way there"),
    });
  });

  test("that dies is reported and started again; the lease lives on", async () => {
    const { endpoint } = await serve();
    const directory = closing(openDirectory(endpoint), (directory) => directory.close());
    const deaths = new SharedArrayBuffer(4);
    new Int32Array(deaths)[0] = 1;
    const module = new URL("./support/dying-renewals.mjs", import.meta.url).href;
    Object.assign(directory, { renewals: { module, options: { endpoint, limits: resolveLimits(), deaths } } });
    let reported: (message: string) => void = () => undefined;
    const report = new Promise<string>((resolve) => {
      reported = resolve;
    });
    const node = closing(
      await createNode({
        id: "a",
        sessions,
        directory,
        limits: { leaseTtlMs: 2_000 },
        on: { incident: (_, code, message) => reported(`${code}: ${message}`) },
      }),
      (node) => node.close(),
    );
    expect(await report).toMatch(/^E_LEASE_RENEWAL: the thread that renews the lease has ended: exit code 7/);
    const talker = closing(await Talker.start({ endpoints: [node.clientEndpoint], session: "ledger/thread" }), (talker) =>
      talker.abandon(),
    );
    const startedAtMs = performance.now();
    await talker.until(() => performance.now() - startedAtMs > 2_500);
    expect(node.self).toBe("a#1");
    expect(node.runtime.host?.leaseValid()).toBe(true);
    await talker.finish();
  });

  test("does not keep a process alive whose node is closed", async () => {
    const { endpoint } = await serve();
    const child = fork(at("short-life.mjs"), [endpoint], { execArgv: [] });
    const [[self], [code]] = await Promise.all([once(child, "message"), once(child, "exit")]);
    expect([self, code]).toEqual(["short#1", 0]);
  });

  test("can be asked for only where a thread can reach the directory", async () => {
    const { endpoint } = await serve();
    // An identity check is a function, which no other thread can be given.
    const directory = openDirectory(endpoint, { tls: { checkServerIdentity: () => undefined } });
    closing(directory, (directory) => directory.close());
    await expect(createNode({ id: "a", sessions, directory, leaseRenewal: "thread" })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });
});
