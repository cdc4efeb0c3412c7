import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { median } from "../common/percentiles.js";

/** What LMDB on this machine's disk does. */
export interface DiskCosts {
  /** One durable append at a time. */
  readonly appendMs: number;
  /** Durable appends with many writers at once. */
  readonly appendsPerSec: number;
  readonly writers: number;
  readonly writeBytesPerSec: number;
  readonly readBytesPerSec: number;
  readonly readMs: number;
}

const APPEND_BYTES = 200;
const SINGLE_APPENDS = 300;
const WRITERS = 64;
const APPENDS_EACH = 300;
const LARGE_BYTES = 1_048_576;
const LARGE_WRITES = 64;

/** Durable appends and large values through LMDB in a new folder, which is removed. */
export async function measureDisk(): Promise<DiskCosts> {
  const path = mkdtempSync(join(tmpdir(), "sojourn-costs-"));
  const store = open<Buffer, number>({ path, encoding: "binary", keyEncoding: "uint32", mapSize: 512 * 1_024 * 1_024 });
  const entry = Buffer.alloc(APPEND_BYTES, 1);
  const large = Buffer.alloc(LARGE_BYTES, 2);
  let key = 0;
  const append = async (value: Buffer) => {
    await store.put(key++, value);
    await store.flushed;
  };
  try {
    const singles: number[] = [];
    for (let i = 0; i < SINGLE_APPENDS; i++) {
      const startedMs = performance.now();
      await append(entry);
      singles.push(performance.now() - startedMs);
    }
    const manyMs = performance.now();
    await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        for (let i = 0; i < APPENDS_EACH; i++) await append(entry);
      }),
    );
    const appendsPerSec = (WRITERS * APPENDS_EACH * 1_000) / (performance.now() - manyMs);
    const first = key;
    const writeMs = performance.now();
    for (let i = 0; i < LARGE_WRITES; i++) await append(large);
    const writeBytesPerSec = (LARGE_WRITES * LARGE_BYTES * 1_000) / (performance.now() - writeMs);
    const readMs = performance.now();
    for (let i = 0; i < LARGE_WRITES; i++) store.get(first + i);
    const readBytesPerSec = (LARGE_WRITES * LARGE_BYTES * 1_000) / (performance.now() - readMs);
    const smallMs = performance.now();
    for (let i = 0; i < SINGLE_APPENDS; i++) store.get(i);
    const perReadMs = (performance.now() - smallMs) / SINGLE_APPENDS;
    return { appendMs: median(singles), appendsPerSec, writers: WRITERS, writeBytesPerSec, readBytesPerSec, readMs: perReadMs };
  } finally {
    await store.close();
    rmSync(path, { recursive: true, force: true });
  }
}
