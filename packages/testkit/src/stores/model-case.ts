import { deepEqual } from "node:assert/strict";
import { createMemorySessionStore } from "@sojourn/adapters/memory";
import { type AppendOutcome, errorCodeOf, type LogEntry, type SessionStore } from "@sojourn/core";
import fc from "fast-check";
import type { ConformanceCase } from "../directory-under-test.js";
import { CASE_LIMITS } from "./define-cases.js";
import { History, show } from "./history.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

const SESSIONS = ["room/a", "room/ab", "room/a/b"] as const;

/** Epochs and positions are chosen relative to what the model holds. */
type Operation =
  | { readonly do: "fence" | "remove"; readonly session: string; readonly by: number }
  | { readonly do: "base"; readonly session: string; readonly by: number; readonly from: From; readonly turns: number }
  | { readonly do: "append"; readonly parts: readonly Part[] }
  | { readonly do: "read" | "forget"; readonly session: string }
  | { readonly do: "prune"; readonly session: string; readonly keep: number }
  | { readonly do: "list"; readonly prefix: string; readonly limit: number };

interface Restart {
  readonly do: "reopen" | "crash" | "second";
}

/** One step of a generated sequence. */
type Step = Operation | Restart;

/** Where a writer believes the session stands. */
type From = "end" | "base" | "ahead" | "elsewhere";

interface Part {
  readonly session: string;
  readonly by: number;
  readonly from: From;
  readonly turns: number;
}

const session = fc.constantFrom(...SESSIONS);
const by = fc.constantFrom(0, 0, 0, 0, 1, 2, -1);
const from = fc.constantFrom<From>("end", "end", "end", "end", "base", "ahead", "elsewhere");
const turns = fc.integer({ min: 1, max: 3 });
const part: fc.Arbitrary<Part> = fc.record({ session, by, from, turns });
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fence" as const), session, by }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), session, by }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("base" as const), session, by, from, turns }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant("append" as const), parts: fc.array(part, { minLength: 1, maxLength: 4 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("read" as const, "read" as const, "forget" as const), session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("prune" as const), session, keep: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("list" as const),
      prefix: fc.constantFrom("", "room", "room/a", "roo"),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

/** Generated sequences of operations, over two handles and restarts where there are such, against the memory store. */
export function storeModelCase(options: StoreConformanceOptions): ConformanceCase {
  const restarts: ("reopen" | "crash" | "second")[] = options.durable === true ? ["reopen", "crash"] : [];
  if (options.shared === true) restarts.push("second", "second");
  const step: fc.Arbitrary<Step> =
    restarts.length === 0
      ? steps
      : fc.oneof({ weight: 14, arbitrary: steps }, { weight: 1, arbitrary: fc.record({ do: fc.constantFrom(...restarts) }) });
  return {
    name: "generated sequences give what the memory store gives",
    async run() {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (sequence) => runSequence(options, sequence)),
        { numRuns: options.modelRuns ?? 50, ...(options.modelSeed === undefined ? {} : { seed: options.modelSeed }) },
      );
    },
  };
}

async function runSequence(options: StoreConformanceOptions, sequence: readonly Step[]): Promise<void> {
  const underTest = await options.start(CASE_LIMITS);
  const model = createMemorySessionStore({ limits: CASE_LIMITS });
  try {
    let store = await underTest.open();
    for (const [at, step] of sequence.entries()) {
      if (step.do === "second") store = await underTest.openSecond();
      else if (step.do === "reopen" || step.do === "crash") {
        await underTest[step.do]();
        store = await underTest.open();
      } else if (isOperation(step)) {
        const action = await plan(model, step, `step ${at}`);
        deepEqual(await action(store), await action(model), `step ${at}: ${step.do}`);
      }
    }
    for (const name of SESSIONS) deepEqual(await shown(store, name), await shown(model, name), name);
  } finally {
    await underTest.close();
  }
}

function isOperation(step: Step): step is Operation {
  return step.do !== "reopen" && step.do !== "crash" && step.do !== "second";
}

type Action = (store: SessionStore) => Promise<unknown>;

/** Works a step out on the model; what is to be done to both. */
async function plan(model: SessionStore, step: Operation, branch: string): Promise<Action> {
  switch (step.do) {
    case "fence":
    case "remove": {
      const epoch = Math.max(1, (await epochOf(model, step.session)) + step.by);
      return (store) => store[step.do](step.session, epoch);
    }
    case "base": {
      const history = await believed(model, step, branch);
      history.turns(step.turns);
      return (store) => store.putBase(step.session, history.base());
    }
    case "append": {
      const believers = new Map<string, History>();
      const entries: LogEntry[] = [];
      for (const one of step.parts) {
        // What follows in the same call goes on from there.
        const history = believers.get(one.session) ?? (await believed(model, one, branch));
        believers.set(one.session, history);
        entries.push({ session: one.session, record: history.turns(one.turns) });
      }
      return async (store) => (await store.append(entries)).map(plainOutcome);
    }
    case "read":
      return (store) => shown(store, step.session);
    case "forget":
      return (store) => store.forget(step.session);
    case "prune":
      return async (store) => {
        // Records may share an object, and stay with it.
        const { keptBases, removedBases, damagedBases } = await store.prune(step.session, step.keep);
        return { keptBases, removedBases, damagedBases };
      };
    case "list":
      return (store) => listed(store, step.prefix, step.limit);
  }
}

async function epochOf(model: SessionStore, name: string): Promise<number> {
  return (await model.read(name))?.fence ?? 1;
}

async function believed(
  model: SessionStore,
  { session: name, by: step, from: where }: Omit<Part, "turns">,
  branch: string,
): Promise<History> {
  const replica = await model.read(name);
  const epoch = Math.max(1, (replica?.fence ?? 1) + step);
  if (replica === null) return new History({ epoch, version: 0, hash: 0 });
  const history = new History({ ...(where === "base" ? replica.base : replica.end), epoch }, branch);
  if (where === "ahead") history.turns(2);
  if (where === "elsewhere") history.hash = (history.hash ^ 5) >>> 0;
  return history;
}

/** Follows pages to the end; stores have orders of their own. */
async function listed(store: SessionStore, prefix: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await store.list(after === undefined ? { prefix, limit } : { prefix, limit, after });
    found.push(...page.sessions);
    after = page.next;
  }
  return found.sort();
}

async function shown(store: SessionStore, name: string): Promise<unknown> {
  try {
    const replica = await store.read(name);
    return { ...show(replica), damage: replica?.damage };
  } catch (error) {
    return errorCodeOf(error);
  }
}

function plainOutcome(outcome: AppendOutcome): unknown {
  return outcome.outcome === "failed" ? outcome.error.code : outcome;
}
