import { deepEqual } from "node:assert/strict";
import {
  type CasOutcome,
  type Directory,
  errorCodeOf,
  type NodeInfo,
  type NodeRef,
  type RecordDraft,
  type SessionRecord,
  STRATEGIES,
  type Strategy,
} from "@sojourn/core";
import fc from "fast-check";
import type { ConformanceCase, DirectoryConformanceOptions } from "./directory-under-test.js";

const NODES = ["a", "b", "c"] as const;
const KEYS = ["room/1", "room/2", "doc/1"] as const;
const TTL_MS = { a: 500, b: 1_000, c: 1_700 } as const;

type NodeId = (typeof NODES)[number];

interface Restart {
  readonly do: "reopen" | "crash";
}

/** One step of a generated sequence. Refs are chosen as "this many incarnations ago". */
type Step =
  | { readonly do: "register" | "renew" | "resign"; readonly node: NodeId; readonly ago: number }
  | {
      readonly do: "write";
      readonly key: string;
      readonly off: number;
      readonly epochStep: number;
      readonly writer: NodeId;
      readonly ago: number;
      readonly owner: NodeId;
      readonly inSync: readonly NodeId[];
      readonly heir: NodeId | null;
      readonly ended: boolean;
      readonly strategy: Strategy;
      readonly stored: boolean;
    }
  | { readonly do: "read"; readonly key: string }
  | { readonly do: "list"; readonly node: NodeId; readonly ago: number }
  | { readonly do: "advance"; readonly ms: number }
  | Restart;

const id = fc.constantFrom(...NODES);
const key = fc.constantFrom(...KEYS);
const ago = fc.constantFrom(0, 0, 0, 1);
const advance = fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 900 }) });
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("register" as const, "renew" as const, "renew" as const), node: id, ago }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resign" as const), node: id, ago }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      key,
      off: fc.constantFrom(0, 0, 0, 0, 1, -1),
      epochStep: fc.constantFrom(0, 0, 1, 2, -1),
      writer: id,
      ago,
      owner: id,
      inSync: fc.uniqueArray(id, { maxLength: 2 }),
      heir: fc.option(id),
      ended: fc.constantFrom(false, false, false, true),
      strategy: fc.constantFrom(...STRATEGIES),
      stored: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("list" as const), node: id, ago }) },
  { weight: 2, arbitrary: advance },
);
const restarts: fc.Arbitrary<Step> = fc.record({ do: fc.constantFrom("reopen" as const, "crash" as const) });

/** The contract in the plainest words: everything is scanned, nothing is indexed, time is one number. */
class Model {
  readonly records = new Map<string, SessionRecord>();
  readonly incarnations = new Map<string, number>();
  readonly leases = new Map<NodeRef, { endsAt: number; readonly ttlMs: number }>();
  now = 0;

  ref(node: string, ago: number): NodeRef {
    return `${node}#${(this.incarnations.get(node) ?? 0) - ago}`;
  }

  register(node: string, ttlMs: number): NodeRef {
    this.leases.delete(this.ref(node, 0));
    this.incarnations.set(node, (this.incarnations.get(node) ?? 0) + 1);
    const ref = this.ref(node, 0);
    this.leases.set(ref, { endsAt: this.now + ttlMs, ttlMs });
    return ref;
  }

  renew(ref: NodeRef): string {
    const lease = this.leases.get(ref);
    if (lease === undefined) return "ended";
    lease.endsAt = Math.max(lease.endsAt, this.now + lease.ttlMs);
    return "renewed";
  }

  advance(ms: number): void {
    this.now += ms;
    for (const [ref, lease] of this.leases) if (lease.endsAt <= this.now) this.leases.delete(ref);
  }

  restart(): void {
    const longest = Math.max(0, ...[...this.leases.values()].map((lease) => lease.ttlMs));
    for (const lease of this.leases.values()) lease.endsAt = this.now + longest;
  }

