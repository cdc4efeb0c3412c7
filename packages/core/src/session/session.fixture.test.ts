import { AsyncLocalStorage } from "node:async_hooks";
import { expect, it } from "vitest";
import { createRecordCodec } from "../codec/record-codec.js";
import { resolveLimits } from "../limits/catalogue.js";
import type { StateCodec } from "../ports/codec.js";
import { decodePayload, encodePayload } from "../wire/payload.js";
import type { SessionDefinition } from "./definition.js";
import { createSessionFactory } from "./session-factory.js";
import type { SessionCell } from "./session-port.js";
import type { AttachInput, Link, SessionEnv, TurnInput, TurnResult } from "./types.js";

/** A clock that a test moves. */
export class TestClock {
  ms = 1_000;
  now(): number {
    return this.ms;
  }
  wallNow(): number {
    return 1_700_000_000_000 + this.ms;
  }
  schedule(): { cancel(): void } {
    throw new Error("the session engine schedules nothing");
  }
}

export type TestEnv = SessionEnv & { readonly clock: TestClock; readonly errors: { where: string; error: unknown }[] };

let lineages = 0;

export function testCodec(): StateCodec {
  return createRecordCodec({ lineage: `test-${++lineages}`, maxSharedShapes: 1_000, maxCodecLineages: 100, maxDepth: 250 });
}

export function testEnv(change: Partial<SessionEnv> = {}): TestEnv {
  const storage = new AsyncLocalStorage<object>();
  const errors: { where: string; error: unknown }[] = [];
  return {
    clock: new TestClock(),
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count) },
    scope: { run: (turn, fn) => storage.run(turn, fn), current: () => storage.getStore() },
    codec: testCodec(),
    limits: resolveLimits(),
    self: "a#1",
    pullCache: async () => undefined,
    onHandlerError: (_session, where, error) => errors.push({ where, error }),
    errors,
    ...change,
  } as TestEnv;
}

export function attachInput(link: string, change: Partial<AttachInput> = {}): AttachInput {
  return {
    kind: "attach",
    link,
    token: `${link}-0`,
    nextToken: `${link}-1`,
    ingress: "in#1",
    epoch: 0,
    lastOut: 0,
    sent: 0,
    acked: 0,
    offsetEpoch: 0,
    generation: 0,
    user: { name: link },
    ...change,
  };
}

/** Drives one session as a host with well-behaved clients would. */
export class Driver {
  readonly cell: SessionCell;
  readonly env: TestEnv;

  constructor(definition: SessionDefinition, env: TestEnv = testEnv(), cell = createSessionFactory(definition, env).create("room/1")) {
    this.env = env;
    this.cell = cell;
  }

  /** Runs an input whose turn must be synchronous. */
  run(input: TurnInput, wantDelta = false): TurnResult {
    const result = this.cell.run(input, wantDelta);
    if (result instanceof Promise) throw new Error("the turn was asynchronous");
    return result;
  }

  attach(link: string, change: Partial<AttachInput> = {}): TurnResult {
    return this.run(attachInput(link, change));
  }

  message(link: string, action: string, value?: unknown, change: Partial<TurnInput> = {}): TurnInput {
    const known = this.link(link);
    return {
      kind: "message",
      link,
      generation: known.generation,
      seq: known.lastIn + 1,
      ack: known.ackedOut,
      action,
      payload: encodePayload(value),
      ...change,
    } as TurnInput;
  }

  call(link: string, action: string, value?: unknown, change: Partial<TurnInput> = {}): TurnResult {
    return this.run(this.message(link, action, value, change));
  }

  link(id: string): Link {
    const link = this.cell.links.get(id);
    if (link === undefined) throw new Error(`no link ${id}`);
    return link;
  }

  outbox(link: string): { seq: number; kind: string; answers: number; name: string; value: unknown }[] {
    return this.link(link).outbox.map(({ seq, kind, answers, name, payload }) => ({
      seq,
      kind,
      answers,
      name,
      value: decodePayload(payload),
    }));
  }

  last(link: string): { seq: number; kind: string; answers: number; name: string; value: unknown } | undefined {
    return this.outbox(link).at(-1);
  }

  /** The decoded snapshot, for comparing. */
  image(): unknown {
    return this.env.codec.decode(this.cell.snapshot());
  }

  /** Runs whatever is due. */
  alarms(wantDelta = false): TurnResult[] {
    const results: TurnResult[] = [];
    for (let name = this.cell.dueTimer(); name !== null; name = this.cell.dueTimer())
      results.push(this.run({ kind: "timer", name }, wantDelta));
    return results;
  }
}

it("drives a session", () => {
  expect(new TestClock().now()).toBe(1_000);
});
