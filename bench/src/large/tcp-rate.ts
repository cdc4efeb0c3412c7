import { once } from "node:events";
import { connect } from "node:net";
import { Child } from "../common/child.js";
import { percentile } from "../common/percentiles.js";

const BURSTS = 12;
/** What Sojourn hands to its socket at a time. */
const WRITE_BYTES = 131_072;

/** So much waits for the kernel at a time, so that it never runs dry. */
const QUEUED_BYTES = 1_048_576;

/**
 * Bytes a second that one TCP connection between two processes carries: the median of bursts of this size, each until it has arrived and,
 * with `keep`, lies in memory that was not used before.
 */
export async function measureTcpRate(burstBytes: number, keep: boolean): Promise<number> {
  const child = new Child(new URL("./sink-child.js", import.meta.url));
  try {
    const port = await child.ask<number>("serve", { burstBytes, keep });
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const piece = new Uint8Array(WRITE_BYTES).fill(1);
    const rates: number[] = [];
    for (let burst = 0; burst < BURSTS; burst++) {
      const startedAt = process.hrtime.bigint();
      const arrived = once(socket, "data");
      for (let sent = 0; sent < burstBytes; sent += WRITE_BYTES) {
        socket.write(piece);
        if (socket.writableLength >= QUEUED_BYTES) await once(socket, "drain");
      }
      await arrived;
      rates.push(burstBytes / (Number(process.hrtime.bigint() - startedAt) / 1e9));
    }
    socket.destroy();
    return percentile(rates.slice(2), 50);
  } finally {
    await child.stop();
  }
}