  write(key: string, expected: number, draft: RecordDraft): CasOutcome | string {
    if (!this.leases.has(draft.writer.split("/")[0] as string)) return "E_LEASE_ENDED";
    const current = this.records.get(key) ?? null;
    if ((current?.revision ?? 0) !== expected) return { outcome: "conflict", current };
    const revives = current?.ended === true && !draft.ended;
    if (current !== null && (draft.epoch < current.epoch || (revives && draft.epoch === current.epoch))) return "E_EPOCH_STALE";
    this.records.set(key, { revision: expected + 1, ...draft });
    return { outcome: "applied", revision: expected + 1 };
  }

  list(ref: NodeRef): [string, SessionRecord][] {
    return [...this.records].filter(([, r]) => r.owner === ref || r.heir === ref || r.inSync.includes(ref)).sort(byKey);
  }
}

/** Generated sequences of operations, with restarts where the implementation has them, against a plain model. */
export function directoryModelCase(options: DirectoryConformanceOptions): ConformanceCase {
  const needs = [options.guards, (options.leaseSlackMs ?? 0) === 0 || "leases may end late, so the model cannot tell when"];
  const missing = needs.find((need) => need !== true);
  const step = options.durable === true ? fc.oneof({ weight: 12, arbitrary: steps }, { weight: 1, arbitrary: restarts }) : steps;
  return {
    name: "generated sequences give what a plain model gives",
    ...(missing === undefined ? {} : { skipped: String(missing) }),
    async run() {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (sequence) => runSequence(options, sequence)),
        { numRuns: options.modelRuns ?? 50, ...(options.modelSeed === undefined ? {} : { seed: options.modelSeed }) },
      );
    },
  };
}

async function runSequence(options: DirectoryConformanceOptions, sequence: readonly Step[]): Promise<void> {
  const underTest = await options.start();
  try {
    const model = new Model();
    let directory = await underTest.open();
    for (const step of sequence) {
      if (step.do === "advance") {
        model.advance(step.ms);
        await underTest.advance(step.ms);
      } else if (isRestart(step)) {
        model.restart();
        await underTest[step.do]();
        directory = await underTest.open();
      } else await runStep(model, directory, step);
    }
    for (const key of KEYS) deepEqual(await directory.read(key), model.records.get(key) ?? null);
  } finally {
    await underTest.close();
  }
}

async function runStep(model: Model, directory: Directory, step: Exclude<Step, Restart | { do: "advance" }>): Promise<void> {
  switch (step.do) {
    case "register":
      deepEqual(await directory.register(info(step.node), TTL_MS[step.node]), model.register(step.node, TTL_MS[step.node]));
      break;
    case "renew": {
      const ref = model.ref(step.node, step.ago);
      deepEqual(await directory.renew(ref), model.renew(ref));
      break;
    }
    case "resign": {
      const ref = model.ref(step.node, step.ago);
      model.leases.delete(ref);
      await directory.resign(ref);
      break;
    }
    case "write": {
      const current = model.records.get(step.key);
      const expected = Math.max(0, (current?.revision ?? 0) + step.off);
      const draft: RecordDraft = {
        epoch: Math.max(0, (current?.epoch ?? 1) + step.epochStep),
        owner: model.ref(step.owner, 0),
        inSync: step.inSync.map((node) => model.ref(node, 0)),
        heir: step.heir === null ? null : model.ref(step.heir, 0),
        ended: step.ended,
        strategy: step.strategy,
        stored: step.stored,
        writer: `${model.ref(step.writer, step.ago)}/1`,
      };
      const actual = await directory.compareAndSet(step.key, expected, draft).catch(errorCodeOf);
      deepEqual(actual, model.write(step.key, expected, draft));
      break;
    }
    case "read":
      deepEqual(await directory.read(step.key), model.records.get(step.key) ?? null);
      break;
    case "list": {
      const ref = model.ref(step.node, step.ago);
      deepEqual([...(await directory.listRecords(ref))].sort(byKey), model.list(ref));
      break;
    }
  }
}

function isRestart(step: Step): step is Restart {
  return step.do === "reopen" || step.do === "crash";
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

function info(id: string): NodeInfo {
  return { id, place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false };
}
