import type { ErrorCode } from "../errors/catalogue.js";

/** Names of a session's events with the type of each payload. */
export type EventMap = Record<string, unknown>;

/** Why a link is gone: the client left, or one of the named reasons. */
export type LeaveReason =
  | "left"
  | Extract<ErrorCode, "E_LINK_EXPIRED" | "E_LINK_OVERFLOW" | "E_LINK_KICKED" | "E_SEQUENCE_INVALID" | "E_TURNS_LOST">;

/** One client of a session, as its handlers see it. Read-only. */
export interface SessionLink<U = unknown> {
  readonly id: string;
  /** What the node's authenticate function returned when the link joined. Treat as read-only. */
  readonly user: U;
  /** Whether a socket is attached at the moment. */
  readonly attached: boolean;
}

/** All links of a session in the order in which they joined. */
export interface SessionLinks extends Iterable<SessionLink> {
  readonly size: number;
  get(id: string): SessionLink | undefined;
  has(id: string): boolean;
}

/** Durable named timers. They move with the session; each firing is one turn of its own. */
export interface SessionTimers {
  /**
   * Sets or replaces a timer. With `everyMs` it repeats in step with its first firing; firings missed in between are skipped.
   * @throws SojournError `E_TIMER_INVALID`
   */
  set(name: string, delayMs: number, options?: { readonly everyMs?: number }): void;
  /** Whether there was one. */
  clear(name: string): boolean;
  /** Milliseconds until it fires (0 when overdue), or undefined when it is not set. */
  remaining(name: string): number | undefined;
}

/**
 * What becomes of a cached value when the session moves. `carry`: it goes along. `lazy`: it stays, and is pulled from the old owner
 * on first use while that one still keeps it. `rebuild`: it never leaves the process and may be anything.
 */
export type CacheClass = "carry" | "lazy" | "rebuild";

/** Data a session can lose without harm. A value is stored as it is and must not be changed afterwards: set it again. */
export interface SessionCache {
  /**
   * The value, a promise of it when it has to be pulled or rebuilt, or undefined; awaiting the result is always right.
   * `rebuild` makes a missing value; what it makes is stored under the class of the key.
   */
  get<T = unknown>(key: string, options?: { readonly rebuild?: () => T | Promise<T> }): T | undefined | Promise<T | undefined>;
  /**
   * Stores under the given class, else the class declared for the key, else `carry`.
   * @throws SojournError `E_CACHE_FULL`, or `E_UNTRAVELLABLE` for a value that could not travel with its class
   */
  set(key: string, value: unknown, cacheClass?: CacheClass): void;
  /** Whether there was one. */
  delete(key: string): boolean;
}

/** Who else gets an event. */
export interface BroadcastOptions {
  /** A link, or several, that must not get it. */
  readonly except?: string | readonly string[];
}

/**
 * What a handler gets. It is valid until its turn ends (for an asynchronous handler: until its promise settles); afterwards, and
 * from code that belongs to another turn, every use of it and every write to its state gives `E_TURN_ENDED`.
 */
export interface SessionContext<S = unknown, E = EventMap> {
  /** The session's state; change it in place. */
  readonly state: S;
  /** The link this turn is about. @throws SojournError `E_LINK_UNKNOWN` in timers and hooks that are about no link */
  readonly link: SessionLink;
  readonly links: SessionLinks;
  readonly timers: SessionTimers;
  readonly cache: SessionCache;
  readonly session: { readonly key: string; readonly kind: string; readonly version: number };
  /** Milliseconds since 1970 by this node's wall clock, which may jump. */
  readonly now: number;
  /** Sends to every link; away clients get it when they return. */
  broadcast<K extends keyof E & string>(event: K, payload: E[K], options?: BroadcastOptions): void;
  /** Sends to one link. Whether the session has such a link. */
  send<K extends keyof E & string>(link: string, event: K, payload: E[K]): boolean;
  /** Removes a link in this turn; its onLeave runs in a turn of its own. Whether the session has such a link. */
  kick(link: string, reason?: string): boolean;
  /** Ends the session with this turn: all links are closed, nothing runs afterwards. */
  end(): void;
  /** Work that goes on after the turn and that a move of the session waits for. It has no access to the state. */
  waitUntil(work: Promise<unknown>): void;
  /** Uniform in [0, 1). */
  random(): number;
  /** The same for every attempt at this turn, on whichever node: makes outside effects idempotent. `index` tells several apart. */
  effectKey(index?: number): string;
}
