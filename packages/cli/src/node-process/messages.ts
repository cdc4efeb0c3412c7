import type { ErrorCode, Limits, Place } from "@sojourn/core";

/** Where a node listens for the others, and what they are told to dial when that is something else on this machine. */
export interface ControlWiring {
  readonly port: number;
  readonly advertisePort?: number;
}

/** What a node process is started with. */
export interface NodeProcessConfig {
  readonly id: string;
  readonly place?: Place;
  /** Path or file URL of a module; every session definition that it exports is served. */
  readonly module: string;
  /** `host:port` of the directory. */
  readonly directoryEndpoint: string;
  readonly limits?: Partial<Limits>;
  /** Where its lease is renewed; default: a thread of its own. */
  readonly leaseRenewal?: "thread" | "loop";
  /** Default `127.0.0.1`. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly clientPort?: number;
  readonly control?: ControlWiring;
  readonly adminPort?: number;
  readonly adminToken?: string;
  /** Time a SIGTERM leaves for moving the sessions away; default 10 s. */
  readonly evacuateMs?: number;
}

/** Exit code of a node process that was asked to leave and could not move everything away in time. */
export const LEFT_SESSIONS_BEHIND = 3;

/** Parent → node process. Also when the parent is gone, the process stops. */
export type ToNodeProcess =
  | { readonly type: "start"; readonly config: NodeProcessConfig }
  /** Stop at once, without moving anything. */
  | { readonly type: "stop" };

/** Something that happened in a node process. */
export type NodeProcessEvent =
  | {
      readonly type: "ready";
      readonly self: string;
      readonly clientEndpoint: string;
      readonly adminEndpoint: string;
      /** The kinds of session that it serves, with their actions. */
      readonly kinds: Readonly<Record<string, readonly string[]>>;
    }
  /** It could not start; the process ends. */
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string }
  | { readonly type: "joined"; readonly self: string }
  | { readonly type: "lost"; readonly self: string }
  /** Its connection to another node stands. */
  | { readonly type: "peerUp"; readonly peer: string }
  | { readonly type: "incident"; readonly session: string; readonly code: string; readonly message: string }
  | { readonly type: "handlerError"; readonly session: string; readonly where: string; readonly message: string }
  | { readonly type: "evacuating"; readonly sessions: number }
  | { readonly type: "evacuated"; readonly moved: number; readonly left: number; readonly elapsedMs: number };
