import {
  type Clock,
  type Directory,
  isNodeId,
  type Limits,
  type LossReport,
  type MoveReport,
  type NodeRef,
  type Place,
  resolveLimits,
  type SessionDefinition,
  type SessionKey,
  type SessionStore,
  SojournError,
  type Strategy,
  type StrategyReport,
} from "@sojourn/core";
import { type AdminOptions, type AdminServer, startAdminServer } from "./admin/admin-server.js";
import type { AdminAnswers, AdminCommand } from "./admin/commands.js";
import { type OperatedNode, Operator } from "./admin/operator.js";
import type { AutoOptions } from "./auto/auto-strategy.js";
import { requireProfile, startAuto } from "./auto/start-auto.js";
import { createTcpPeers } from "./channel/tcp-peers.js";
import type { ChannelTls } from "./channel/transport.js";
import { type Gateway, startGateway } from "./gateway/gateway.js";
import type { Authenticate } from "./gateway/gateway-core.js";
import type { DrainOptions, DrainReport } from "./host/drain.js";
import { requireStore } from "./host/kinds.js";
import { NodeRuntime } from "./host/node-runtime.js";
import type { LeaseRenewal } from "./lease/lease.js";
import { LoopRenewal } from "./lease/loop-renewal.js";
import { RenewalThread } from "./lease/renewal-thread.js";
import { NodeMetrics, type NodeStatus } from "./metrics/node-metrics.js";
import { Profiler } from "./profile/profiler.js";
import { createSystemClock } from "./system/clock.js";
import { systemCrc32 } from "./system/crc32.js";
import { createSystemRandom } from "./system/random.js";
import { createTurnScope } from "./system/turn-scope.js";

/** Where a node listens. Port 0 takes a free one. */
export interface ListenOptions {
  /** For clients' WebSockets; default `127.0.0.1`, port 0. */
  readonly client?: {
    readonly host?: string;
    readonly port?: number;
    readonly url?: string;
    readonly tls?: { readonly cert: string; readonly key: string };
  };
  /** For the other nodes; default `127.0.0.1`, port 0. */
  readonly control?: {
    readonly host?: string;
    readonly port?: number;
    /** What the others dial, when that is not where the node listens: behind a proxy or an address translation. */
    readonly advertiseHost?: string;
    readonly advertisePort?: number;
    readonly tls?: ChannelTls;
  };
}

/** How to make a node. */
export interface NodeOptions {
  /** Unique in the cluster, the same over restarts: 1–64 letters, digits, `_`, `.`, `-`. */
  readonly id: string;
  readonly place?: Place;
  /** The kinds of session it can run. */
  readonly sessions: readonly SessionDefinition[];
  /** The cluster's directory. The node does not close it. */
  readonly directory: Directory;
  /** Keeps the sessions of kinds whose strategy is `snapshot` or `hybrid`. The node does not close it. */
  readonly store?: SessionStore;
  readonly listen?: ListenOptions;
  /**
   * Where the lease is renewed: in a thread of its own, which no handler can hold up, or on the event loop. Default: a thread when the
   * directory can be reached from one (`connectDirectory` can, unless its TLS options hold what no other thread can be given).
   */
  readonly leaseRenewal?: "thread" | "loop";
  readonly limits?: Partial<Limits>;
  /** Says who a client is, as plain data for `ctx.link.user`; throws to refuse. Without it everybody is let in. */
  readonly authenticate?: Authenticate;
  readonly on?: NodeEvents;
  /** Learns what sessions are like, for `sojourn profile` and `sojourn advise`; default true. See docs/profiling.md for what it costs. */
  readonly profile?: boolean;
  /** What `strategy: "auto"` reckons with. */
  readonly auto?: AutoOptions;
  /** Serves the admin API (and metrics) of the node. */
  readonly admin?: AdminOptions;
}

/** Events of a node. Listeners must not throw. */
export interface NodeEvents {
  readonly moved?: (report: MoveReport) => void;
  /** A client came back to a session with `durability: "eventual"` that had lost turns which it knew of. */
  readonly turnsLost?: (report: LossReport) => void;
  /** Refused messages, lost sessions and the like, with an error code. */
  readonly incident?: (session: SessionKey, code: string, message: string) => void;
  /** A hook, timer or background work of the application threw. */
  readonly handlerError?: (session: string, where: string, error: unknown) => void;
  readonly joined?: (self: NodeRef) => void;
  readonly lost?: (self: NodeRef) => void;
  /** A connection to another node stands (again). */
  readonly peerUp?: (peer: NodeRef) => void;
}

/** A running node. */
export interface SojournNode {
  readonly id: string;
  /** The present incarnation; null while the node has lost its lease. */
  readonly self: NodeRef | null;
  readonly clientEndpoint: string;
  /** `http://host:port` of the admin API; null without the option `admin`. */
  readonly adminEndpoint: string | null;
  readonly runtime: NodeRuntime;
  status(): NodeStatus;
  /** Moves a session that this node owns. */
  move(session: SessionKey, toNodeId: string): Promise<MoveReport>;
  /**
   * Gives a session that this node owns another strategy, while it runs.
   * @throws SojournError (rejects) `E_NOT_OWNER`, `E_STRATEGY_INVALID`, `E_STRATEGY_FAILED`; it keeps its strategy then
   */
  setStrategy(session: SessionKey, strategy: Strategy): Promise<StrategyReport>;
  cordon(cordoned: boolean): Promise<void>;
  /** Carries out an operator's command, here or at the node that has to. @throws SojournError (rejects) of whoever refused it */
  command<C extends AdminCommand>(command: C): Promise<AdminAnswers[C["command"]]>;
  drain(options?: DrainOptions): Promise<DrainReport>;
  /** Leaves the cluster and closes all sockets; sessions that are still here fail over. Drain first to lose nothing. */
  close(options?: { readonly spreadMs?: number }): Promise<void>;
}

