import type { AddressInfo, Server } from "node:net";
import {
  type Clock,
  type ErrorCode,
  type Limits,
  type NodeRef,
  type Peers,
  type Random,
  type Scheduled,
  SojournError,
} from "@sojourn/core";
import { Acceptor } from "./acceptor.js";
import type { ChannelCounters, ChannelIo, OpenLane } from "./channel-io.js";
import { HandlerGate } from "./handler-gate.js";
import { PeerBook } from "./peer-book.js";
import { TickFlusher } from "./tick-flusher.js";
import { type ChannelTls, codeOfSocketError, createListener, formatAddress, objectionTo } from "./transport.js";

/** How to open a control channel. */
export interface TcpPeersOptions {
  /** The present incarnation; asked at each handshake and each message, for a node may have to join again. */
  readonly self: () => NodeRef;
  /** Port 0 takes any free port. `advertiseHost` and `advertisePort` are what others dial when it is not this. */
  readonly listen: { readonly host: string; readonly port: number; readonly advertiseHost?: string; readonly advertisePort?: number };
  /** Without it the channel trusts everybody who reaches the port. */
  readonly tls?: ChannelTls;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: Random;
  /** Hears what went wrong with whom, for logs and metrics. Repeated failures to reach a peer are told once. Must not throw. */
  readonly onProblem?: (peer: NodeRef | null, code: ErrorCode, message: string) => void;
}

/** Figures of a channel since its start, and as it is now. */
export interface ChannelStats extends Readonly<ChannelCounters> {
  readonly peers: number;
  readonly up: number;
  readonly sockets: number;
  readonly queuedBytes: number;
}

/** The control channel over TCP or mutual TLS. `close` writes out what was queued; afterwards nothing is sent or told. */
export interface TcpPeers extends Peers {
  /** `host:port` for others. */
  readonly address: string;
  /** Where it listens itself. */
  readonly port: number;
  stats(): ChannelStats;
  close(): Promise<void>;
}

/** Listens and gives the channel. @throws SojournError `E_CONFIG_INVALID` when the port cannot be opened. */
export async function createTcpPeers(options: TcpPeersOptions): Promise<TcpPeers> {
  const { self, listen, tls, limits, clock, random } = options;
  const onProblem = options.onProblem ?? (() => {});
  const counters: ChannelCounters = { framesSent: 0, framesReceived: 0, bytesSent: 0, bytesReceived: 0, writes: 0 };
  const io: ChannelIo = { clock, random, limits, flusher: new TickFlusher(), counters, lanes: new Set<OpenLane>() };
  const gate = new HandlerGate(onProblem);
  const book = new PeerBook({ io, tls, self, gate, onProblem });
  const acceptor = new Acceptor(io, {
    onHello: (lane, hello) => book.onHello(lane, hello),
    objectionTo: (nodeId, socket) => objectionTo(nodeId, socket, tls),
    onProblem,
  });
  const server = createListener(
    tls,
    limits.peerConnectTimeoutMs,
    (socket) => acceptor.accept(socket),
    (error) => {
      const code = codeOfSocketError(error);
      // Leaving in the middle of the TLS handshake is no problem: a dial that was overtaken by the other side's does it.
      if (code !== "E_PEER_UNREACHABLE") onProblem(null, code, error.message);
    },
  );
  server.maxConnections = limits.maxPeers * 2 + limits.maxPeerHandshakes;
  await listenOn(server, listen.host, listen.port);
  server.on("error", (error) => onProblem(null, "E_INTERNAL", error.message));
  const { port } = server.address() as AddressInfo;
  const heart = startHeart(clock, limits, (elapsedMs) => book.beat(elapsedMs));
  let closing: Promise<void> | null = null;

  const shut = async (): Promise<void> => {
    heart.cancel();
    acceptor.close();
    book.clear();
    const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([stopped, ...[...io.lanes].map((lane) => new Promise((resolve) => lane.socket.once("close", resolve)))]);
  };

  return {
    address: formatAddress(listen.advertiseHost ?? listen.host, listen.advertisePort ?? port),
    port,
    bind: (handler) => gate.bind(handler),
    reach(peer, address) {
      if (closing === null) book.reach(peer, address);
    },
    forget: (peer) => book.forget(peer),
    send(to, lane, message, urgent = false) {
      if (message.length >= limits.maxPeerFrameBytes) {
        throw new SojournError("E_FRAME_TOO_LARGE", `message of ${message.length} bytes; the limit is ${limits.maxPeerFrameBytes - 1}`);
      }
      return book.send(to, lane, message, urgent);
    },
    isUp: (peer) => book.isUp(peer),
    rttMs: (peer) => book.rttMs(peer),
    stats: () => ({ ...counters, ...book.totals(), sockets: io.lanes.size }),
    close() {
      closing ??= shut();
      return closing;
    },
  };
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(new SojournError("E_CONFIG_INVALID", `cannot listen on ${formatAddress(host, port)}: ${error.message}`, {}, error));
    server.once("error", refuse);
    server.listen(port, host, () => {
      server.off("error", refuse);
      resolve();
    });
  });
}

/**
 * Beats for all peers. Time in which this process could not listen is not silence of the others: a late beat counts as one
 * interval.
 */
function startHeart(clock: Clock, limits: Limits, beat: (elapsedMs: number) => void): Scheduled {
  const intervalMs = Math.min(limits.peerHeartbeatMs, limits.peerTimeoutMs / 4, limits.suspectAfterMs / 4);
  let lastMs = clock.now();
  const run = (): void => {
    const nowMs = clock.now();
    const elapsedMs = Math.min(nowMs - lastMs, intervalMs * 1.5);
    lastMs = nowMs;
    next = clock.schedule(intervalMs, run);
    beat(elapsedMs);
  };
  let next = clock.schedule(intervalMs, run);
  return { cancel: () => next.cancel() };
}
