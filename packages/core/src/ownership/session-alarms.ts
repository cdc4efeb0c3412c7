import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { TurnInput } from "../session/types.js";
import type { SlotHost } from "./slot-host.js";
import { runsHere } from "./stranded.js";

/** Pause before something that is due, was submitted and still waits for its turn is looked at again. */
const AGAIN_MS = 1_000;

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
  /** Nothing comes due where no turn can run. */
  readonly #still: boolean;
  /** What is due was submitted and waits for its turn, behind a freeze or a turn in hand; no turn has ended since. */
  #waits = false;
  #expiryAtMs: number;
  #unconfirmed: Scheduled | null = null;
  #stopped = false;

  constructor(host: SlotHost, cell: SessionCell, actions: AlarmActions) {
    this.#host = host;
    this.#cell = cell;
    this.#actions = actions;
    this.#still = !runsHere(host, cell);
    this.#expiryAtMs = this.#nextExpiryMs();
  }

  /** A link has lost its socket. */
  linkAway(): void {
    this.#expiryAtMs = Math.min(this.#expiryAtMs, this.#host.clock.now() + this.#host.limits.linkGraceMs);
  }

  /** After each turn: the earliest thing due may have changed. */
  rearm(): void {
    this.#waits = false;
    this.#arm();
  }

  #arm(): void {
    const { clock } = this.#host;
    const timerAtMs = this.#waits ? clock.now() + AGAIN_MS : (this.#cell.nextTimerAtMs() ?? Number.POSITIVE_INFINITY);
    const atMs = Math.min(timerAtMs, this.#expiryAtMs);
    if (atMs === this.#alarmAtMs || this.#stopped || this.#still) return;
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#alarmAtMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#alarm = clock.schedule(Math.max(0, atMs - clock.now()), () => {
      this.#alarm = null;
      this.#alarmAtMs = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  #ring(): void {
    const { limits, clock } = this.#host;
    this.#waits = false;
    const name = this.#cell.dueTimer();
    if (name !== null) {
      this.#waits = true;
      this.#actions.submit({ kind: "timer", name });
    }
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
      if (this.#expiryAtMs <= now) this.#expiryAtMs = now + AGAIN_MS; // the expiry still waits for its turn
    }
    this.#arm();
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
