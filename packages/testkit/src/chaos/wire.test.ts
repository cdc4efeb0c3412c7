import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Switchboard } from "./switchboard.js";
import { betweenNodes, layWire } from "./wire.js";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server that a wire leads to, and a client at the wire's near end. */
async function setUp() {
  const switchboard = new Switchboard();
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const wire = await layWire(switchboard, (server.address() as AddressInfo).port, () => ({ from: "a", to: "b" }));
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const near = connect({ port: wire.port, host: "127.0.0.1" });
  near.on("error", () => undefined);
  const [far] = await accepted;
  far.on("error", () => undefined);
  closers.push(
    () => near.destroy(),
    () => far.destroy(),
    () => wire.close(),
    () => new Promise((resolve) => server.close(resolve)),
  );
  const hear = async (socket: Socket, bytes: number): Promise<string> => {
    let heard = "";
    while (heard.length < bytes) {
      const [chunk] = (await once(socket, "data")) as [Buffer];
      heard += chunk.toString();
    }
    return heard;
  };
  return { switchboard, near, far, hear, server, wire };
}

describe("a wire", () => {
  test("carries bytes both ways, and the end of each", async () => {
    const { near, far, hear } = await setUp();
    near.write("there");
    expect(await hear(far, 5)).toBe("there");
    far.write("back");
    expect(await hear(near, 4)).toBe("back");
    const gone = once(far, "close");
    near.end();
    far.resume();
    await gone;
  });

  test("that is held one way passes the other way, and gives up nothing when it is let go", async () => {
    const { switchboard, near, far, hear } = await setUp();
    switchboard.link("a", "b").set({ held: true });
    let heard = "";
    far.on("data", (chunk: Buffer) => {
      heard += chunk.toString();
    });
    near.write("first ");
    for (let i = 0; i < 3; i++) {
      far.write("back");
      expect(await hear(near, 4)).toBe("back");
      near.write(`${i} `);
    }
    expect(heard).toBe("");
    switchboard.link("a", "b").set({ held: false });
    await expect.poll(() => heard).toBe("first 0 1 2 ");
  });

  test("that is slow delays what passes, in order", async () => {
    const { switchboard, near, far, hear } = await setUp();
    switchboard.set("a", "b", { delayMs: 60 });
    const startMs = performance.now();
    near.write("one");
    near.write("two");
    expect(await hear(far, 6)).toBe("onetwo");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(60);
  });

  test("whose connections are reset ends them at both ends", async () => {
    const { switchboard, near, far } = await setUp();
    const gone = Promise.all([once(near, "close"), once(far, "close")]);
    switchboard.reset("a", "b");
    await gone;
  });

  test("holds back the sender when too much waits, and loses nothing of it", async () => {
    const { switchboard, near, far } = await setUp();
    switchboard.link("a", "b").set({ held: true });
    const block = Buffer.alloc(262_144, 7);
    for (let i = 0; i < 64; i++) near.write(block);
    await new Promise((resolve) => setImmediate(resolve));
    let heard = 0;
    const all = new Promise<void>((resolve) =>
      far.on("data", (chunk: Buffer) => {
        heard += chunk.length;
        if (heard === 64 * block.length) resolve();
      }),
    );
    switchboard.heal();
    await all;
  });

  test("for nodes refuses what is no control connection", async () => {
    const { server } = await setUp();
    const wire = await layWire(new Switchboard(), (server.address() as AddressInfo).port, betweenNodes);
    closers.push(() => wire.close());
    const stranger = connect({ port: wire.port, host: "127.0.0.1" });
    stranger.on("error", () => undefined);
    stranger.write("GET / HTTP/1.1\r\n\r\n");
    await once(stranger, "close");
  });
});
