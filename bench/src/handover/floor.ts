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
const PACED_WARM_UP = 20;
const PACED = 200;
const PACED_GAP_MS = 25;
const PIPELINE_MS = 2_000;
const IN_FLIGHT = 32;

/** One connection between this process and a child, ready to be measured. */
export class Floor {
  readonly #child: Child;
  readonly #socket: Socket;
  readonly #encode: () => Uint8Array;

  private constructor(child: Child, socket: Socket, encode: () => Uint8Array) {
    this.#child = child;
    this.#socket = socket;
    this.#encode = encode;
  }

  static async open(): Promise<Floor> {
    const child = new Child(new URL("./floor-child.js", import.meta.url));
    const codec = floorCodec("near");
    const state = benchState();
    for (let i = 0; i < 101; i++) codec.encode(state);
    const need = codec.tableOf(codec.encode(state));
    const table = need === null ? null : codec.exportTable(need);
    const port = await child.ask<number>("serve", table ?? new Uint8Array());
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Floor(child, socket, () => codec.encode(state));
  }

  get bytes(): number {
    return this.#encode().length;
  }

  /** Microseconds of round trips one after another, after some that do not count. */
  singles(warmUp: number, count: number): Promise<number[]> {
    return singleFile(this.#socket, this.#encode, warmUp, count, 0);
  }

  /** The same, each some time after the one before. */
  paced(warmUp: number, count: number, gapMs: number): Promise<number[]> {
    return singleFile(this.#socket, this.#encode, warmUp, count, gapMs);
  }

  /** States a second with many under way. */
  perSec(): Promise<number> {
    return pipelined(this.#socket, this.#encode);
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.#child.stop();
  }
}

/** Measures between this process and a child. */
export async function measureFloor(): Promise<FloorResult> {
  const floor = await Floor.open();
  try {
    const singles = await floor.singles(WARM_UP, SINGLES);
    const paced = await floor.paced(PACED_WARM_UP, PACED, PACED_GAP_MS);
    const perSec = await floor.perSec();
    return {
      p50Us: round(percentile(singles, 50)),
      p99Us: round(percentile(singles, 99)),
      pacedP50Us: round(percentile(paced, 50)),
      perSec: Math.round(perSec),
      bytes: floor.bytes,
    };
  } finally {
    await floor.close();
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
function singleFile(socket: Socket, encode: () => Uint8Array, warmUp: number, count: number, gapMs: number): Promise<number[]> {
  const last = warmUp + count;
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
