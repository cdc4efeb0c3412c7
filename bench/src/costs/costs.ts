import { cpus } from "node:os";
import type { FigureName } from "@sojourn/core";
import { round } from "../common/percentiles.js";
import { measureDisk } from "./disk-costs.js";
import { measureDelta, measureHeap, measureSession } from "./session-costs.js";

const SMALL_ROOMS = 1;
const LARGE_ROOMS = 256;

const NOT_MEASURED =
  "Not measured: the network (`npm run bench -- handover` measures moves on loopback), object stores, Redis, and how long a machine is away.\n" +
  "The disk is read from the page cache. States are made of 5 KB rooms; other shapes cost more or less.";

/** The bench `costs`: what encoding, restoring, applying and durable writes cost here, under the names that `sojourn advise` knows. */
export async function runCostsBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(`costs: Node ${process.version}, ${cpus().length} cores`);
  const [small, large] = [measureSession(SMALL_ROOMS), measureSession(LARGE_ROOMS)];
  for (const { stateBytes, encodeUs, restoreUs } of [small, large]) {
    say(`session     ${stateBytes} bytes   encode ${round(encodeUs)} µs   restore ${round(restoreUs)} µs`);
  }
  const delta = measureDelta();
  say(`delta       ${round(delta.deltaBytes)} bytes   apply ${round(delta.applyUs)} µs`);
  const [smallHeap, largeHeap] = [measureHeap(SMALL_ROOMS), measureHeap(16)];
  for (const { stateBytes, heapBytes } of [smallHeap, largeHeap]) {
    say(`memory      ${stateBytes} bytes encoded   ${Math.round(heapBytes)} bytes on the heap (${round(heapBytes / stateBytes)} ×)`);
  }
  const disk = await measureDisk();
  say(
    `disk        durable append p50 ${round(disk.appendMs)} ms   ${Math.round(disk.appendsPerSec)}/s with ${disk.writers} writers   ` +
      `1 MB values: write ${round(disk.writeBytesPerSec / 1e6)} MB/s   read ${round(disk.readBytesPerSec / 1e6)} MB/s (cached)`,
  );
  const growth = large.stateBytes - small.stateBytes;
  const heapPerByte = (largeHeap.heapBytes - smallHeap.heapBytes) / (largeHeap.stateBytes - smallHeap.stateBytes);
  const figures = {
    "session.encodeBytesPerSec": round((growth * 1e6) / (large.encodeUs - small.encodeUs)),
    "session.restoreBytesPerSec": round((growth * 1e6) / (large.restoreUs - small.restoreUs)),
    "session.applyUs": round(delta.applyUs),
    "session.heapPerByte": round(heapPerByte),
    "disk.appendMs": round(disk.appendMs),
    "disk.writeBytesPerSec": round(disk.writeBytesPerSec),
    "disk.readBytesPerSec": round(disk.readBytesPerSec),
    "disk.readMs": round(disk.readMs),
  } satisfies Partial<Record<FigureName, number>>;
  for (const [name, value] of Object.entries(figures)) say(`figure      ${name.padEnd(28)} ${value}`);
  say(NOT_MEASURED);
  if (json) say(JSON.stringify({ bench: "costs", figures, session: [small, large], delta, heap: [smallHeap, largeHeap], disk }));
}
