import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LocalCluster, type LocalClusterOptions, startLocalCluster } from "@sojourn/cli";
import { connect } from "@sojourn/client/node";
import { afterAll, afterEach, expect, test } from "vitest";
import type { counter } from "./cli/counter.js";

const module = fileURLToPath(new URL("./cli/counter.ts", import.meta.url));

let cluster: LocalCluster | undefined;
let folder: string | undefined;
const start = async (ids: readonly string[], options: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> => {
  cluster = await startLocalCluster({ nodes: ids.map((id) => ({ id })), module, ...options });
  return cluster;
};
afterEach(async () => {
  await cluster?.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  cluster = undefined;
  folder = undefined;
});

/** Temporary folders go to one of this suite's own, where nobody else puts any. */
const systemTmp = process.env.TMPDIR;
const ownTmp = mkdtempSync(join(tmpdir(), "sojourn-suite-"));
process.env.TMPDIR = ownTmp;
afterAll(() => {
  if (systemTmp === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = systemTmp;
  rmSync(ownTmp, { recursive: true, force: true });
});
const clusterFolders = () => readdirSync(ownTmp);

test("nodes are connected from the start, end in all ways, and come back at their ports", async () => {
  const before = clusterFolders();
  const { nodes, node } = await start(["a", "b"]).then((started) => ({ nodes: started.nodes, node: (id: string) => started.node(id) }));
  expect(clusterFolders()).toHaveLength(before.length + 1);
  expect(nodes.map(({ id, kinds }) => [id, kinds])).toEqual([
    ["a", { counter: ["add", "seen"] }],
    ["b", { counter: ["add", "seen"] }],
  ]);
  for (const { command } of nodes) {
    const { nodes: seen } = await command({ command: "status" });
    expect(seen.map(({ id, up }) => [id, up]).sort()).toEqual([
      ["a", true],
      ["b", true],
    ]);
  }
  const first = node("a");
  expect(await first.kill()).toBe(137);
  expect(() => node("a")).toThrow(expect.objectContaining({ code: "E_NODE_UNKNOWN" }));
  const again = await cluster?.start({ id: "a" });
  expect(again).toMatchObject({ clientEndpoint: first.clientEndpoint, adminEndpoint: first.adminEndpoint });
  expect(await again?.command({ command: "status" })).toMatchObject({ self: "a#2" });
  await expect(cluster?.start({ id: "a" })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  expect(await node("b").terminate()).toBe(0);
  expect(await node("a").stop()).toBe(0);
  await cluster?.stop();
  expect(clusterFolders()).toEqual(before);
});

test("a node that is alone cannot move its sessions away, and says so by its exit code; a second SIGTERM ends it at once", async () => {
  const events: string[] = [];
  let evacuating = () => {};
  const asked = new Promise<void>((resolve) => {
    evacuating = resolve;
  });
  const { nodes } = await start(["a", "b"], {
    evacuateMs: 300,
    onEvent: (_, { type }) => events.push(type),
  });
  const [a, b] = nodes;
  await b?.stop();
  const client = await connect<typeof counter>({ endpoints: [a?.clientEndpoint ?? ""], session: "counter/x" });
  expect(await client.call.add(1)).toBe(1);
  await client.close();
  expect(await a?.terminate()).toBe(3);
  expect(events).toContain("evacuated");

  await cluster?.stop();
  const second = await start(["c"], { evacuateMs: 3_600_000, onEvent: (_, { type }) => type === "evacuating" && evacuating() });
  const other = await connect<typeof counter>({ endpoints: [second.node("c").clientEndpoint], session: "counter/x" });
  expect(await other.call.add(1)).toBe(1);
  await other.close();
  const node = second.node("c");
  const ended = node.terminate();
  await asked;
  void node.terminate();
  expect(await ended).toBe(3);
});

test("what a data folder holds is used again: nodes come back as new incarnations", async () => {
  folder = mkdtempSync(join(tmpdir(), "sojourn-data-"));
  await start(["a"], { dataDir: folder });
  await cluster?.stop();
  expect(existsSync(join(folder, "directory"))).toBe(true);
  const again = await start(["a"], { dataDir: folder });
  expect(await again.node("a").command({ command: "status" })).toMatchObject({ self: "a#2" });
});

test("one node that cannot start ends all, with its reason, and leaves nothing behind", async () => {
  const before = clusterFolders();
  await expect(start(["a", "not an id"])).rejects.toMatchObject({
    code: "E_CONFIG_INVALID",
    message: expect.stringContaining("not an id"),
  });
  await expect(start(["a"], { limits: { leaseTtlMs: 1 } })).rejects.toMatchObject({ code: "E_LIMIT_INVALID" });
  await expect(start(["a"], { module: `${module}.gone` })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  expect(clusterFolders()).toEqual(before);
});

test("what a definition prints comes line by line, and its process has the given environment", async () => {
  folder = mkdtempSync(join(fileURLToPath(new URL("./cli/", import.meta.url)), ".made-"));
  writeFileSync(join(folder, "said.ts"), `console.log("hello " + process.env.SAID + "\\nagain"); export * from "../counter.js";`);
  const lines: [string, string][] = [];
  let said = () => {};
  const all = new Promise<void>((resolve) => {
    said = resolve;
  });
  await start(["a"], {
    module: join(folder, "said.ts"),
    env: { SAID: "world" },
    onLog: (id, line) => lines.push([id, line]) === 2 && said(),
  });
  await all;
  expect(lines).toEqual([
    ["a", "hello world"],
    ["a", "again"],
  ]);
});
