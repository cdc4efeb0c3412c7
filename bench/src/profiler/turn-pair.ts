import {
  type ChangeTimer,
  createRecordCodec,
  createSessionFactory,
  defineSession,
  resolveLimits,
  type SessionCell,
  type SessionDefinition,
  type SessionMeter,
} from "@sojourn/core";
import { createSystemClock, createSystemRandom, createTurnScope, type Profiler, systemCrc32 } from "@sojourn/node";
import { benchState } from "../common/bench-state.js";

/** The kind whose turns are timed: a small change of a 5 KB state. */
export const ROOM = defineSession({
  name: "room",
  version: 1,
  state: benchState,
  actions: {},
  timers: {
    step: (ctx) => {
      const player = ctx.state.players.get("player-7");
      if (player !== undefined) player.pos.x += 1;
      ctx.state.seen += 1;
      ctx.timers.set("step", 0);
    },
  },
  onCreate: (ctx) => ctx.timers.set("step", 0),
}) as SessionDefinition;

/** Sessions that run turns as their owner does: the turn, its encoded delta, and the delta's place in the chain. */
export class Turns {
  readonly #cells: SessionCell[] = [];
  readonly #none: (SessionMeter | null)[] = [];
  readonly #own: (SessionMeter | null)[] = [];
  readonly #timer: ChangeTimer | undefined;
  readonly #env: { changes: ChangeTimer | undefined };
  #meters = this.#none;
  #next = 0;
  #hash = 0;

  constructor(sessions: number, profiler: Profiler) {
    const limits = resolveLimits();
    const env = {
      clock: createSystemClock(),
      random: createSystemRandom(),
      scope: createTurnScope(),
      codec: createRecordCodec({ lineage: "turns", maxSharedShapes: 1_024, maxCodecLineages: 16, maxDepth: 208 }),
      limits,
      self: "bench#1",
      pullCache: () => Promise.resolve(undefined),
      changes: undefined as ChangeTimer | undefined,
    };
    this.#timer = profiler.timerOf("room");
    this.#env = env;
    const factory = createSessionFactory(ROOM, env);
    for (let i = 0; i < sessions; i++) {
      const cell = factory.create(`room/${i}`);
      cell.run({ kind: "wake", reason: "created", stalenessMs: 0 }, true);
      this.#cells.push(cell);
      this.#none.push(null);
      this.#own.push(profiler.meterOf(cell.key));
    }
  }

  /** The same sessions with or without the profiler, so that nothing else differs. */
  profile(on: boolean): void {
    this.#env.changes = on ? this.#timer : undefined;
    this.#meters = on ? this.#own : this.#none;
  }

  run(turns: number): void {
    for (let i = 0; i < turns; i++) {
      const at = this.#next;
      this.#next = (at + 1) % this.#cells.length;
      const result = this.#cells[at]?.run({ kind: "timer", name: "step" }, true);
      if (result === undefined || "then" in result || result.delta === null) throw new Error("a turn went wrong");
      this.#meters[at]?.turn(result.delta);
      this.#hash = systemCrc32(result.delta, this.#hash);
    }
  }
}
