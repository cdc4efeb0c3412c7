import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { type ClientFrame, type ClientFrameOf, decodeClientFrame } from "@sojourn/core";
import { WebSocket } from "ws";

/** Sends bytes to a port and resolves with everything that came back, as text, once the other side has closed. */
export async function pour(address: string, bytes: string | Uint8Array): Promise<string> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  const socket = connectTcp({ host: host ?? "", port: Number(port) });
  let back = "";
  socket.setEncoding("latin1").on("data", (text: string) => {
    back += text;
  });
  socket.on("error", () => undefined); // being reset is one way of being refused
  const closed = once(socket, "close");
  socket.write(bytes);
  await closed;
  return back;
}

/** Opens a WebSocket, sends messages, and resolves with the frames that came back, once the other side has closed. */
export async function say(endpoint: string, ...messages: readonly (string | Uint8Array)[]): Promise<ClientFrame[]> {
  const socket = new WebSocket(endpoint, { perMessageDeflate: false });
  const frames: ClientFrame[] = [];
  socket.on("message", (data: Buffer) => frames.push(decodeClientFrame(data)));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  await once(socket, "open");
  for (const message of messages) socket.send(message);
  await closed;
  return frames;
}

/** What the last frame complains of; null when it is no complaint. */
export function complaint(frames: readonly ClientFrame[]): ClientFrameOf<"problem"> | null {
  const last = frames.at(-1);
  return last?.t === "problem" ? last : null;
}
