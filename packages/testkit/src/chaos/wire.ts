import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { nodeIdOf } from "@sojourn/core";
import { peekHello } from "@sojourn/node";
import { Flow } from "./flow.js";
import type { Switchboard } from "./switchboard.js";

/** Who a connection is between. */
export interface Parties {
  readonly from: string;
  readonly to: string;
}

/** Says who a connection is between by its first bytes; null when there are too few. Throws for a connection that has no business here. */
export type Identify = (first: Uint8Array) => Parties | null;

/** A TCP proxy on this machine whose connections are under the faults of a switchboard. */
export interface Wire {
  readonly port: number;
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
const MAX_FIRST_BYTES = 4_096;

/** Between nodes: they say themselves who they are. */
export const betweenNodes: Identify = (first) => {
  const hello = peekHello(first);
  return hello === null ? null : { from: nodeIdOf(hello.from), to: nodeIdOf(hello.to) };
};

/** Lays a wire to a port. */
export async function layWire(switchboard: Switchboard, target: number, identify: Identify): Promise<Wire> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  };
  const join = (near: Socket, parties: Parties, first: Uint8Array): void => {
    const far = connect({ port: target, host: HOST });
    keep(far);
    new Flow(near, far, switchboard.link(parties.from, parties.to), first.length === 0 ? null : first);
    new Flow(far, near, switchboard.link(parties.to, parties.from), null);
  };
  const server = createServer((near) => {
    keep(near);
    let first = new Uint8Array(0);
    const look = (): void => {
      try {
        const parties = identify(first);
        if (parties !== null) {
          near.off("data", onData);
          join(near, parties, first);
        } else if (first.length > MAX_FIRST_BYTES) near.destroy();
      } catch {
        near.destroy();
      }
    };
    const onData = (bytes: Uint8Array): void => {
      first = Buffer.concat([first, bytes]);
      look();
    };
    near.on("data", onData);
    look();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
