import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A wire to a port that can be cut and mended: connections over it end then, and none is made. */
export interface CutWire {
  readonly port: number;
  /** Where connections lead from now on. */
  lead(port: number): void;
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

/** Lays a wire on this machine. */
export async function layWire(): Promise<CutWire> {
  let target = 0;
  let whole = true;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = connect({ port: target, host: "127.0.0.1", noDelay: true });
    keep(near, far);
    keep(far, near);
    near.setNoDelay(true).pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    whole = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    lead(port) {
      target = port;
    },
    cut,
    mend() {
      whole = true;
    },
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
