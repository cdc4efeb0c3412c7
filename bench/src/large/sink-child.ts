import { createServer } from "node:net";
import { answerCommands } from "../common/child.js";

/** Takes in what comes, and says a byte for every so many. */
function serve({ burstBytes }: { readonly burstBytes: number }): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy()); // the other side is done measuring
      let got = 0;
      socket.on("data", (chunk: Buffer) => {
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
