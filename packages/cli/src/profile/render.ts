import { type HistogramData, meanOf, percentileOf } from "@sojourn/core";
import type { AdminAnswers, KindReport } from "@sojourn/node";
import { bytesText, countText, rateText, significant, timeText } from "../advise/amounts.js";
import { table } from "../command-line/table.js";
import { histogramLines } from "./histogram.js";

/** Busiest sessions that are listed unless somebody says otherwise. */
export const DEFAULT_SHOWN = 10;

const US_PER_MS = 1_000;

/** A profile as people read it. */
export function renderProfile({ kinds, sessions, silent }: AdminAnswers["profile"]): string {
  const parts: string[] = [];
  if (kinds.length === 0) parts.push("No node keeps a profile.");
  else {
    const rows = kinds.map((of) => {
      const figures = [
        of.sessions,
        of.active,
        rateText(of.turnsPerSec),
        rateText(of.movesPerSec),
        countText(of.turns),
        countText(of.moves),
      ];
      return [of.kind, of.durability, ...figures];
    });
    parts.push(table(["KIND", "DURABILITY", "SESSIONS", "ACTIVE", "TURNS", "MOVES", "TURNS SO FAR", "MOVES SO FAR"], rows));
  }
  for (const kind of kinds) parts.push(renderKind(kind));
  if (sessions.length > 0) {
    const rows = sessions.map((of) => [
      of.session,
      of.node,
      rateText(of.turnsPerSec),
      of.stateBytes === null ? "-" : bytesText(of.stateBytes),
      of.deltaBytes.count === 0 ? "-" : bytesText(percentileOf(of.deltaBytes, 50)),
      of.moves,
      of.blackoutMs.count === 0 ? "-" : timeText(percentileOf(of.blackoutMs, 50)),
    ]);
    parts.push(`Busiest sessions\n${table(["SESSION", "NODE", "TURNS", "SIZE", "CHANGE P50", "MOVES", "BLACKOUT P50"], rows)}`);
  }
  for (const { node, error } of silent) parts.push(`${node} is missing: ${error.code}: ${error.message}`);
  return parts.join("\n\n");
}

function renderKind(of: KindReport): string {
  const time = (us: number) => timeText(us / US_PER_MS);
  const rows = [
    distribution("size of a session", of.stateBytes, bytesText),
    distribution("change of a turn", of.deltaBytes, bytesText),
    distribution("turns of a session", of.sessionTurnsPerSec, rateText),
    distribution("blackout of a move", of.blackoutMs, timeText),
    distribution("encoding a change", of.encodeUs, time),
    distribution("applying a change", of.applyUs, time),
    distribution("encoding a session", of.snapshotUs, time),
  ];
  const parts = [`${of.kind}\n${table(["", "P50", "P90", "P99", "MAX", "MEAN", "COUNTED"], rows)}`];
  for (const [name, data, text] of [
    ["Size of a session", of.stateBytes, bytesText],
    ["Change of a turn", of.deltaBytes, bytesText],
    ["Turns of a session", of.sessionTurnsPerSec, rateText],
    ["Blackout of a move", of.blackoutMs, timeText],
  ] as const) {
    if (data.count > 0) parts.push(`${name}\n${histogramLines(data, text).join("\n")}`);
  }
  return parts.join("\n\n");
}

function distribution(name: string, data: HistogramData, text: (value: number) => string): string[] {
  if (data.count === 0) return [name, "-", "-", "-", "-", "-", "-"];
  const at = [50, 90, 99].map((percent) => text(percentileOf(data, percent)));
  return [name, ...at, text(data.max), text(meanOf(data)), significant(data.count, 6)];
}
