import type { SessionClient } from "@sojourn/client";
import { errorCodeOf } from "@sojourn/core";
import type { SessionModel } from "./session-model.js";
import type { Reading, Saying, Stamp } from "./swarm-session.js";

/** What the actions of the simulated session look like to a client. */
interface SwarmCalls {
  say(argument: Saying): Promise<Stamp>;
  io(argument: Saying & { readonly ms: number }): Promise<Stamp>;
  arm(argument: { readonly i: number; readonly ms: number }): Promise<void>;
  fill(argument: { readonly bytes: number }): Promise<void>;
  read(): Promise<Reading>;
  end(): Promise<void>;
}

/** What a client needs of the run. */
export interface ClientHost {
  problem(text: string): void;
  connect(client: SwarmClient, through: number): Promise<SessionClient>;
  /** A client's link was started anew; whether that was allowed is the run's to judge. */
  reset(client: SwarmClient, reason: string): void;
  closed(client: SwarmClient, code: string | null): void;
}

const MAX_OPEN = 32;

/**
 * A client that says 1, 2, 3 … and checks what comes back: answers in order, and everybody's messages without a gap. When its link is
 * started anew what was under way is unknown; it goes on under another name.
 */
export class SwarmClient {
  readonly name: string;
  readonly model: SessionModel;
  readonly #host: ClientHost;
  client: SessionClient | null = null;
  /** False while it stays away on purpose. */
  wanted = true;
  connecting = false;
  #home: number;
  #who: string;
  #names = 0;
  #sent = 0;
  #answered = 0;
  #last: Stamp | null = null;
  readonly #heard = new Map<string, number>();
  /** Names it had before, with how many of each were sent and answered. */
  readonly former: { readonly who: string; readonly sent: number; readonly answered: number }[] = [];
  resets = 0;
  awaySince: number | null = null;
  longestAwayMs = 0;

  constructor(name: string, model: SessionModel, home: number, host: ClientHost) {
    this.name = name;
    this.#who = `${name}.0`;
    this.model = model;
    this.#home = home;
    this.#host = host;
  }

  get who(): string {
    return this.#who;
  }
  get sent(): number {
    return this.#sent;
  }
  get answered(): number {
    return this.#answered;
  }
  get open(): number {
    return this.client?.stats().openCalls ?? 0;
  }
  get calls(): SwarmCalls | null {
    return this.client === null ? null : (this.client.call as unknown as SwarmCalls);
  }

  /** Comes (back), as a new link. */
  connect(home: number = this.#home): void {
    this.#home = home;
    if (this.client !== null || this.connecting) return;
    this.connecting = true;
    this.#host.connect(this, home).then(
      (client) => {
        this.connecting = false;
        this.#welcome(client);
      },
      (error: unknown) => {
        this.connecting = false;
        this.#host.closed(this, errorCodeOf(error));
      },
    );
  }

  #welcome(client: SessionClient): void {
    this.client = client;
    this.#last = null;
    this.#heard.clear();
    client.on("said", (said) => this.#hear(said as Stamp & Saying));
    client.on("reset", ({ reason }) => {
      this.#rename();
      this.#host.reset(this, reason);
    });
    client.on("close", (error) => {
      if (this.client !== client) return;
      this.client = null;
      this.#rename();
      this.#host.closed(this, error === null ? null : error.code);
    });
    if (!this.wanted) this.leave();
  }

  /** Says the next number; with `ioMs` by a handler that waits that long. */
  say(ioMs = 0): void {
    const { calls } = this;
    if (calls === null || !this.wanted || this.open >= MAX_OPEN) return;
    this.#sent++;
    const n = this.#sent;
    const who = this.#who;
    const answer = ioMs > 0 ? calls.io({ who, n, ms: ioMs }) : calls.say({ who, n });
    answer.then(
      (stamp) => {
        this.model.shown(stamp, this.name);
        if (who !== this.#who) return;
        this.#answered++;
        if (this.#answered !== n) this.#host.problem(`I4: ${this.name}: the answer to ${n} came as number ${this.#answered}`);
      },
      (error: unknown) => {
        if (who === this.#who)
          this.#host.problem(`I4: ${this.name}: ${n} failed: ${error instanceof Error ? error.message : String(error)}`);
      },
    );
  }

  /** Leaves for good; a later `connect` makes a new link. */
  leave(): void {
    const { client } = this;
    if (client === null) return;
    this.client = null;
    this.#rename();
    client.close();
  }

  /** What a call of another action comes to does not matter. */
  do(call: (calls: SwarmCalls) => Promise<unknown>): void {
    const { calls } = this;
    if (calls === null || this.open >= MAX_OPEN) return;
    call(calls).catch(() => undefined);
  }

  #rename(): void {
    this.former.push({ who: this.#who, sent: this.#sent, answered: this.#answered });
    this.#names++;
    this.#who = `${this.name}.${this.#names}`;
    this.#sent = 0;
    this.#answered = 0;
    this.#last = null;
    this.#heard.clear();
  }

  #hear({ life, at, sum, who, n }: Stamp & Saying): void {
    this.model.shown({ life, at, sum }, this.name);
    const last = this.#last;
    if (last !== null && (last.life !== life || at !== last.at + 1)) this.#host.problem(`I4: ${this.name} hears ${at} after ${last.at}`);
    this.#last = { life, at, sum };
    const before = this.#heard.get(who) ?? 0;
    if (before > 0 && n !== before + 1) this.#host.problem(`I4: ${this.name} hears ${who} say ${n} after ${before}`);
    this.#heard.set(who, n);
  }
}
