import { randomBytes } from "node:crypto";
import { type DurationSummary, Durations } from "@sojourn/testkit/books";
import { CrowdProcess, type CrowdResult } from "./clients/crowd-process.js";
import type { Counts } from "./clients/messages.js";
import { Follow } from "./cluster/follow.js";
import { RoamingCluster } from "./cluster/roaming-cluster.js";
import type { RoamingOptions } from "./options.js";
import { Rate } from "./report/rate.js";
import { faultsOf, type RoamingReport } from "./report/report.js";
import type { Moment, View } from "./report/view.js";
import type { Position } from "./travel/geo.js";
import { PacedTravel } from "./travel/paced-travel.js";
import type { Travel } from "./travel/travel.js";

const TRAVEL_TICK_MS = 20;
const STATUS_EVERY_MS = 1_000;
const MOVES_IN_FLIGHT = 64;
/** A move that has not ended after this is a fault. */
const MOVE_PATIENCE_MS = 15_000;
/** So many clients fit well into one process. */
const CLIENTS_PER_PROCESS = 400;
const MAX_CROWDS = 4;
const NO_TIME: DurationSummary = { count: 0, p50: 0, p99: 0, max: 0 };
const NO_COUNTS: Counts = {
  connected: 0,
  messages: 0,
  replies: 0,
  lost: 0,
  doubled: 0,
  reordered: 0,
  failed: {},
  handovers: 0,
  reconnects: 0,
};

/**
 * Runs the demonstration: starts the cluster and the clients, lets the users travel and their sessions follow, until the time is over or
 * `stop` resolves, and audits everything. Leaves no process behind, however it ends.
 * @throws SojournError (rejects) what kept the cluster or the clients from starting
 */
