import type { Clock, Scheduled } from "@sojourn/core";

interface Task {
  readonly dueAt: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** More tasks than any honest work has for one moment. */
const MAX_TASKS_AT_ONCE = 200_000;

/** How a virtual clock starts. */
export interface VirtualClockOptions {
  /** First value of `now()`; not 0 by default, so that nobody takes it for an absence. */
  readonly startMs?: number;
  /** First value of `wallNow()`. */
  readonly wallStartMs?: number;
  /** Whether promises may also wait for something outside, as sockets do. Without, settling takes no turn of the event loop. */
  readonly outside?: boolean;
  /** Due times are rounded up to a whole number of these parts of a millisecond, a power of two, so that sums of times are exact. */
  readonly partsPerMs?: number;
}

/**
 * A clock that moves only when it is told to. Tasks run in the order of their due times, and in the order they were
 * scheduled when those are equal; `now()` inside a task is the task's due time. No real timer is involved.
 *
 * `advance` runs tasks back to back, for code without promises. `run` and `runUntilIdle` let every promise that can
 * settle do so before each task, for code with them.
 */
export class VirtualClock implements Clock {
  #now: number;
  #wallOffset: number;
  #order = 0;
  /** A binary heap; the earliest task is first. */
  readonly #heap: Task[] = [];
  #live = 0;
  readonly #outside: boolean;
  readonly #parts: number;
  /** Called after each task of `run`, once promises have settled. */
  afterTask: (() => void) | null = null;

  constructor(options: VirtualClockOptions = {}) {
    this.#outside = options.outside ?? true;
    this.#parts = options.partsPerMs ?? 0;
    this.#now = options.startMs ?? 1_000;
    this.#wallOffset = (options.wallStartMs ?? 1_700_000_000_000) - this.#now;
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallOffset;
  }

  schedule(delayMs: number, task: () => void): Scheduled {
    const delay = Math.max(delayMs, 0);
    const exact = this.#now + delay;
    const dueAt = this.#parts === 0 ? exact : Math.ceil(exact * this.#parts) / this.#parts;
    const entry: Task = { dueAt, order: this.#order++, run: task, cancelled: false };
    this.#push(entry);
    this.#live++;
    return {
      cancel: () => {
        if (entry.cancelled) return;
        entry.cancelled = true;
        this.#live--;
      },
    };
  }

  /** Tasks that are scheduled and not cancelled. */
  get pending(): number {
    return this.#live;
  }

  /** When the next task is due; undefined when there is none. */
  nextDueAt(): number | undefined {
    return this.#peek()?.dueAt;
  }

  /** Moves on by `ms` and runs everything that comes due, also what those tasks schedule. Returns how many ran. */
  advance(ms: number): number {
    const until = this.#now + ms;
    let ran = 0;
    for (let next = this.#peek(); next !== undefined && next.dueAt <= until; next = this.#peek()) {
      this.#runNext();
      ran++;
    }
    this.#now = until;
    return ran;
  }

  /**
   * Like `advance`, and promises settle before each task and at the end.
   * @throws Error (rejects) when very many tasks run without time going on: something schedules itself for ever
   */
  async run(ms: number): Promise<number> {
    const until = this.#now + ms;
    let ran = 0;
    let still = 0;
    await this.settle();
    for (let next = this.#peek(); next !== undefined && next.dueAt <= until; next = this.#peek()) {
      still = next.dueAt > this.#now ? 0 : still + 1;
      if (still > MAX_TASKS_AT_ONCE) throw new Error(`time stands still at ${this.#now}: ${next.run.toString().slice(0, 200)}`);
      this.#runNext();
      ran++;
      await this.settle();
      this.afterTask?.();
    }
    this.#now = until;
    return ran;
  }

  /**
   * Runs tasks, moving on as far as they need, until none is left. Returns how many ran.
   * @throws Error when more than `maxTasks` run: something schedules itself for ever
   */
  async runUntilIdle(maxTasks = 100_000): Promise<number> {
    let ran = 0;
    await this.settle();
    while (this.#peek() !== undefined) {
      if (ran === maxTasks) throw new Error(`the virtual clock is not idle after ${maxTasks} tasks`);
      this.#runNext();
      ran++;
      await this.settle();
    }
    return ran;
  }

  /** Lets every promise settle that can without time passing or anything arriving from outside. */
  settle(): Promise<void> {
    // The tick queue is looked at when no promise is left that could settle.
    return new Promise((resolve) => (this.#outside ? setImmediate(resolve) : process.nextTick(resolve)));
  }

  /** The wall clock jumps, the monotonic one does not. */
  jumpWall(deltaMs: number): void {
    this.#wallOffset += deltaMs;
  }

  /** Time passes and nothing runs meanwhile, as when a process is stopped; what came due runs at the next `advance`, late. */
  stall(ms: number): void {
    this.#now += ms;
  }

  #runNext(): void {
    const task = this.#pop();
    if (task === undefined) return;
    if (task.dueAt > this.#now) this.#now = task.dueAt;
    task.cancelled = true;
    this.#live--;
    task.run();
  }

  #peek(): Task | undefined {
    while (this.#heap[0]?.cancelled === true) this.#pop();
    return this.#heap[0];
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(task);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Task;
      if (!before(task, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = task;
  }

  #pop(): Task | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Task)) child++;
      const least = heap[child] as Task;
      if (!before(least, last)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Task, b: Task): boolean {
  return a.dueAt === b.dueAt ? a.order < b.order : a.dueAt < b.dueAt;
}
