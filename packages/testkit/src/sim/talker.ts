import type { SessionClient } from "@sojourn/client";
import type { counter } from "./counter-session.js";

/** What a talker found wrong. Empty lists mean that every message came exactly once and in order, both ways. */
export interface TalkerReport {
  readonly sent: number;
  readonly answered: number;
  readonly problems: readonly string[];
}

/** A client that says 1, 2, 3 … and checks what comes back: replies, and the broadcasts of everybody. */
export class Talker {
  readonly name: string;
  readonly client: SessionClient<typeof counter>;
  readonly problems: string[] = [];
  #sent = 0;
  #answered = 0;
  #lastAt = 0;
  readonly #heard = new Map<string, number>();

  constructor(name: string, client: SessionClient<typeof counter>) {
    this.name = name;
    this.client = client;
    client.on("said", ({ who, n, at }) => this.#hear(who, n, at));
    client.on("reset", ({ reason }) => this.problems.push(`link reset: ${reason}`));
  }

  get sent(): number {
    return this.#sent;
  }
  get answered(): number {
    return this.#answered;
  }

  /** Says the next number. */
  say(): Promise<void> {
    this.#sent++;
    const n = this.#sent;
    return this.client.call.add({ who: this.name, n }).then(
      () => {
        this.#answered++;
        if (this.#answered !== n) this.problems.push(`answer to ${n} came as number ${this.#answered}`);
      },
      (error: unknown) => {
        this.problems.push(`${n} failed: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }

  #hear(who: string, n: number, at: number): void {
    if (this.#lastAt > 0 && at !== this.#lastAt + 1) this.problems.push(`heard ${at} after ${this.#lastAt}`);
    this.#lastAt = at;
    const last = this.#heard.get(who) ?? 0;
    if (last > 0 && n !== last + 1) this.problems.push(`heard ${who} say ${n} after ${last}`);
    this.#heard.set(who, n);
  }

  report(): TalkerReport {
    return { sent: this.#sent, answered: this.#answered, problems: this.problems };
  }
}
