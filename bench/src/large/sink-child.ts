import { createServer } from "node:net";
import { answerCommands } from "../common/child.js";

/** Takes in what comes, and says a byte for every so many. With `keep` they are put into fresh memory, as whoever needs them has to. */
function serve({ burstBytes, keep }: { readonly burstBytes: number; readonly keep: boolean }): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy()); // the other side is done measuring
      let got = 0;
      let kept = new Uint8Array(0);
      socket.on("data", (chunk: Buffer) => {
        if (keep) {
          if (got === 0) kept = new Uint8Array(burstBytes);
          kept.set(chunk.subarray(0, burstBytes - got), got);
        }
        got += chunk.length;
        while (got >= burstBytes) {
          got -= burstBytes;
          socket.write(Uint8Array.of(1));
        }
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

answerCommands({ serve });