/**
 * Starts a node and joins the cluster.
 * @throws SojournError (rejects) `E_CONFIG_INVALID`, `E_LIMIT_INVALID`, `E_DEFINITION_INVALID`, or the directory's error
 */
export async function createNode(options: NodeOptions): Promise<SojournNode> {
  const { id, place = {}, sessions, directory, listen = {}, authenticate, on = {} } = options;
  if (!isNodeId(id)) throw new SojournError("E_CONFIG_INVALID", `"${id}" is not a node id`);
  const limits = resolveLimits(options.limits);
  const { store = null } = options;
  requireStore(sessions, store);
  requireProfile(sessions, options.profile !== false);
  const clock = createSystemClock();
  const renewal = chooseRenewal(options, clock, limits);
  const random = createSystemRandom();
  const metrics = new NodeMetrics();
  const profiler = options.profile === false ? null : new Profiler(sessions, clock, limits);
  const incident = (session: SessionKey, code: string, message: string) => {
    metrics.countIncident(code);
    on.incident?.(session, code, message);
  };

  let runtime: NodeRuntime | null = null;
  const gateway: Gateway = await startGateway({
    listen: {
      host: listen.client?.host ?? "127.0.0.1",
      port: listen.client?.port ?? 0,
      ...(listen.client?.tls && { tls: listen.client.tls }),
    },
    limits,
    clock,
    router: {
      open(socket, hello, user) {
        if (runtime !== null) return runtime.open(socket, hello, user);
        socket.fail("E_SESSION_BUSY", "the node is starting", 200);
        return { input: () => undefined, ack: () => undefined, leave: () => undefined, detach: () => undefined };
      },
    },
    ...(authenticate && { authenticate }),
    onProblem: (code, message) => incident("", code, message),
  });
  const scheme = listen.client?.tls === undefined ? "ws" : "wss";
  const clientEndpoint = listen.client?.url ?? `${scheme}://${bracketed(gateway.host)}:${gateway.port}`;

  let controlPort = listen.control?.port ?? 0;
  runtime = new NodeRuntime({
    onCommand: (body) => operator.answer(body),
    clock,
    random,
    crc32: systemCrc32,
    scope: createTurnScope(),
    limits,
    directory,
    renewal,
    definitions: sessions,
    store,
    ...(profiler !== null && { profiler }),
    info: { id, place, clientEndpoint },
    openPeers: async (self) => {
      const { host = "127.0.0.1", advertiseHost, advertisePort, tls } = listen.control ?? {};
      const peers = await createTcpPeers({
        self,
        listen: {
          host,
          port: controlPort,
          ...(advertiseHost !== undefined && { advertiseHost }),
          ...(advertisePort !== undefined && { advertisePort }),
        },
        ...(tls && { tls }),
        limits,
        clock,
        random,
        onProblem: (peer, code, message) => incident("", code, `${peer ?? "a peer"}: ${message}`),
      });
      controlPort = peers.port;
      return peers;
    },
    observer: {
      moved(report) {
        metrics.countMove(report);
        profiler?.moved(report);
        on.moved?.(report);
      },
      turnsLost(report) {
        metrics.countLoss(report);
        on.turnsLost?.(report);
      },
      incident,
      handlerError(session, where, error) {
        metrics.countIncident("E_HANDLER_FAILED");
        on.handlerError?.(session, where, error);
      },
      joined: (self) => on.joined?.(self),
      lost: (self) => on.lost?.(self),
      peerUp: (peer) => on.peerUp?.(peer),
    },
  });
  const running = runtime;
  const auto = startAuto({ id, definitions: sessions, runtime: running, profiler, hasStore: store !== null, clock, limits }, options.auto);
  const operated: OperatedNode = {
    id,
    runtime: running,
    status: () => metrics.status(id, running, gateway.connections),
    profile: (kind, limit) => profiler?.report(id, kind, limit) ?? { kinds: [], sessions: [] },
    reasonOf: (session) => auto?.noteOf(session)?.reason ?? null,
  };
  const operator = new Operator(operated);
  let admin: AdminServer | null = null;
  try {
    if (options.admin !== undefined) admin = await startAdminServer(options.admin, limits, operated, operator);
    await running.start();
    profiler?.start(() => running.host?.slots ?? null);
  } catch (error) {
    await Promise.all([gateway.close(), admin?.close()]);
    throw error;
  }

  return {
    id,
    get self() {
      return running.self;
    },
    clientEndpoint,
    adminEndpoint: admin?.endpoint ?? null,
    runtime: running,
    status: () => operated.status(),
    command: (command) => operator.execute(command),
    move: (session, toNodeId) => running.move(session, toNodeId),
    setStrategy: (session, strategy) => running.setStrategy(session, strategy),
    cordon: (cordoned) => running.cordon(cordoned),
    drain: (how) => running.drain(how),
    async close(how = {}) {
      profiler?.stop();
      auto?.stop();
      const closing = gateway.close({ spreadMs: how.spreadMs ?? 0 });
      await running.stop();
      await closing;
      await admin?.close();
    },
  };
}

function chooseRenewal({ directory, leaseRenewal }: NodeOptions, clock: Clock, limits: Limits): LeaseRenewal {
  const source = directory.renewals ?? null;
  if (source !== null && leaseRenewal !== "loop") return new RenewalThread(source, clock, limits);
  if (leaseRenewal === "thread") throw new SojournError("E_CONFIG_INVALID", "no thread can reach this directory to renew the lease");
  return new LoopRenewal(directory, clock, limits);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