export async function runRoaming(options: RoamingOptions, travel: Travel, view: View, stop: Promise<void>): Promise<RoamingReport> {
  const run = new Run(options, travel, view);
  try {
    return await run.run(stop);
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: RoamingOptions;
  readonly #travel: Travel;
  readonly #view: View;
  readonly #blackouts = new Durations();
  readonly #rate = new Rate(5_000);
  readonly #movesFailed = new Map<string, number>();
  readonly #faults: string[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #crowds: CrowdProcess[] = [];
  /** Where users are who have moved since the clients were told. */
  readonly #positions = new Map<number, Position>();
  #cluster: RoamingCluster | null = null;
  #moves = 0;
  #evacuated = 0;
  #incidents = 0;
  #startedAtMs = 0;

  constructor(options: RoamingOptions, travel: Travel, view: View) {
    this.#options = options;
    this.#travel = travel;
    this.#view = view;
  }

  async run(stop: Promise<void>): Promise<RoamingReport> {
    const { clients, movesPerSecond, forMs } = this.#options;
    const { atlas, journeys } = this.#travel;
    const cluster = await RoamingCluster.start(atlas.places, {
      incident: (what) => this.#incident(what),
      evacuated: (node, moved, left) => {
        this.#countMoves(moved);
        this.#evacuated += moved;
        if (left > 0) this.#faults.push(`${node} left ${left} sessions behind`);
        this.#incident(`${node} has moved its ${moved} sessions away${left > 0 ? ` and left ${left} behind` : ""}`);
      },
    });
    this.#cluster = cluster;

    const run = randomBytes(4).toString("hex");
    const follow = new Follow((user, to) => cluster.move(`traveller/${run}-${user}`, to), MOVES_IN_FLIGHT, {
      moved: (_user, _to, blackoutMs) => {
        this.#countMoves(1);
        this.#blackouts.record(blackoutMs);
      },
      failed: (_user, to, code) => {
        this.#movesFailed.set(code, (this.#movesFailed.get(code) ?? 0) + 1);
        if (code === "E_NODE_CORDONED") cluster.close(to);
      },
    });
    const paced = new PacedTravel(
      journeys,
      clients,
      (fix) => atlas.nearest(fix.user, fix, (node) => cluster.isOpen(node)),
      movesPerSecond,
      {
        position: (fix) => this.#positions.set(fix.user, fix),
        crossing: (user, node) => follow.want(user, node),
      },
    );
    await this.#startCrowds(run, paced.depart(), cluster);

    this.#startedAtMs = performance.now();
    paced.begin(this.#startedAtMs);
    for (const crowd of this.#crowds) crowd.go();
    const every = (ms: number, work: () => void) => this.#timers.push(setInterval(work, ms));
    const travelling = setInterval(() => {
      paced.advance(performance.now());
      this.#sendPositions();
    }, TRAVEL_TICK_MS);
    this.#timers.push(travelling);
    every(STATUS_EVERY_MS, () => void cluster.refresh());
    every(this.#view.everyMs, () => this.#view.show(this.#moment()));
    void cluster.refresh();
    this.#view.show(this.#moment());

    const over = new Promise<void>((resolve) => {
      if (forMs !== null) this.#timers.push(setTimeout(resolve, forMs));
    });
    await Promise.race([stop, over, ...this.#crowds.map(({ done }) => done)]);
    clearInterval(travelling);
    const runMs = performance.now() - this.#startedAtMs;
    const hanging = await follow.stop(new Promise((resolve) => this.#timers.push(setTimeout(resolve, MOVE_PATIENCE_MS))));
    if (hanging > 0) this.#faults.push(`${hanging} moves had not ended after ${MOVE_PATIENCE_MS / 1_000} s`);
    const results = await Promise.all(this.#crowds.map((crowd) => crowd.finish()));
    await cluster.refresh();
    this.#view.show(this.#moment());
    return this.#report(results, runMs);
  }

  async #startCrowds(run: string, departures: ReadonlyMap<number, string>, cluster: RoamingCluster): Promise<void> {
    const { clients, messageEveryMs } = this.#options;
    const count = Math.min(MAX_CROWDS, Math.ceil(clients / CLIENTS_PER_PROCESS));
    const members = [...departures].map(([user, node]) => {
      const { lat, lon } = this.#positions.get(user) ?? { lat: 0, lon: 0 };
      return { user, lat, lon, endpoint: cluster.endpointOf(node) };
    });
    const endpoints = this.#travel.atlas.places.map(({ id }) => cluster.endpointOf(id));
    for (let i = 0; i < count; i++) {
      const mine = members.filter(({ user }) => user % count === i);
      this.#crowds.push(new CrowdProcess({ run, endpoints, messageEveryMs, clients: mine }, (what) => this.#incident(what)));
    }
    const failures = (await Promise.all(this.#crowds.map((crowd) => crowd.connected()))).flat();
    for (const failure of failures) this.#faults.push(`could not connect: ${failure}`);
  }

  #sendPositions(): void {
    const flat = this.#crowds.map((): number[] => []);
    for (const [user, { lat, lon }] of this.#positions) flat[user % flat.length]?.push(user, lat, lon);
    this.#positions.clear();
    for (const [i, crowd] of this.#crowds.entries()) crowd.positions(flat[i] ?? []);
  }

  #countMoves(moved: number): void {
    this.#moves += moved;
    this.#rate.add(performance.now(), moved);
  }

  #incident(what: string): void {
    this.#incidents++;
    this.#view.incident(what);
  }

  #moment(): Moment {
    const { counts, replyMs } = total(this.#crowds.map(({ latest }) => latest));
    const nowMs = performance.now();
    return {
      title: `Sojourn   ${this.#options.clients} users, ${this.#travel.title}`,
      elapsedMs: nowMs - this.#startedAtMs,
      nodes: this.#cluster?.nodes ?? [],
      moves: this.#moves,
      movesPerSec: this.#rate.perSecond(nowMs),
      movesFailed: sum(Object.fromEntries(this.#movesFailed)),
      blackoutMs: this.#blackouts.summary(),
      replyMs,
      messages: counts.messages,
      lost: counts.lost,
      doubled: counts.doubled,
      reordered: counts.reordered,
      failedCalls: sum(counts.failed),
    };
  }

  #report(results: readonly CrowdResult[], runMs: number): RoamingReport {
    const { clients, nodes, seed, traces } = this.#options;
    const { counts, replyMs } = total(results);
    const { messages, replies, lost, doubled, reordered, failed, handovers, reconnects } = counts;
    const report: Omit<RoamingReport, "faults"> = {
      command: "start",
      moves: this.#moves,
      messages,
      lost,
      doubled,
      reordered,
      blackoutMs: figures(this.#blackouts.summary()),
      movesPerSec: Math.round((this.#moves / runMs) * 10_000) / 10,
      replyMs: figures(replyMs),
      replies,
      evacuated: this.#evacuated,
      movesFailed: Object.fromEntries(this.#movesFailed),
      handoversSeen: handovers,
      reconnects,
      failedCalls: failed,
      clients,
      audited: results.reduce((all, { audited }) => all + audited, 0),
      nodes,
      seed,
      source: traces === null ? "generated" : "traces",
      runMs: Math.round(runMs),
      incidents: this.#incidents,
    };
    return { ...report, faults: faultsOf(report, [...this.#faults, ...results.flatMap(({ faults }) => faults)]) };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#crowds.map((crowd) => crowd.close()));
    await this.#cluster?.stop();
    this.#view.close();
  }
}

function figures({ p50, p99, max }: DurationSummary): Omit<DurationSummary, "count"> {
  return { p50, p99, max };
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, one) => all + one, 0);
}

/** Over all processes of clients. Percentiles cannot be added: the worst process stands for all. */
function total(parts: readonly ({ readonly counts: Counts; readonly replyMs: DurationSummary } | null)[]) {
  let counts = NO_COUNTS;
  let replyMs = NO_TIME;
  for (const part of parts) {
    if (part === null) continue;
    const { counts: more } = part;
    const failed: Record<string, number> = { ...counts.failed };
    for (const [code, times] of Object.entries(more.failed)) failed[code] = (failed[code] ?? 0) + times;
    counts = {
      connected: counts.connected + more.connected,
      messages: counts.messages + more.messages,
      replies: counts.replies + more.replies,
      lost: counts.lost + more.lost,
      doubled: counts.doubled + more.doubled,
      reordered: counts.reordered + more.reordered,
      failed,
      handovers: counts.handovers + more.handovers,
      reconnects: counts.reconnects + more.reconnects,
    };
    if (part.replyMs.p99 > replyMs.p99) replyMs = part.replyMs;
  }
  return { counts, replyMs };
}
