import type { Socket } from "@sojourn/client";
import {
  ByteWriter,
  CLIENT_PROTOCOL,
  type ClientFrame,
  type ClientFrameOf,
  decodeClientFrame,
  encodeClientFrame,
  encodePayload,
} from "@sojourn/core";
import type { SimCluster } from "./sim-cluster.js";

/** Frames of one client socket written by hand, for what no good client does. */
export class RawClient {
  readonly received: ClientFrame[] = [];
  closed = false;
  readonly #socket: Socket;
  readonly #cluster: SimCluster;
  readonly #session: string;

  private constructor(cluster: SimCluster, session: string, endpoint: string, opened: () => void) {
    this.#cluster = cluster;
    this.#session = session;
    this.#socket = cluster.sockets.openSocket(endpoint, {
      onOpen: opened,
      onMessage: (data) => this.received.push(decodeClientFrame(data)),
      onClose: () => {
        this.closed = true;
      },
    });
  }

  static async open(cluster: SimCluster, session: string, through: string): Promise<RawClient> {
    let opened = false;
    const client = new RawClient(cluster, session, cluster.node(through).endpoint, () => {
      opened = true;
    });
    await cluster.untilTrue("the socket is open", () => opened, 100);
    return client;
  }

  send(frame: ClientFrame): void {
    this.#socket.send(encodeClientFrame(new ByteWriter(), frame));
  }

  hello(
    link: string,
    token: string,
    nextToken: string,
    known: { epoch?: number; lastOut?: number; sent?: number; generation?: number } = {},
  ): void {
    const { epoch = 0, lastOut = 0, sent = 0, generation = 0 } = known;
    const offsets = { epoch, lastOut, sent, acked: 0, offsetEpoch: epoch, generation };
    this.send({ t: "hello", protocol: CLIENT_PROTOCOL, session: this.#session, link, token, nextToken, ...offsets, auth: null });
  }

  input(seq: number, action: string, argument: unknown, ack = 0): void {
    this.send({ t: "input", seq, ack, action, payload: encodePayload(argument) });
  }

  /** The first frame of this type that has come or comes. */
  async next<T extends ClientFrame["t"]>(type: T): Promise<ClientFrameOf<T>> {
    await this.#cluster.untilTrue(`a ${type} frame`, () => this.received.some(({ t }) => t === type), 10_000);
    const at = this.received.findIndex(({ t }) => t === type);
    return this.received.splice(at, 1)[0] as ClientFrameOf<T>;
  }

  /** Numbers of the session's messages, as they came. */
  get outputs(): number[] {
    return this.received.flatMap((frame) => (frame.t === "output" ? [frame.seq] : []));
  }

  close(): void {
    this.#socket.close();
  }
}
