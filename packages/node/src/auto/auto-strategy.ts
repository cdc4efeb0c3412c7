import {
  type Choice,
  type Clock,
  chooseStrategy,
  type Durability,
  type Figures,
  kindInKey,
  type Limits,
  meanOf,
  resolveWorkload,
  type Scheduled,
  type SessionDefinition,
  type SessionKey,
  type SessionRecord,
  STRATEGIES,
  type StoreKind,
  type Strategy,
} from "@sojourn/core";
import type { KindReport } from "../profile/reports.js";
import { SessionLoads } from "./session-loads.js";

/** What the choice reckons with besides what was measured. */
export interface AutoOptions {
  /** What kind of store the node has, for its costs; `disk` unless said otherwise. */
  readonly store?: StoreKind;
  /** What all nodes together have for sessions; no bound unless said otherwise. */
  readonly memoryBytes?: number;
  /** Figures of the cost model (docs/advisor.md). */
  readonly figures?: Figures;
}

/** An owned session, as the choice sees it. */
export interface ChosenSlot {
  readonly key: SessionKey;
  /** Encoded size when it was last taken whole; 0 when it never was. */
  readonly sizeBytes: number;
  readonly cas: { readonly record: SessionRecord | null };
  readonly owner: {
    readonly cell: { readonly durability: Durability; readonly ended: boolean };
    readonly movingTo: unknown;
    readonly store: { readonly changingTo: Strategy | null };
  } | null;
}

/** The node, as the choice sees it. */
export interface ChoosingNode {
  /** What is on this node; null while it has no life. */
  slots(): ReadonlyMap<SessionKey, ChosenSlot> | null;
  /** Living nodes, this one included. */
  nodes(): number;
  readonly hasStore: boolean;
  report(kind: string): KindReport | undefined;
  /** Gives a session another strategy; rejects when that did not come about. */
  set(session: SessionKey, to: Strategy): Promise<unknown>;
}

/** Why a session has the strategy that it has. */
export interface StrategyNote {
  readonly reason: string;
  /** What it would be given, had it not been changed a moment ago; null when it has that. */
  readonly due: Strategy | null;
}

interface Judged {
  note: StrategyNote;
  /** Windows since it came to this node. */
  windows: number;
  /** When this node last gave it another strategy, or tried to. */
  changedAtMs: number | null;
}

/** What sessions of one kind have in common in one round. */
interface KindView {
  readonly definition: SessionDefinition;
  readonly report: KindReport;
  readonly nodes: number;
  /** Choices of this round by what they were made from, rounded. */
  readonly choices: Map<string, Choice>;
}

/** Sessions that one step of a round looks at; other work runs between two steps. */
const STEP_SESSIONS = 200;
/** One window says little: a session that has just come had turns for that alone. */
const LEAST_WINDOWS = 3;
/** Numbers within a twelfth of each other are the same to the choice. */
const ROUNDED_TO = 1 / 12;

/**
 * `strategy: "auto"`: after each window of the profile every owned session of such a kind is judged by what was measured of it, with
 * hysteresis (`chooseStrategy`), and given another strategy where that is better by enough. No more often than every `strategySettleMs`, and at
 * most `maxStrategyChanges` at a time.
 */
export class AutoStrategy {
  readonly #kinds: ReadonlyMap<string, SessionDefinition>;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #node: ChoosingNode;
  readonly #options: AutoOptions;
  readonly #loads = new SessionLoads();
  readonly #judged = new Map<SessionKey, Judged>();
  #inFlight = 0;
  #round: Scheduled | null = null;
  #stopped = false;

  constructor(definitions: readonly SessionDefinition[], clock: Clock, limits: Limits, node: ChoosingNode, options: AutoOptions = {}) {
    this.#kinds = new Map(definitions.filter(({ auto }) => auto).map((definition) => [definition.name, definition]));
    this.#clock = clock;
    this.#limits = limits;
    this.#node = node;
    this.#options = options;
  }

  /** Why a session of this node has the strategy that it has; null when nobody chose it. */
  noteOf(session: SessionKey): StrategyNote | null {
    return this.#judged.get(session)?.note ?? null;
  }

