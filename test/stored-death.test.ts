import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { closingAfterEach } from "./support/closing.js";
import { startDirectoryProcess } from "./support/directory-process.js";
import { Talker } from "./support/talker.js";

const ENTRY = fileURLToPath(new URL("./support/stored-child.mjs", import.meta.url));
const SESSION = "ledger/busy";
const IDS = ["a", "b", "c"];
const ROUNDS = Number(process.env.SOJOURN_KILL_ROUNDS ?? 2);

const closing = closingAfterEach();

type Told = { readonly port: number } | { readonly code: string; readonly message: string };

test(`kill -9 of all nodes at once, ${ROUNDS} times: a hybrid session comes back with everything that was acknowledged`, async () => {
  const folder = closing(mkdtempSync(join(tmpdir(), "sojourn-stored-")), (path) => rmSync(path, { recursive: true, force: true }));
  const directory = closing(await startDirectoryProcess(join(folder, "directory"), 0), (running) => running.kill());
  const incidents: string[] = [];
  const ports = new Map<string, number>();
  let children: ChildProcess[] = [];
  const killAll = async () => {
    const dying = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const exited = dying.map((child) => once(child, "exit"));
    for (const child of dying) child.kill("SIGKILL");
    await Promise.all(exited);
  };
  const startAll = async () => {
    children = IDS.map((id) => fork(ENTRY, [id, directory.endpoint, join(folder, "store"), String(ports.get(id) ?? 0)], { execArgv: [] }));
    await Promise.all(
      children.map(
        (child, i) =>
          new Promise<void>((resolve, reject) => {
            child.on("message", (told: Told) => {
              if ("code" in told) {
                incidents.push(`${told.code} ${told.message}`);
                return;
              }
              ports.set(IDS[i] as string, told.port);
              resolve();
            });
            child.once("exit", (code) => reject(new Error(`node ${IDS[i]} ended with ${code}`)));
          }),
      ),
    );
  };
  closing(null, killAll);
  await startAll();
  const endpoints = [...ports.values()].map((port) => `ws://127.0.0.1:${port}`);
  const talker = closing(await Talker.start({ endpoints, session: SESSION }), (talking) => talking.abandon());
  for (let round = 0; round < ROUNDS; round++) {
    await talker.more(30 + 20 * (round % 3));
    await killAll();
    await startAll();
  }
  await talker.more(50);
  talker.expectNoTrouble();
  await talker.finish();
  expect(incidents.filter((what) => /^E_(SESSION_LOST|TURNS_LOST|STORE|EPOCH_STALE)/.test(what))).toEqual([]);
});
