import { SojournError } from "../errors/sojourn-error.js";
import type { BroadcastOptions, SessionCache, SessionContext, SessionLink, SessionLinks, SessionTimers } from "./context.js";
import { OP } from "./ops.js";
import type { Turn } from "./turn.js";
import { TurnCache } from "./turn-cache.js";
import { TurnLinks } from "./turn-links.js";
import { TurnTimers } from "./turn-timers.js";

/** The `ctx` of one turn. */
export class TurnContext implements SessionContext<object> {
  readonly #turn: Turn;
  #timers: TurnTimers | null = null;
  #cache: TurnCache | null = null;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  get state(): object {
    this.#turn.use();
    return this.#turn.body.tracked?.root ?? {};
  }

  get link(): SessionLink {
    this.#turn.use();
    const link = this.#turn.about;
    if (link === null) throw new SojournError("E_LINK_UNKNOWN", "this turn is about no link; use ctx.links");
    return link;
  }

  get links(): SessionLinks {
    this.#turn.use();
    return new TurnLinks(this.#turn);
  }

  get timers(): SessionTimers {
    this.#timers ??= new TurnTimers(this.#turn);
    return this.#timers;
  }

  get cache(): SessionCache {
    this.#cache ??= new TurnCache(this.#turn);
    return this.#cache;
  }

  get session(): { readonly key: string; readonly kind: string; readonly version: number } {
    this.#turn.use();
    const { key, definition, version } = this.#turn.body;
    return { key, kind: definition.name, version };
  }

  get now(): number {
    return this.#turn.body.env.clock.wallNow();
  }

  broadcast(event: string, payload: unknown, options?: BroadcastOptions): void {
    const turn = this.#turn;
    turn.use();
    checkEvent(event);
    const bytes = turn.encode(payload);
    const except = options?.except === undefined ? [] : this.#ordinals(options.except);
    if (except.length === 0) turn.ops.push(OP.broadcast, event, bytes);
    else turn.ops.push(OP.broadcastExcept, except, event, bytes);
    turn.staged(event, bytes);
  }

  send(link: string, event: string, payload: unknown): boolean {
    const turn = this.#turn;
    turn.use();
    checkEvent(event);
    const bytes = turn.encode(payload);
    const target = turn.find(link);
    if (target === undefined) return false;
    turn.ops.push(OP.send, target.ordinal, event, bytes);
    turn.staged(event, bytes);
    return true;
  }

  kick(link: string, reason = "removed by the session"): boolean {
    const turn = this.#turn;
    turn.use();
    const target = turn.find(link);
    if (target === undefined) return false;
    turn.remove(target, "E_LINK_KICKED", "E_LINK_KICKED", String(reason).slice(0, 1_000), true);
    return true;
  }

  end(): void {
    this.#turn.use();
    this.#turn.ending = true;
  }

  waitUntil(work: Promise<unknown>): void {
    this.#turn.use();
    this.#turn.body.work.add(Promise.resolve(work));
  }

  random(): number {
    return this.#turn.body.env.random.next();
  }

  effectKey(index = 0): string {
    this.#turn.use();
    const { key, version } = this.#turn.body;
    return `${key}@${version + 1}#${index}`;
  }

  #ordinals(except: string | readonly string[]): number[] {
    const ordinals: number[] = [];
    for (const id of typeof except === "string" ? [except] : except) {
      const link = this.#turn.find(id);
      if (link !== undefined) ordinals.push(link.ordinal);
    }
    return ordinals;
  }
}

function checkEvent(event: unknown): void {
  if (typeof event === "string" && event.length > 0 && event.length <= 256) return;
  throw new SojournError("E_UNTRAVELLABLE", "the name of an event must be a string of 1 to 256 characters");
}
