import { action, defineSession, type SessionDefinition } from "@sojourn/core";

/** How a session of the run came to run again, as it saw it. */
export interface Waking {
  /** Lines that it had then. */
  readonly count: number;
  readonly reason: string;
  /** For how long at most the store had not heard of it. */
  readonly stalenessMs: number;
}

/** What a session knows of itself. */
export interface Ledger {
  readonly count: number;
  /** Calls that came twice or out of order, as far as they can be told. */
  readonly wrong: number;
  readonly wakings: readonly Waking[];
}

interface State {
  count: number;
  last: number;
  wrong: number;
  wakings: Waking[];
}

/** What clients of the run call. */
export interface LedgerCalls {
  say(n: number): Promise<number>;
  read(): Promise<Ledger>;
}

const MAX_WAKINGS = 8;

/** Takes anything: only the run's own clients call. */
const anyNumber = {
  "~standard": {
    version: 1,
    vendor: "sojourn-testkit",
    validate: (value: unknown) => ({ value: value as number }),
    types: undefined as unknown as { readonly input: number; readonly output: number },
  },
} as const;

function ledger(
  name: string,
  kept: { readonly strategy: "hybrid" | "snapshot"; readonly durability: "strong" | "eventual" },
): SessionDefinition {
  return defineSession({
    name,
    version: 1,
    ...kept,
    state: (): State => ({ count: 0, last: 0, wrong: 0, wakings: [] }),
    actions: {
      say: action(anyNumber, (ctx: { readonly state: State }, n: number) => {
        const { state } = ctx;
        if (n <= state.last || (kept.durability === "strong" && n !== state.last + 1)) state.wrong++;
        state.last = n;
        state.count++;
        return state.count;
      }),
      read: action(null, ({ state }: { readonly state: State }): Ledger => {
        return { count: state.count, wrong: state.wrong, wakings: state.wakings.map((waking) => ({ ...waking })) };
      }),
    },
    onWake: ({ state }, { reason, stalenessMs }) => {
      state.wakings.push({ count: state.count, reason, stalenessMs });
      if (state.wakings.length > MAX_WAKINGS) state.wakings.shift();
    },
  }) as unknown as SessionDefinition;
}

/** The kinds of a run, by how they are kept. */
export const LEDGERS = {
  strong: ledger("strong", { strategy: "hybrid", durability: "strong" }),
  eventual: ledger("eventual", { strategy: "hybrid", durability: "eventual" }),
  snapshot: ledger("snapshot", { strategy: "snapshot", durability: "eventual" }),
} as const;

/** One of them. */
export type LedgerKind = keyof typeof LEDGERS;

/** All of them. */
export const LEDGER_KINDS: readonly LedgerKind[] = ["strong", "eventual", "snapshot"];
