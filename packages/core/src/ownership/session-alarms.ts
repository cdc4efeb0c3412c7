import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput } from "../session/types.js";
import type { SlotHost } from "./slot-host.js";

/** What alarms do to the owner. */
export interface AlarmActions {
  submit(input: TurnInput): void;
  /** Sends again what was released and has stayed unconfirmed over a whole interval. */
  resend(): void;
}

/** The clock's side of an owned session: due timers, links whose grace is over, messages nobody confirmed. At most two tasks on the clock. */
export class SessionAlarms {
  readonly #host: SlotHost;
  readonly #cell: SessionCell;
  readonly #actions: AlarmActions;
  #alarm: Scheduled | null = null;
  #alarmAtMs = Number.POSITIVE_INFINITY;
  #expiryAtMs: number;
  #unconfirmed: Scheduled | null = null;
  #stopped = false;

  constructor(host: SlotHost, cell: SessionCell, actions: AlarmActions) {
    this.#host = host;
    this.#cell = cell;
    this.#actions = actions;
    this.#expiryAtMs = this.#nextExpiryMs();
  }

  /** A link has lost its socket. */
  linkAway(): void {
    this.#expiryAtMs = Math.min(this.#expiryAtMs, this.#host.clock.now() + this.#host.limits.linkGraceMs);
  }

  /** After each turn: the earliest thing due may have changed. */
  rearm(): void {
    const atMs = Math.min(this.#cell.nextTimerAtMs() ?? Number.POSITIVE_INFINITY, this.#expiryAtMs);
    if (atMs === this.#alarmAtMs || this.#stopped) return;
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#alarmAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const now = this.#host.clock.now();
    this.#alarm = this.#host.clock.schedule(Math.max(0, atMs - now), () => {
      this.#alarm = null;
      this.#alarmAtMs = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  #ring(): void {
    const { limits, clock } = this.#host;
    const name = this.#cell.dueTimer();
    if (name !== null) this.#actions.submit({ kind: "timer", name });
    if (this.#stopped) return;
    const now = clock.now();
    if (this.#expiryAtMs <= now) {
      const expired: string[] = [];
      for (const link of this.#cell.links.values()) {
        if (link.awaySinceMs !== null && link.awaySinceMs + limits.linkGraceMs <= now) expired.push(link.id);
      }
      for (const link of expired) this.#actions.submit({ kind: "expire", link });
      if (this.#stopped) return;
      this.#expiryAtMs = this.#nextExpiryMs();
      if (this.#expiryAtMs <= now) this.#expiryAtMs = now + 1_000; // the expiry still waits for its turn
    }
    this.rearm();
  }

  #nextExpiryMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const link of this.#cell.links.values()) {
      if (link.awaySinceMs !== null) next = Math.min(next, link.awaySinceMs + this.#host.limits.linkGraceMs);
    }
    return next;
  }

  /** Something was released: look again after an interval whether it was confirmed. */
  watchUnconfirmed(): void {
    if (this.#unconfirmed !== null || this.#stopped) return;
    this.#unconfirmed = this.#host.clock.schedule(this.#host.limits.retransmitMs, () => {
      this.#unconfirmed = null;
      this.#actions.resend();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm?.cancel();
    this.#unconfirmed?.cancel();
  }
}
