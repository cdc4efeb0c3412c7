import type { Clock, Scheduled } from "@sojourn/core";

/**
 * One node's view of the virtual clock. While it is paused, as a process is by SIGSTOP or a long collection, time passes but nothing
 * of the node runs; what came due or arrived meanwhile runs, in the order in which it came, when the node wakes.
 */
export class NodeClock implements Clock {
  readonly #inner: Clock;
  readonly #missed: (() => void)[] = [];
  #paused = false;

  constructor(inner: Clock) {
    this.#inner = inner;
  }

  now(): number {
    return this.#inner.now();
  }
  wallNow(): number {
    return this.#inner.wallNow();
  }

  schedule(delayMs: number, task: () => void): Scheduled {
    let cancelled = false;
    const scheduled = this.#inner.schedule(delayMs, () =>
      this.arrive(() => {
        if (!cancelled) task();
      }),
    );
    return {
      cancel: () => {
        cancelled = true;
        scheduled.cancel();
      },
    };
  }

  /** Something reaches the node from outside. */
  arrive(task: () => void): void {
    if (this.#paused) this.#missed.push(task);
    else task();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Each thing that was missed runs as a task of its own, so that promises settle in between. */
  wake(): void {
    this.#paused = false;
    for (const task of this.#missed.splice(0)) this.#inner.schedule(0, () => this.arrive(task));
  }
}
