import type { Clock, Scheduled } from "@sojourn/core";

const ROUNDING_MS = 1e-6;

/**
 * One process's view of the virtual clock. It may run fast or slow, and its wall clock may jump. While the process is paused, as by
 * SIGSTOP or a long collection, time passes but nothing of it runs; what came due or arrived meanwhile runs, in the order in which it
 * came, when it wakes. A slow process needs a while for everything that it does, one after another.
 */
export class NodeClock implements Clock {
  readonly #inner: Clock;
  readonly #missed: (() => void)[] = [];
  #paused = false;
  #dead = false;
  #rate: number;
  /** Where the rate began to count: time outside and time here. */
  #outerStart: number;
  #innerStart: number;
  /** A task that is due is never early, whatever the rounding of the rate says. */
  #floor = 0;
  #wallOffset = 0;
  #effortMs = 0;
  #busyUntil = 0;
  /** What has come and is still to be done, in that order; none while the process keeps up. */
  readonly #backlog: { readonly task: () => void; scheduled: Scheduled }[] = [];
  #tasks = 0;
  /** How long it has slept in all, and since when it sleeps now. */
  #sleptMs = 0;
  #asleepSince: number | null = null;

  /**
   * @param rate how much faster than real time it runs, 1 for exact
   * @param startMs what it shows at first; monotonic clocks of two machines have nothing to do with each other
   */
  constructor(inner: Clock, rate = 1, startMs = inner.now()) {
    this.#inner = inner;
    this.#rate = rate;
    this.#outerStart = inner.now();
    this.#innerStart = startMs;
  }

  now(): number {
    const awake = (this.#asleepSince ?? this.#inner.now()) - this.#outerStart - this.#sleptMs;
    return Math.max(this.#floor, this.#innerStart + awake * this.#rate);
  }

  wallNow(): number {
    return this.#inner.wallNow() + this.#wallOffset;
  }

  /** The wall clock jumps; nothing that matters may follow from it. */
  jumpWall(deltaMs: number): void {
    this.#wallOffset += deltaMs;
  }

  /** Tasks that are scheduled. */
  get tasks(): number {
    return this.#tasks;
  }

  schedule(delayMs: number, task: () => void): Scheduled {
    const dueAt = this.now() + Math.max(0, delayMs);
    let live = true;
    this.#tasks++;
    const ring = () =>
      this.arrive(() => {
        if (!live) return;
        const leftMs = dueAt - this.now();
        if (this.#sleptMs > 0 && leftMs > ROUNDING_MS) {
          scheduled = this.#inner.schedule(leftMs / this.#rate, ring);
          return;
        }
        live = false;
        this.#tasks--;
        if (this.#floor < dueAt) this.#floor = dueAt;
        task();
      });
    let scheduled = this.#inner.schedule(delayMs / this.#rate, ring);
    return {
      cancel: () => {
        if (!live) return;
        live = false;
        this.#tasks--;
        scheduled.cancel();
      },
    };
  }

  /** Something reaches the process from outside, or comes due in it. */
  arrive(task: () => void): void {
    if (this.#dead) return;
    // Also when it is quick again: what came before is still to be done.
    if (this.#effortMs === 0 && this.#backlog.length === 0) this.#perform(task);
    else this.#backlog.push({ task, scheduled: this.#inTurn() });
  }

  /** Behind everything that has come before, the oldest thing that is still to be done is done. */
  #inTurn(): Scheduled {
    const now = this.#inner.now();
    this.#busyUntil = Math.max(this.#busyUntil, now) + this.#effortMs;
    return this.#inner.schedule(this.#busyUntil - now, () => {
      const oldest = this.#backlog.shift();
      if (oldest !== undefined) this.#perform(oldest.task);
    });
  }

  #perform(task: () => void): void {
    if (this.#dead) return;
    if (this.#paused) this.#missed.push(task);
    else task();
  }

  /** The process is gone: nothing of it ever runs again. */
  kill(): void {
    this.#dead = true;
    this.#missed.length = 0;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** From now on each thing that the process does takes this long, also what has come already; 0 for none. */
  slow(effortMs: number): void {
    this.#effortMs = effortMs;
    this.#busyUntil = 0;
    for (const waiting of this.#backlog) {
      waiting.scheduled.cancel();
      waiting.scheduled = this.#inTurn();
    }
  }

  pause(): void {
    this.#paused = true;
  }

  /** The whole machine is suspended: like a pause, and its monotonic clock stands still with it. */
  sleep(): void {
    this.#paused = true;
    this.#asleepSince ??= this.#inner.now();
  }

  get asleep(): boolean {
    return this.#asleepSince !== null;
  }

  /** It has slept, so that its clock is behind: it may think of a lease that has ended that it has not. */
  get hasSlept(): boolean {
    return this.#sleptMs > 0 || this.#asleepSince !== null;
  }

  /** Each thing that was missed runs as a task of its own, so that promises settle in between. */
  wake(): void {
    this.#paused = false;
    if (this.#asleepSince !== null) {
      this.#sleptMs += this.#inner.now() - this.#asleepSince;
      this.#asleepSince = null;
    }
    for (const task of this.#missed.splice(0)) this.#inner.schedule(0, () => this.arrive(task));
  }
}
