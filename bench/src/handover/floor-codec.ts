import type { Socket } from "node:net";
import { createRecordCodec, resolveLimits } from "@sojourn/core";

/** Reads frames of u32 length + body. */
export function readFrames(socket: Socket, onFrame: (body: Uint8Array) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= 4) {
      const length = rest.readUInt32LE(at);
      if (rest.length - at - 4 < length) break;
      onFrame(rest.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    rest = rest.subarray(at);
  });
}

/** The codec of one side. */
export function floorCodec(side: string) {
  const limits = resolveLimits();
  return createRecordCodec({
    lineage: side,
    maxSharedShapes: limits.maxSharedShapes,
    maxCodecLineages: limits.maxCodecLineages,
    maxDepth: limits.maxStateDepth,
  });
}
