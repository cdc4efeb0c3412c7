import type { IncomingHttpHeaders } from "node:http";

/** A body in AWS's own chunks (`hex size;…\r\n`, bytes, `\r\n`, up to a chunk of 0, then trailers) as plain bytes; others as they are. */
export function decodeAwsChunks(body: Buffer, headers: IncomingHttpHeaders): Buffer {
  const sum = headers["x-amz-content-sha256"];
  if (typeof sum !== "string" || !sum.startsWith("STREAMING-")) return body;
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    if (end < 0) throw new Error("a chunk without a size");
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
  }
}
