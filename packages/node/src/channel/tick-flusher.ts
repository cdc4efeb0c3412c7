/** Something that gathers output and writes it when told. */
export interface Flushable {
  flush(): void;
}

/**
 * Flushes whoever was marked once at the end of the present turn of the event loop, after all input that is already there was
 * handled. It is no timer: when there is nothing else to do, it runs at once.
 */
export class TickFlusher {
  #marked: Flushable[] = [];
  #armed = false;

  mark(target: Flushable): void {
    this.#marked.push(target);
    if (this.#armed) return;
    this.#armed = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#armed = false;
    const marked = this.#marked;
    this.#marked = [];
    for (const target of marked) target.flush();
  };
}
