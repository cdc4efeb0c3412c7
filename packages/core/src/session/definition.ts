import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Strategy } from "../strategy/strategy.js";
import type { CacheClass, EventMap, LeaveReason, SessionContext, SessionLink } from "./context.js";

/**
 * Whether output waits until every in-sync standby has the turn (`strong`), or not (`eventual`: a fail-over may lose turns that clients
 * have seen; they are told). Fixed for a session when it is created.
 */
export type Durability = "strong" | "eventual";

/**
 * When a copy takes over from a node that is not heard any more: when that node's lease has ended (`lease`), or, with durability `strong`,
 * as soon as the node is suspected (`suspicion`). Until a suspected node knows, it may still run turns: nobody is shown what comes of
 * them, but what their handlers do to the outside is done.
 */
export type Failover = "lease" | "suspicion";

/** What goes first when many sessions need a new node at once. */
export type Priority = "critical" | "normal" | "anonymous";

/** The types of one action: what a client passes and what it gets. Exists only in the type system. */
export interface Call<I = unknown, R = unknown> {
  readonly input: I;
  readonly reply: R;
}

/** An action as made by `action()`. `C` is its Call type. */
export interface Action<S, E, C> {
  readonly schema: StandardSchemaV1 | null;
  readonly handler: (ctx: SessionContext<S, E>, input: never) => unknown;
  /** Never set; carries the type. */
  readonly call?: C;
}

/** `action` with the state and events of one definition filled in. */
export interface ActionMaker<S, E> {
  <R>(schema: null, handler: (ctx: SessionContext<S, E>) => R): Action<S, E, Call<void, Awaited<R>>>;
  <I, O, R>(schema: StandardSchemaV1<I, O>, handler: (ctx: SessionContext<S, E>, input: O) => R): Action<S, E, Call<I, Awaited<R>>>;
}

/** Named actions; `A` holds the Call of each. */
export type ActionTable<S, E, A> = { readonly [K in keyof A]: Action<S, E, A[K]> };

/** A step from one version of the state to the next. May be annotated with the old state's type. */
export type Upgrade<S> = { bivarianceHack(old: Record<string, unknown>): object | S }["bivarianceHack"];

/** Why a session starts to run on a node without a planned move. */
export interface WakeInfo {
  readonly reason: "created" | "restored" | "promoted";
  /**
   * 0 unless turns may be lost (`durability: "eventual"`): then for how long at most the copy that the session goes on from had not
   * heard from the node that was lost.
   */
  readonly stalenessMs: number;
}

