import { type ConnectOptions, connect, type SessionClient } from "@sojourn/client/node";
import { expect } from "vitest";
import type { ledger } from "./ledger.js";

const MAX_OPEN_CALLS = 256;

/** A well-behaved client of a `ledger` that calls without waiting for answers and keeps books on everything that comes back. */
export class Talker {
  readonly client: SessionClient<typeof ledger>;
  readonly handovers: { readonly from: string; readonly to: string; readonly blackoutMs: number }[] = [];
  /** Status changes, in order. */
  readonly statuses: string[] = [];
  readonly #replies: number[] = [];
  readonly #said: number[] = [];
  readonly #troubles: string[] = [];
  #waiting: { readonly fact: () => boolean; readonly resolve: () => void }[] = [];
  #calls = 0;
  #beat: NodeJS.Timeout;
  #finished = false;

  private constructor(client: SessionClient<typeof ledger>, everyMs: number) {
    this.client = client;
    client.on("said", (tag) => this.#said.push(tag));
    client.on("handover", (handover) => {
      this.handovers.push(handover);
      this.#look();
    });
    client.on("status", (status) => this.statuses.push(status));
    client.on("reset", ({ reason }) => this.#troubles.push(`reset ${reason}`));
    client.on("problem", ({ code }) => this.#troubles.push(`problem ${code}`));
    client.on("close", (error) => error !== null && this.#troubles.push(`closed ${error.code}`));
    this.#beat = setInterval(() => this.#say(), everyMs);
  }

  /** Connects and begins to talk. */
  static async start(options: ConnectOptions, everyMs = 5): Promise<Talker> {
    return new Talker(await connect<typeof ledger>(options), everyMs);
  }

  /** Whether it talks no more. */
  get finished(): boolean {
    return this.#finished;
  }

  /** Calls without an answer. */
  get open(): number {
    return this.#calls - this.#replies.length;
  }

  /** Resolves when so many more calls have been answered. */
  more(count: number): Promise<void> {
    const goal = this.#replies.length + count;
    return this.until(() => this.#replies.length >= goal);
  }

  /** Resolves when the fact holds; it is looked at after each call, answer, trouble and hand-over. */
  until(fact: () => boolean): Promise<void> {
    if (fact()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ fact, resolve }));
  }

  /** Fails unless all that has come back so far is whole and in order. */
  expectNoTrouble(): void {
    expect(this.#troubles).toEqual([]);
    expect(this.#replies).toEqual(numbers(this.#replies.length));
    expect(this.#said).toEqual(numbers(this.#said.length));
    expect(this.client.recovered).toBe(true);
  }

  /** Stops talking, waits for every answer and compares all books: the client's and the session's. Resolves with the number of calls. */
  async finish(): Promise<number> {
    this.#finished = true;
    clearInterval(this.#beat);
    await this.until(() => this.#replies.length + this.#troubles.length >= this.#calls);
    const books = await this.client.call.books();
    this.expectNoTrouble();
    expect(this.#replies).toHaveLength(this.#calls);
    expect(this.#said).toHaveLength(this.#calls);
    expect(books).toEqual({ count: this.#calls, wrong: [] });
    this.client.close();
    return this.#calls;
  }

  /** Ends without a word, whatever the state. */
  abandon(): void {
    this.#finished = true;
    clearInterval(this.#beat);
    this.client.detach();
  }

  #say(): void {
    if (this.open >= MAX_OPEN_CALLS) return;
    this.#calls++;
    this.client.call.say(this.#calls).then(
      (count) => {
        this.#replies.push(count);
        this.#look();
      },
      (error: { code: string }) => {
        this.#troubles.push(`call ${error.code}`);
        this.#look();
      },
    );
    this.#look();
  }

  #look(): void {
    const ready = this.#waiting.filter(({ fact }) => fact());
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve();
  }
}

/** 1 … n. */
export function numbers(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
