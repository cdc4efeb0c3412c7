import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findCluster, isRunning, readClusterFile, removeClusterFile, writeClusterFile } from "./cluster-file.js";

const cluster = {
  pid: process.pid,
  directoryEndpoint: "127.0.0.1:1",
  nodes: [{ id: "a", clientEndpoint: "ws://127.0.0.1:2", adminEndpoint: "http://127.0.0.1:3", pid: 4 }],
};

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sojourn-file-"));
  dataDir = join(folder, ".sojourn");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what was written is read and found from below, until it is removed", () => {
  expect(readClusterFile(dataDir)).toBeNull();
  writeClusterFile(dataDir, { ...cluster, nodes: [] });
  writeClusterFile(dataDir, cluster);
  expect(readdirSync(dataDir)).toEqual(["cluster.json"]);
  expect(readClusterFile(dataDir)).toEqual(cluster);
  const below = join(folder, "src/deep");
  mkdirSync(below, { recursive: true });
  expect(findCluster(below)).toEqual(cluster);
  removeClusterFile(dataDir);
  removeClusterFile(dataDir);
  expect(readClusterFile(dataDir)).toBeNull();
});

test.each(["", "{", "[]", '{"pid":"x","nodes":[]}'])("a file that says %o is E_DISK with its path", (text) => {
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, "cluster.json"), text);
  expect(() => readClusterFile(dataDir)).toThrow(expect.objectContaining({ code: "E_DISK", message: expect.stringContaining(dataDir) }));
});

test("tells a process that runs from one that does not", () => {
  expect(isRunning(process.pid)).toBe(true);
  expect(isRunning(2 ** 22 + 1)).toBe(false);
});
