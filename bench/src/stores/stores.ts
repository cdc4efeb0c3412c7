import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, write } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import { createMemorySessionStore } from "@sojourn/adapters/memory";
import type { LogEntry, SessionStore } from "@sojourn/core";
import { percentile, round } from "../common/percentiles.js";

const WRITERS = [1, 64, 512] as const;
const WINDOW_MS = 1_500;
const DELTA_BYTES = 200;
const BASE_BYTES = 5_000;
/** A log of five seconds at 20 turns a second. */
const RESTORED_TURNS = 100;
const RESTORES = 200;

const NOT_MEASURED =
  "Not measured: Redis and S3 (their round trip is the figure), several processes at one file, states other than 5 KB and deltas other than\n" +
  "200 bytes. Ratios are against a plain file that is appended to and flushed (fdatasync) one write after another, in the same run.";

interface Rate {
  readonly perSec: number;
  readonly holdP99Ms: number;
}

interface StoreRow {
  readonly store: string;
  readonly appends: readonly (Rate & { readonly writers: number; readonly overYardstick: number })[];
  readonly basesPerSec: number;
  readonly basesOverYardstick: number;
  readonly restoreP50Ms: number;
  readonly restoreP99Ms: number;
}

/** The bench `stores`: how fast replicas become durable and come back. */
export async function runStoresBench(json: boolean): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`stores: ${DELTA_BYTES}-byte deltas, ${BASE_BYTES / 1_000} KB snapshots, Node ${process.version}, ${cpus().length} cores`);
  const folder = mkdtempSync(join(tmpdir(), "sojourn-bench-"));
  try {
    const yardstick = await measureYardstick(join(folder, "plain"));
    say(`yardstick   ${round(yardstick)} flushed appends/s to a plain file, one after another`);
    const rows: StoreRow[] = [];
    for (const [store, open] of [
      ["memory", async () => createMemorySessionStore()],
      ["disk", () => openDiskSessionStore({ path: join(folder, "disk") })],
    ] as const) {
      const row = await measureStore(store, await open(), yardstick);
      rows.push(row);
      for (const { writers, perSec, overYardstick, holdP99Ms } of row.appends) {
        const line = `${perSec} appends/s (${overYardstick} × yardstick)   event loop held p99 ${holdP99Ms} ms`;
        say(`${store.padEnd(11)} ${String(writers).padStart(3)} writers   ${line}`);
      }
      say(
        `${store.padEnd(11)} ${row.basesPerSec} snapshots/s by 64 writers (${row.basesOverYardstick} × yardstick)   ` +
          `restore of a snapshot and ${RESTORED_TURNS} deltas p50 ${row.restoreP50Ms} ms   p99 ${row.restoreP99Ms} ms`,
      );
    }
    say(NOT_MEASURED);
    if (json) say(JSON.stringify({ bench: "stores", yardstickPerSec: round(yardstick), rows }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureYardstick(path: string): Promise<number> {
  const file = openSync(path, "a");
  const bytes = new Uint8Array(DELTA_BYTES);
  const writeAll = promisify(write) as unknown as (fd: number, bytes: Uint8Array) => Promise<unknown>;
  const flush = promisify(fdatasync);
  try {
    return (
      await during(1, async () => {
        await writeAll(file, bytes);
        await flush(file);
      })
    ).perSec;
  } finally {
    closeSync(file);
  }
}

async function measureStore(name: string, store: SessionStore, yardstick: number): Promise<StoreRow> {
  const appends: StoreRow["appends"][number][] = [];
  for (const writers of WRITERS) {
    const turns = Array.from({ length: writers }, (_, i) => sessionOf(`room/${writers}-${i}`));
    await Promise.all(turns.map(({ putBase }) => putBase(store)));
    const rate = await during(writers, async (writer) => {
      const [outcome] = await store.append([turns[writer]?.nextTurn() as LogEntry]);
      if (outcome?.outcome !== "appended") throw new Error(`an append is ${outcome?.outcome}`);
    });
    appends.push({ writers, overYardstick: round(rate.perSec / yardstick), perSec: round(rate.perSec), holdP99Ms: rate.holdP99Ms });
  }
  const owners = Array.from({ length: 64 }, (_, i) => sessionOf(`doc/${i}`));
  const bases = await during(64, async (writer) => void (await owners[writer]?.putBase(store)));
  const restored = sessionOf("room/restored");
  await restored.putBase(store);
  for (let i = 0; i < RESTORED_TURNS; i++) await store.append([restored.nextTurn()]);
  const durations: number[] = [];
  for (let i = 0; i < RESTORES; i++) {
    const started = performance.now();
    await store.fence("room/restored", 2 + i);
    const replica = await store.read("room/restored");
    durations.push(performance.now() - started);
    if (replica?.log.length !== RESTORED_TURNS) throw new Error("not everything came back");
  }
  await store.close();
  return {
    store: name,
    appends,
    basesPerSec: round(bases.perSec),
    basesOverYardstick: round(bases.perSec / yardstick),
    restoreP50Ms: round(percentile(durations, 50)),
    restoreP99Ms: round(percentile(durations, 99)),
  };
}

/** Runs so many writers, each one operation after another, for the length of a window. */
async function during(writers: number, operation: (writer: number) => Promise<void>): Promise<Rate> {
  const hold = monitorEventLoopDelay({ resolution: 1 });
  hold.enable();
  const started = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      while (performance.now() - started < WINDOW_MS) {
        await operation(writer);
        // A store that answers without any I/O would leave no turn to anything else.
        if (++done % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  hold.disable();
  return { perSec: done / seconds, holdP99Ms: round(hold.percentile(99) / 1e6) };
}

/** A made-up session with true hashes. */
function sessionOf(session: string): { nextTurn(): LogEntry; putBase(store: SessionStore): Promise<void> } {
  let version = 0;
  let hash = 0;
  const delta = new Uint8Array(DELTA_BYTES).fill(7);
  const bytes = new Uint8Array(BASE_BYTES).fill(3);
  return {
    nextTurn() {
      const fromVersion = version;
      const fromHash = hash;
      version++;
      hash = crc32(delta, hash);
      return { session, record: { epoch: 1, fromVersion, fromHash, version, hash, deltas: [delta], table: null } };
    },
    async putBase(store) {
      const { outcome } = await store.putBase(session, { epoch: 1, version, hash, stateVersion: 1, chunks: [bytes], table: () => null });
      if (outcome !== "stored") throw new Error(`a snapshot is ${outcome}`);
    },
  };
}