/** What `defineSession` takes. Hooks may be asynchronous; each is one turn. */
export interface SessionSpec<S extends object, A, E> {
  /** The kind: first half of the session's key. */
  readonly name: string;
  /** A whole number ≥ 1; raise it when the shape of the state changes. */
  readonly version: number;
  /** A fresh state. */
  readonly state: () => S;
  /** Only its type counts: `events: {} as { moved: { id: string } }`. Left out, every event name is allowed. */
  readonly events?: E;
  /**
   * The calls that clients can make. The function form types `ctx` from `state` and `events`; the plain form needs an annotated `ctx`.
   */
  readonly actions: ((action: ActionMaker<S, E>) => ActionTable<S, E, A>) | ActionTable<S, E, A>;
  /** What to do when the timer of that name fires. Only timers named here can be set. */
  readonly timers?: { readonly [name: string]: (ctx: SessionContext<S, E>) => unknown };
  /** Once, before anything else. */
  readonly onCreate?: (ctx: SessionContext<S, E>) => unknown;
  /** A link joins. Throwing refuses it. */
  readonly onJoin?: (ctx: SessionContext<S, E>, link: SessionLink) => unknown;
  /** A link is gone. Not called for the links that `ctx.end()` closes. */
  readonly onLeave?: (ctx: SessionContext<S, E>, link: SessionLink, reason: LeaveReason) => unknown;
  /** The session starts to run on a node without a planned move. */
  readonly onWake?: (ctx: SessionContext<S, E>, info: WakeInfo) => unknown;
  /** Last turn at the old owner before a planned move. */
  readonly onBeforeMove?: (ctx: SessionContext<S, E>, info: { readonly to: string }) => unknown;
  /** First turn at the new owner after a planned move. */
  readonly onAfterMove?: (ctx: SessionContext<S, E>, info: { readonly from: string; readonly blackoutMs: number }) => unknown;
  /** `upgrade[n]` turns a state of version n into one of version n + 1. */
  readonly upgrade?: { readonly [version: number]: Upgrade<S> };
  /** `strong` unless said otherwise; `eventual` with the strategy `snapshot`, which cannot be `strong`. */
  readonly durability?: Durability;
  /**
   * Which replicas a new session has. `replica` (unless said otherwise): copies in other nodes' memory. `hybrid`: snapshots and a log of
   * every change in the node's session store. `snapshot`: only snapshots there, at an interval. `auto`: sessions begin as `replica`, and each
   * is given the strategy that suits what it does.
   */
  readonly strategy?: Strategy | "auto";
  /** Copies in other nodes' memory; the limit `standbys` unless said otherwise, and none where a store keeps the session. */
  readonly standbys?: number;
  /**
   * `suspicion` unless said otherwise; under `eventual`, and without a copy in memory, the lease is waited for all the same. What counts is
   * the definition at the node that holds the copy.
   */
  readonly failover?: Failover;
  /** What goes first when a node is lost or emptied; `normal` unless said otherwise. */
  readonly priority?: Priority;
  /** The class of cache keys that are set without one. */
  readonly cache?: { readonly [key: string]: CacheClass };
}

/** A handler without its types, as the engine calls it. */
export type Handler = (ctx: SessionContext, argument: unknown, extra?: unknown) => unknown;

/** An action as the engine runs it. */
export interface RunnableAction {
  readonly schema: StandardSchemaV1 | null;
  readonly handler: Handler;
}

/** The hooks of a definition by name. */
export type HookName = "onCreate" | "onJoin" | "onLeave" | "onWake" | "onBeforeMove" | "onAfterMove";

/** A checked definition. `S`, `A`, `E` are the types of its state, actions and events. */
export interface SessionDefinition<S = unknown, A = unknown, E = unknown> {
  readonly name: string;
  readonly version: number;
  readonly durability: Durability;
  /** What new sessions begin with. */
  readonly strategy: Strategy;
  /** Nodes give each session the strategy that suits it. */
  readonly auto: boolean;
  /** Null: as the strategy has it. */
  readonly standbys: number | null;
  readonly failover: Failover;
  readonly priority: Priority;
  readonly state: () => object;
  readonly actions: ReadonlyMap<string, RunnableAction>;
  readonly timers: ReadonlyMap<string, Handler>;
  readonly hooks: Readonly<Partial<Record<HookName, Handler>>>;
  readonly upgrades: ReadonlyMap<number, (old: unknown) => unknown>;
  readonly cacheClasses: ReadonlyMap<string, CacheClass>;
  /** Never set; carries the types. */
  readonly types?: { readonly state: S; readonly actions: A; readonly events: E };
}

/** The actions of a definition: name → `{ input, reply }`. */
export type ActionsOf<D> = D extends SessionDefinition<infer _S, infer A, infer _E> ? A : never;
/** The state of a definition. */
export type StateOf<D> = D extends SessionDefinition<infer S, infer _A, infer _E> ? S : never;
/** The events of a definition: name → payload. */
export type EventsOf<D> = D extends SessionDefinition<infer _S, infer _A, infer E> ? E : EventMap;
/** What a client passes to an action (before its schema transforms it). */
export type InputOf<D, K extends keyof ActionsOf<D>> = ActionsOf<D>[K] extends Call<infer I, infer _R> ? I : never;
/** What a client gets from an action. */
export type ReplyOf<D, K extends keyof ActionsOf<D>> = ActionsOf<D>[K] extends Call<infer _I, infer R> ? R : never;
