import { SojournError } from "../errors/sojourn-error.js";
import type { SessionTimers } from "./context.js";
import type { Turn } from "./turn.js";

/** Longest delay or interval: about 31 years. Keeps sums exact. */
const MAX_DELAY_MS = 1_000_000_000_000;

/** The timers of the turn in hand. */
export class TurnTimers implements SessionTimers {
  readonly #turn: Turn;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  set(name: string, delayMs: number, options?: { readonly everyMs?: number }): void {
    const turn = this.#turn;
    turn.use();
    const { timers, definition, env } = turn.body;
    const everyMs = options?.everyMs ?? null;
    if (!definition.timers.has(name)) throw invalid(name, `${definition.name} defines no timer "${name}"`);
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS))
      throw invalid(name, `delay of timer "${name}" must be 0 to ${MAX_DELAY_MS} ms, got ${delayMs}`);
    if (everyMs !== null && !(everyMs >= 1 && everyMs <= MAX_DELAY_MS)) {
      throw invalid(name, `interval of timer "${name}" must be 1 to ${MAX_DELAY_MS} ms, got ${everyMs}`);
    }
    if (timers.size >= env.limits.maxTimersPerSession && timers.get(name) === undefined) {
      throw invalid(name, `a session may have ${env.limits.maxTimersPerSession} timers`);
    }
    timers.put(name, { dueMs: env.clock.now() + delayMs, everyMs });
  }

  clear(name: string): boolean {
    this.#turn.use();
    const { timers } = this.#turn.body;
    if (timers.get(name) === undefined) return false;
    timers.put(name, null);
    return true;
  }

  remaining(name: string): number | undefined {
    this.#turn.use();
    const { timers, env } = this.#turn.body;
    const timer = timers.get(name);
    return timer === undefined ? undefined : Math.max(0, timer.dueMs - env.clock.now());
  }
}

function invalid(name: string, message: string): SojournError {
  return new SojournError("E_TIMER_INVALID", message, { timer: name });
}