  /** A session had turns in the window that ends. */
  session(key: SessionKey, turnsPerSec: number, stateBytes: number): void {
    if (this.#kinds.has(kindInKey(key))) this.#loads.seen(key, turnsPerSec, stateBytes);
  }

  /** The window has ended, and all of its sessions were told. */
  windowEnded(): void {
    const slots = this.#node.slots();
    if (this.#kinds.size === 0 || this.#round !== null || this.#stopped || slots === null) return;
    const views = new Map<string, KindView>();
    for (const [name, definition] of this.#kinds) {
      const report = this.#node.report(name);
      if (report !== undefined) views.set(name, { definition, report, nodes: this.#node.nodes(), choices: new Map() });
    }
    const owned = [...slots.values()].filter(({ key, owner }) => owner !== null && views.has(kindInKey(key)));
    const there = new Set(owned.map(({ key }) => key));
    for (const key of this.#judged.keys()) if (!there.has(key)) this.#judged.delete(key);
    this.#loads.turnOver(there);
    this.#step(owned, views, 0);
  }

  #step(owned: readonly ChosenSlot[], views: ReadonlyMap<string, KindView>, from: number): void {
    const end = Math.min(owned.length, from + STEP_SESSIONS);
    for (const slot of owned.slice(from, end)) {
      const view = views.get(kindInKey(slot.key));
      if (view !== undefined) this.#judge(slot, view);
    }
    if (end === owned.length) return;
    this.#round = this.#clock.schedule(0, () => {
      this.#round = null;
      this.#step(owned, views, end);
    });
  }

  #judge(slot: ChosenSlot, view: KindView): void {
    const { key, owner, cas } = slot;
    const { record } = cas;
    if (owner === null || owner.cell.ended || record === null || record.ended) return;
    const load = this.#loads.of(key);
    const stateBytes = load?.stateBytes || slot.sizeBytes || meanOf(view.report.stateBytes);
    let judged = this.#judged.get(key);
    if (judged === undefined) {
      judged = { note: { reason: "", due: null }, windows: 0, changedAtMs: null };
      this.#judged.set(key, judged);
    }
    judged.windows++;
    if (stateBytes === 0) {
      judged.note = { reason: "its size is not known yet", due: null };
      return;
    }
    const choice = this.#choose(record.strategy, view, owner.cell.durability, stateBytes, load?.turnsPerSec ?? 0);
    const due = choice.strategy === record.strategy ? null : choice.strategy;
    judged.note = { reason: choice.reason, due };
    const { changedAtMs } = judged;
    const known = judged.windows >= LEAST_WINDOWS;
    const settled = changedAtMs === null || this.#clock.now() - changedAtMs >= this.#limits.strategySettleMs;
    const free = owner.movingTo === null && owner.store.changingTo === null && record.heir === null;
    if (due === null || !known || !settled || !free || this.#inFlight >= this.#limits.maxStrategyChanges) return;
    this.#change(key, judged, due);
  }

  #change(key: SessionKey, judged: Judged, to: Strategy): void {
    this.#inFlight++;
    judged.changedAtMs = this.#clock.now();
    const over = () => {
      this.#inFlight--;
      judged.changedAtMs = this.#clock.now();
    };
    this.#node.set(key, to).then(over, over);
  }

  #choose(previous: Strategy, view: KindView, durability: Durability, stateBytes: number, turnsPerSec: number): Choice {
    const size = rounded(stateBytes);
    const turns = rounded(turnsPerSec);
    const from = `${previous} ${durability} ${size} ${turns}`;
    const known = view.choices.get(from);
    if (known !== undefined) return known;
    const { report, definition, nodes } = view;
    const { store, memoryBytes, figures } = this.#options;
    const { snapshotIntervalMs, baseIntervalMs, baseLogPercent, replayBudgetMs, leaseTtlMs, standbys } = this.#limits;
    const workload = resolveWorkload({
      stateBytes: Math.max(1, size),
      turnsPerSec: turns,
      // What the others' sessions do is not known here; they are taken to be like these.
      movesPerSec: report.movesPerSec * nodes,
      sessions: Math.max(1, report.sessions * nodes),
      durability,
      standbys: Math.max(1, definition.standbys ?? standbys),
      snapshotIntervalMs,
      baseIntervalMs,
      baseLogPercent,
      replayBudgetMs,
      leaseTtlMs,
      ...(report.deltaBytes.count > 0 && { deltaBytes: meanOf(report.deltaBytes) }),
      ...(store !== undefined && { store }),
      ...(memoryBytes !== undefined && { memoryBytes }),
    });
    const among = this.#node.hasStore ? STRATEGIES : STRATEGIES.filter((strategy) => strategy === "replica");
    const choice = chooseStrategy(previous, workload, { among, ...(figures !== undefined && { figures }) });
    view.choices.set(from, choice);
    return choice;
  }

  stop(): void {
    this.#stopped = true;
    this.#round?.cancel();
  }
}

/** To the nearest power of a twelfth more; what is next to nothing is nothing. */
function rounded(value: number): number {
  if (value < 1e-3) return 0;
  const step = Math.log1p(ROUNDED_TO);
  return Math.exp(Math.round(Math.log(value) / step) * step);
}
