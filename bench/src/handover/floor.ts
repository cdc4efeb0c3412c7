import { connect, type Socket } from "node:net";
import { benchState } from "../common/bench-state.js";
import { Child } from "../common/child.js";
import { percentile, round } from "../common/percentiles.js";
import { floorCodec, readFrames } from "./floor-codec.js";

/** What the machine can do at all: one state encoded, sent over one TCP connection, decoded and acknowledged. */
export interface FloorResult {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perSec: number;
  /** The same one round trip, but one every 25 ms: what waking idle cores costs on this machine. */
  readonly pacedP50Us: number;
  readonly bytes: number;
}

const WARM_UP = 2_000;
const SINGLES = 6_000;
const PACED_GAP_MS = 25;
const PIPELINE_MS = 2_000;
const IN_FLIGHT = 32;

/** Measures between this process and a child. */
export async function measureFloor(): Promise<FloorResult> {
  const child = new Child(new URL("./floor-child.js", import.meta.url));
  try {
    const codec = floorCodec("near");
    const state = benchState();
    const sample = codec.encode(state);
    for (let i = 0; i < 100; i++) codec.encode(state);
    const need = codec.tableOf(codec.encode(state));
    const table = need === null ? null : codec.exportTable(need);
    const port = await child.ask<number>("serve", table ?? new Uint8Array());
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    const singles = await singleFile(socket, () => codec.encode(state));
    const paced = await singleFile(socket, () => codec.encode(state), PACED_GAP_MS);
    const perSec = await pipelined(socket, () => codec.encode(state));
    socket.destroy();
    return {
      p50Us: round(percentile(singles, 50)),
      p99Us: round(percentile(singles, 99)),
      pacedP50Us: round(percentile(paced, 50)),
      perSec: Math.round(perSec),
      bytes: sample.length,
    };
  } finally {
    await child.stop();
  }
}

function frame(number: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(8 + body.length);
  bytes.writeUInt32LE(4 + body.length, 0);
  bytes.writeUInt32LE(number, 4);
  bytes.set(body, 8);
  return bytes;
}

/** One at a time: microseconds from before encoding to the acknowledgement. */
function singleFile(socket: Socket, encode: () => Uint8Array, gapMs = 0): Promise<number[]> {
  const warmUp = gapMs > 0 ? 20 : WARM_UP;
  const last = gapMs > 0 ? 220 : WARM_UP + SINGLES;
  return new Promise((resolve) => {
    const took: number[] = [];
    let number = 0;
    let startedAt = 0n;
    const next = () => {
      startedAt = process.hrtime.bigint();
      socket.write(frame(number, encode()));
    };
    socket.removeAllListeners("data");
    readFrames(socket, () => {
      if (number >= warmUp) took.push(Number(process.hrtime.bigint() - startedAt) / 1_000);
      number++;
      if (number >= last) resolve(took);
      else if (gapMs > 0) setTimeout(next, gapMs);
      else next();
    });
    next();
  });
}

/** Many under way at once: states a second. */
function pipelined(socket: Socket, encode: () => Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    let answered = 0;
    let over = false;
    const startedAt = process.hrtime.bigint();
    const send = () => socket.write(frame(0, encode()));
    socket.removeAllListeners("data");
    readFrames(socket, () => {
      answered++;
      if (over) return;
      const elapsedMs = Number(process.hrtime.bigint() - startedAt) / 1e6;
      if (elapsedMs >= PIPELINE_MS) {
        over = true;
        resolve(answered / (elapsedMs / 1_000));
      } else {
        send();
      }
    });
    socket.cork();
    for (let i = 0; i < IN_FLIGHT; i++) send();
    socket.uncork();
  });
}
