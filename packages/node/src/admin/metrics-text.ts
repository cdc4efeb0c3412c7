import type { IntervalHistogram } from "node:perf_hooks";
import { type HistogramData, percentileOf } from "@sojourn/core";
import { Counter, Gauge, Registry } from "prom-client";
import type { NodeStatus } from "../metrics/node-metrics.js";
import type { KindReport } from "../profile/reports.js";

const S_PER_MS = 1e-3;
const S_PER_NS = 1e-9;

/** Writes a node's figures in the text format of Prometheus. Nothing is counted twice: each scrape reads what the node keeps anyway. */
export class MetricsText {
  readonly contentType: string;
  readonly #registry = new Registry();
  readonly #loopDelay: IntervalHistogram;
  readonly #write: (status: NodeStatus, kinds: readonly KindReport[]) => void;

  /** @param loopDelay running; its figures are since the scrape before */
  constructor(nodeId: string, loopDelay: IntervalHistogram) {
    this.#loopDelay = loopDelay;
    this.contentType = this.#registry.contentType;
    this.#registry.setDefaultLabels({ node: nodeId });
    const registers = [this.#registry];
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name: `sojourn_${name}`, help, labelNames, registers });
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name: `sojourn_${name}`, help, labelNames, registers });

    const sessions = gauge("sessions", "Sessions on this node by role", ["role"]);
    const byStrategy = gauge("sessions_by_strategy", "Owned sessions by what keeps them", ["strategy"]);
    const byStore = gauge("sessions_by_store", "Owned sessions whose store lacks turns, or is gone on without", ["state"]);
    const behind = gauge("store_behind_seconds", "For how long at most the store of any owned session has lacked something");
    const changes = counter("strategy_changes_total", "Changes of a session's strategy by outcome", ["outcome"]);
    const copyBytes = gauge("copy_bytes", "Encoded size of the copies of other nodes' sessions");
    const clients = gauge("clients", "Client connections");
    const joined = gauge("joined", "1 while the node holds a lease");
    const cordoned = gauge("cordoned", "1 while the node takes no new sessions");
    const peersUp = gauge("peers_up", "Other nodes with a working connection");
    const inFlight = gauge("moves_in_flight", "Hand-overs under way from this node");
    const moves = counter("moves_total", "Hand-overs from this node by outcome", ["outcome"]);
    const suspicions = counter("suspicions_total", "Times that another node was suspected to be lost");
    const promotions = counter("promotions_total", "Sessions taken over from another node by what spoke against it", ["cause"]);
    const blackout = gauge("move_blackout_seconds", "Freeze to TAKEN of the hand-overs from this node, since it started", ["quantile"]);
    const lost = counter("lost_total", "What clients knew of turns that were lost with another node", ["what"]);
    const incidents = counter("incidents_total", "Refusals, losses and failures by error code", ["code"]);
    const turns = counter("turns_total", "Turns by kind of session", ["kind"]);
    const movesOfKind = counter("kind_moves_total", "Hand-overs from this node by kind of session", ["kind"]);
    const stateBytes = gauge("state_bytes", "Encoded size of sessions with turns, over the last minutes", ["kind", "quantile"]);
    const deltaBytes = gauge("delta_bytes", "Encoded change of a turn, over the last minutes", ["kind", "quantile"]);
    const delay = gauge("event_loop_delay_seconds", "Delay of the event loop since the last scrape", ["quantile"]);
    const memory = gauge("memory_bytes", "Memory of the process", ["kind"]);

    const quantiles = (of: Gauge, kind: string, data: HistogramData) => {
      for (const percent of [50, 99, 100]) of.set({ kind, quantile: String(percent / 100) }, percentileOf(data, percent));
    };

    this.#write = (status, kinds) => {
      for (const report of kinds) {
        setCounter(turns, { kind: report.kind }, report.turns);
        setCounter(movesOfKind, { kind: report.kind }, report.moves);
        quantiles(stateBytes, report.kind, report.stateBytes);
        quantiles(deltaBytes, report.kind, report.deltaBytes);
      }
      sessions.set({ role: "owner" }, status.sessions.owned);
      sessions.set({ role: "copy" }, status.sessions.copies);
      sessions.set({ role: "handing_over" }, status.sessions.handingOver);
      for (const [strategy, count] of Object.entries(status.strategies)) byStrategy.set({ strategy }, count);
      byStore.set({ state: "behind" }, status.store.behind);
      byStore.set({ state: "away" }, status.store.away);
      behind.set(status.store.behindMaxMs * S_PER_MS);
      for (const [outcome, count] of Object.entries(status.strategyChanges)) setCounter(changes, { outcome }, count);
      copyBytes.set(status.sessions.copyBytes);
      clients.set(status.clients);
      joined.set(status.self === null ? 0 : 1);
      cordoned.set(status.cordoned ? 1 : 0);
      peersUp.set(status.nodes.filter(({ self, up }) => up && self !== status.self).length);
      inFlight.set(status.moves.inFlight);
      setCounter(moves, { outcome: "moved" }, status.moves.moved);
      setCounter(moves, { outcome: "failed" }, status.moves.failed);
      const { promoted, promotedOnSuspicion } = status.failovers;
      setCounter(suspicions, {}, status.failovers.suspicions);
      setCounter(promotions, { cause: "lease" }, promoted - promotedOnSuspicion);
      setCounter(promotions, { cause: "suspicion" }, promotedOnSuspicion);
      blackout.set({ quantile: "0.5" }, status.blackoutMs.p50 * S_PER_MS);
      blackout.set({ quantile: "0.99" }, status.blackoutMs.p99 * S_PER_MS);
      blackout.set({ quantile: "1" }, status.blackoutMs.max * S_PER_MS);
      for (const [what, count] of Object.entries(status.lost)) setCounter(lost, { what }, count);
      for (const [code, count] of Object.entries(status.incidents)) setCounter(incidents, { code }, count);
      const { count } = this.#loopDelay;
      const delayS = (percentile: number) => (count === 0 ? 0 : this.#loopDelay.percentile(percentile) * S_PER_NS);
      delay.set({ quantile: "0.5" }, delayS(50));
      delay.set({ quantile: "0.99" }, delayS(99));
      delay.set({ quantile: "1" }, count === 0 ? 0 : this.#loopDelay.max * S_PER_NS);
      const { rss, heapUsed, external } = process.memoryUsage();
      memory.set({ kind: "resident" }, rss);
      memory.set({ kind: "heap_used" }, heapUsed);
      memory.set({ kind: "external" }, external);
    };
  }

  async write(status: NodeStatus, kinds: readonly KindReport[] = []): Promise<string> {
    this.#write(status, kinds);
    const text = await this.#registry.metrics();
    this.#loopDelay.reset();
    return text;
  }
}

/** prom-client's counters only go up by steps; these are kept elsewhere. */
function setCounter(counter: Counter, labels: Record<string, string>, value: number): void {
  counter.remove(labels);
  counter.inc(labels, value);
}
