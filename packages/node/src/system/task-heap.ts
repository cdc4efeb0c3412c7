/** Something that is due at a time; a null task was cancelled. */
export interface HeapEntry {
  readonly dueMs: number;
  /** Order of scheduling, for tasks that are due at the same time. */
  readonly order: number;
  task: (() => void) | null;
}

/** A binary heap of tasks by time. Cancelled ones stay until they surface, or until they outnumber the others. */
export class TaskHeap {
  #heap: HeapEntry[] = [];
  #cancelled = 0;

  /** Tasks that were not cancelled. */
  get live(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** The earliest task that was not cancelled. */
  peek(): HeapEntry | undefined {
    let first = this.#heap[0];
    while (first !== undefined && first.task === null) {
      this.#cancelled--;
      this.pop();
      first = this.#heap[0];
    }
    return first;
  }

  push(entry: HeapEntry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as HeapEntry;
      if (!before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  /** Takes the first entry out, whatever it is. */
  pop(): HeapEntry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last, 0);
    return first;
  }

  cancel(entry: HeapEntry): void {
    entry.task = null;
    this.#cancelled++;
    if (this.#cancelled > 256 && this.#cancelled > this.#heap.length / 2) this.#compact();
  }

  #compact(): void {
    this.#heap = this.#heap.filter((entry) => entry.task !== null).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#cancelled = 0;
  }

  #sink(entry: HeapEntry, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as HeapEntry, heap[child] as HeapEntry)) child++;
      if (!before(heap[child] as HeapEntry, entry)) break;
      heap[at] = heap[child] as HeapEntry;
      at = child;
    }
    heap[at] = entry;
  }
}

function before(a: HeapEntry, b: HeapEntry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
