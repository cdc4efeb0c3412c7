import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const CHILD = fileURLToPath(new URL("support/store-child.mjs", import.meta.url));
const KILLS = 8;
const SESSIONS = Array.from({ length: 8 }, (_, i) => `room/${i}`);

describe("session store on disk, in processes that die", () => {
  let path: string;
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "sojourn-kill-"));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  test("whatever was acknowledged is there after SIGKILL, again and again", async () => {
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      const child = spawn(process.execPath, [CHILD, "write", path], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const { session, version } = JSON.parse(line) as { session: string; version: number };
        acknowledged.set(session, version);
        // Some rounds are cut in their first writes, some later.
        if (++lines === 3 + round * 37) child.kill("SIGKILL");
      }
      await ended;
      expect(lines).toBeGreaterThanOrEqual(3 + round * 37);
      const store = await openDiskSessionStore({ path });
      for (const [session, version] of acknowledged) {
        const replica = await store.read(session);
        expect(replica?.damage).toBeNull();
        expect(replica?.end.version).toBeGreaterThanOrEqual(version);
      }
      await store.close();
    }
    expect([...acknowledged.keys()].sort()).toEqual(SESSIONS);
  });

  test("a full disk is a named error, loses nothing, and is over when there is room", () => {
    // A namespace of mounts, so that nothing is left behind; an ordinary user needs one of users besides.
    const flags = process.getuid?.() === 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
    const { stdout, stderr, status } = spawnSync("unshare", [...flags, process.execPath, CHILD, "full", path], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const told = JSON.parse(stdout.trim().split("\n").at(-1) ?? "null");
    expect(told).toMatchObject({ full: "E_STORE_FULL", base: "E_STORE_FULL", directory: "E_DISK", again: "appended", damage: null });
    expect(told.acknowledged).toBeGreaterThan(20);
    expect(told.kept).toBe(told.acknowledged);
    expect(told.end).toBe(told.acknowledged + 1);
  });
});
