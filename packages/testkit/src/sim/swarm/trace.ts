/** One thing that happened, for people. */
export interface TimelineEntry {
  readonly atMs: number;
  readonly text: string;
}

const TIMELINE_ENTRIES = 20_000;

/**
 * A hash over everything that happens in a run, in its order; two runs of a seed are the same when their hashes are. On request it also
 * keeps the last of it as text.
 */
export class Trace {
  readonly #now: () => number;
  readonly #names = new Map<string, number>();
  readonly #keeps: boolean;
  #timeline: TimelineEntry[] = [];
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;
  events = 0;

  /** @param keeps whether a timeline is kept */
  constructor(now: () => number, keeps: boolean) {
    this.#now = now;
    this.#keeps = keeps;
  }

  /** Takes an event in: its kind, who took part, and up to two numbers. */
  add(kind: number, from: string, to: string, x: number, y = 0): void {
    this.events++;
    this.#mix(kind);
    this.#mix(Math.round(this.#now() * 1_000) | 0);
    this.#mix(this.#code(from));
    this.#mix(this.#code(to));
    this.#mix(x | 0);
    this.#mix(y | 0);
  }

  /** Keeps a line of the timeline, if there is one. The text is only made when it is kept. */
  say(text: () => string): void {
    if (!this.#keeps) return;
    this.#timeline.push({ atMs: this.#now(), text: text() });
    if (this.#timeline.length > TIMELINE_ENTRIES * 2) this.#timeline = this.#timeline.slice(-TIMELINE_ENTRIES);
  }

  get keeps(): boolean {
    return this.#keeps;
  }

  get timeline(): readonly TimelineEntry[] {
    return this.#timeline;
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return (this.#a >>> 0).toString(16).padStart(8, "0") + (this.#b >>> 0).toString(16).padStart(8, "0");
  }

  #code(name: string): number {
    let code = this.#names.get(name);
    if (code === undefined) {
      code = hashText(name);
      this.#names.set(name, code);
    }
    return code;
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x01000193) ^ (this.#b >>> 15);
    this.#b = Math.imul(this.#b ^ (value + 0x7f4a7c15), 0x5bd1e995) ^ (this.#a >>> 13);
  }
}

/** FNV-1a. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** A number that depends on all numbers mixed in before, in their order. */
export function chain(sum: number, value: number): number {
  let h = Math.imul(sum ^ value, 0x9e3779b1);
  h ^= h >>> 15;
  return Math.imul(h, 0x85ebca77) ^ (h >>> 13);
}
