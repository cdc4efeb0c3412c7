import { createHistogram, type IntervalHistogram } from "node:perf_hooks";
import { expect, test } from "vitest";
import type { NodeStatus } from "../metrics/node-metrics.js";
import { MetricsText } from "./metrics-text.js";

const status: NodeStatus = {
  id: "a",
  self: "a#1",
  cordoned: false,
  clients: 7,
  sessions: { owned: 5, copies: 4, handingOver: 1, copyBytes: 4_096 },
  strategies: { replica: 3, hybrid: 2, snapshot: 0 },
  store: { behind: 1, away: 2, behindMaxMs: 1_500 },
  strategyChanges: { changed: 6, failed: 1 },
  moves: { inFlight: 2, moved: 30, failed: 3 },
  failovers: { suspicions: 2, promoted: 9, promotedOnSuspicion: 7 },
  blackoutMs: { count: 30, p50: 1.5, p99: 20, max: 25 },
  lost: { clients: 1, outputs: 4, inputs: 2 },
  incidents: { E_QUEUE_FULL: 2, E_SESSION_LOST: 1 },
  nodes: [
    { id: "a", self: "a#1", cordoned: false, up: true, rttMs: null },
    { id: "b", self: "b#1", cordoned: false, up: true, rttMs: 1 },
    { id: "c", self: "c#1", cordoned: false, up: false, rttMs: null },
  ],
};

/** Every sample of a text as `name{labels}` without the node, with its value. */
function samples(text: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^(\w+)\{(.*)node="a"\} (.*)$/.exec(line);
    if (match !== null) found[`${match[1]}{${match[2]?.replace(/,$/, "")}}`] = Number(match[3]);
  }
  return found;
}

test("writes each figure of the status once, in base units, and no counter twice", async () => {
  const delay = createHistogram() as unknown as IntervalHistogram;
  const metrics = new MetricsText("a", delay);
  await metrics.write({ ...status, moves: { ...status.moves, moved: 29 } });
  (delay as unknown as { record(ns: number): void }).record(40_000_000);
  const found = samples(await metrics.write(status));
  expect(found).toMatchObject({
    'sojourn_sessions_by_strategy{strategy="hybrid"}': 2,
    'sojourn_sessions_by_store{state="away"}': 2,
    "sojourn_store_behind_seconds{}": 1.5,
    'sojourn_strategy_changes_total{outcome="changed"}': 6,
    'sojourn_sessions{role="owner"}': 5,
    'sojourn_sessions{role="copy"}': 4,
    'sojourn_sessions{role="handing_over"}': 1,
    "sojourn_copy_bytes{}": 4_096,
    "sojourn_clients{}": 7,
    "sojourn_joined{}": 1,
    "sojourn_cordoned{}": 0,
    "sojourn_peers_up{}": 1,
    "sojourn_moves_in_flight{}": 2,
    'sojourn_moves_total{outcome="moved"}': 30,
    'sojourn_moves_total{outcome="failed"}': 3,
    "sojourn_suspicions_total{}": 2,
    'sojourn_promotions_total{cause="lease"}': 2,
    'sojourn_promotions_total{cause="suspicion"}': 7,
    'sojourn_move_blackout_seconds{quantile="0.5"}': 0.0015,
    'sojourn_move_blackout_seconds{quantile="0.99"}': 0.02,
    'sojourn_move_blackout_seconds{quantile="1"}': 0.025,
    'sojourn_lost_total{what="clients"}': 1,
    'sojourn_lost_total{what="outputs"}': 4,
    'sojourn_lost_total{what="inputs"}': 2,
    'sojourn_incidents_total{code="E_QUEUE_FULL"}': 2,
    'sojourn_incidents_total{code="E_SESSION_LOST"}': 1,
  });
  expect(found['sojourn_event_loop_delay_seconds{quantile="1"}']).toBeCloseTo(0.04, 3);
  // The delay is about the time since the scrape before.
  expect(samples(await metrics.write(status))['sojourn_event_loop_delay_seconds{quantile="1"}']).toBe(0);
});

test("a node outside the cluster says so", async () => {
  const metrics = new MetricsText("a", createHistogram() as unknown as IntervalHistogram);
  const found = samples(await metrics.write({ ...status, self: null, cordoned: true, nodes: [] }));
  expect(found).toMatchObject({ "sojourn_joined{}": 0, "sojourn_cordoned{}": 1, "sojourn_peers_up{}": 0 });
});
