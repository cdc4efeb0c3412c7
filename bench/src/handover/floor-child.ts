import { createServer } from "node:net";
import { answerCommands } from "../common/child.js";
import { floorCodec, readFrames } from "./floor-codec.js";

/** The far end: decodes each state and acknowledges it with its number. */
function serve(table: Uint8Array): Promise<number> {
  const codec = floorCodec("far");
  codec.importTable(table);
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.on("error", () => socket.destroy()); // the other side is done measuring
      let corked = false;
      readFrames(socket, (body) => {
        codec.decode(body.subarray(4));
        if (!corked) {
          corked = true;
          socket.cork();
          setImmediate(() => {
            corked = false;
            socket.uncork();
          });
        }
        const answer = Buffer.allocUnsafe(8);
        answer.writeUInt32LE(4, 0);
        answer.set(body.subarray(0, 4), 4);
        socket.write(answer);
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

answerCommands({ serve });
