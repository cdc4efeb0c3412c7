import type { SessionClient } from "@sojourn/client";
import { action, type Durability, defineSession, type SessionContext, type SessionDefinition } from "@sojourn/core";

interface JournalState {
  /** Everything that was said, in the order in which it was handled. */
  lines: string[];
  woken: { reason: string; stalenessMs: number }[];
}

type JournalContext = SessionContext<JournalState, { said: { at: number; line: string } }>;

/** A Standard Schema for a line. */
const LINE = {
  "~standard": {
    version: 1,
    vendor: "sojourn-testkit",
    validate: (value: unknown) => (typeof value === "string" ? { value } : { issues: [{ message: "expected a line" }] }),
    types: undefined as unknown as { readonly input: string; readonly output: string },
  },
} as const;

/** A session that is its own history: what a client was ever told can be compared with what stands at that place in the end. */
export function journalSession(durability: Durability) {
  return defineSession({
    name: "journal",
    version: 1,
    failover: "lease",
    durability,
    state: (): JournalState => ({ lines: [], woken: [] }),
    events: {} as { said: { at: number; line: string } },
    actions: () => ({
      say: action(LINE, (ctx: JournalContext, line) => {
        ctx.state.lines.push(line);
        const at = ctx.state.lines.length;
        ctx.broadcast("said", { at, line });
        return at;
      }),
      read: action(null, (ctx: JournalContext) => ({ lines: [...ctx.state.lines], woken: ctx.state.woken.map((woken) => ({ ...woken })) })),
    }),
    onWake: (ctx, { reason, stalenessMs }) => {
      ctx.state.woken.push({ reason, stalenessMs });
    },
  });
}

/** The type of a journal, whatever its durability. */
export type Journal = ReturnType<typeof journalSession>;

/** For clusters, which take definitions of any type. */
export const asDefinition = (journal: Journal): SessionDefinition => journal as unknown as SessionDefinition;

/** A client of a journal that keeps everything it was told since its link last began anew. */
export class Witness {
  readonly name: string;
  readonly client: SessionClient<Journal>;
  /** Resets, with what they said to be lost and how many confirmed lines they put in doubt. */
  readonly resets: { readonly reason: string; readonly lostOutputs: number; readonly lostInputs: number; readonly confirmed: string[] }[] =
    [];
  readonly problems: string[] = [];
  /** Lines as they were heard, by place. */
  #heard = new Map<number, string>();
  #lastHeard = 0;
  /** Confirmed lines of this client, by place. */
  #confirmed = new Map<number, string>();
  /** Lines that were said since the link began anew, in order. */
  #said: string[] = [];
  #count = 0;
  #open = 0;

  constructor(name: string, client: SessionClient<Journal>) {
    this.name = name;
    this.client = client;
    client.on("said", ({ at, line }) => {
      if (this.#lastHeard > 0 && at !== this.#lastHeard + 1) this.problems.push(`${name} heard ${at} after ${this.#lastHeard}`);
      this.#lastHeard = at;
      this.#heard.set(at, line);
    });
    client.on("reset", ({ reason, lostOutputs, lostInputs }) => {
      this.resets.push({ reason, lostOutputs, lostInputs, confirmed: [...this.#confirmed.values()] });
      this.#heard = new Map();
      this.#lastHeard = 0;
      this.#confirmed = new Map();
      this.#said = [];
    });
  }

  /** Lines without an answer. */
  get open(): number {
    return this.#open;
  }
  get said(): number {
    return this.#count;
  }

  say(): Promise<void> {
    this.#count++;
    this.#open++;
    const line = `${this.name}:${this.#count}`;
    this.#said.push(line);
    return this.client.call.say(line).then(
      (at) => {
        this.#open--;
        if (this.#said.includes(line)) this.#confirmed.set(at, line);
      },
      () => {
        this.#open--;
      },
    );
  }

  /** Compares what this client was told with the history as it is. */
  check(lines: readonly string[]): string[] {
    const found = [...this.problems];
    const told = (what: string, at: number, line: string) => {
      if (lines[at - 1] !== line) found.push(`${this.name} ${what} ${line} at ${at}, where ${lines[at - 1] ?? "nothing"} stands`);
    };
    for (const [at, line] of this.#heard) told("heard", at, line);
    for (const [at, line] of this.#confirmed) told("was confirmed", at, line);
    const mine = lines.filter((line) => line.startsWith(`${this.name}:`));
    if (new Set(mine).size !== mine.length) found.push(`a line of ${this.name} stands twice: ${mine.join(" ")}`);
    const since = mine.filter((line) => this.#said.includes(line));
    if (since.join() !== this.#said.join()) found.push(`${this.name} said ${this.#said.join()}; there is ${since.join()}`);
    for (const { reason, lostInputs, confirmed } of this.resets) {
      if (reason !== "E_TURNS_LOST") found.push(`${this.name} was reset by ${reason}`);
      const undone = confirmed.filter((line) => !lines.includes(line)).length;
      if (undone > lostInputs) found.push(`${this.name} lost ${undone} confirmed lines and was told of ${lostInputs}`);
    }
    return found;
  }
}
