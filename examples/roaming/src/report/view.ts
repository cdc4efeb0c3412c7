import type { DurationSummary } from "@sojourn/testkit/books";
import type { NodeView } from "../cluster/roaming-cluster.js";
import { count } from "./report.js";

/** What the view shows at one moment. */
export interface Moment {
  readonly title: string;
  readonly elapsedMs: number;
  readonly nodes: readonly NodeView[];
  readonly moves: number;
  readonly movesPerSec: number;
  readonly movesFailed: number;
  readonly blackoutMs: DurationSummary;
  readonly replyMs: DurationSummary;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly failedCalls: number;
}

/** Where a run shows itself. */
export interface View {
  show(moment: Moment): void;
  incident(what: string): void;
  close(): void;
  /** Pause between two moments. */
  readonly everyMs: number;
}

const BAR_CELLS = 24;
const INCIDENTS_KEPT = 6;
const INCIDENTS_PRINTED = 40;

/** A moment as lines of text for a terminal. */
export function frameOf(moment: Moment, incidents: readonly string[]): string[] {
  const { blackoutMs, replyMs } = moment;
  const most = Math.max(1, ...moment.nodes.map(({ sessions }) => sessions ?? 0));
  const width = Math.max(10, ...moment.nodes.map(({ name }) => name.length));
  return [
    `${moment.title}   ${clock(moment.elapsedMs)}`,
    "",
    `  ${"node".padEnd(8)}${"place".padEnd(width + 2)}${"pid".padEnd(9)}${"state".padEnd(12)}${"clients".padStart(7)}${"sessions".padStart(10)}`,
    ...moment.nodes.map((node) => {
      const bar = "█".repeat(Math.round(((node.sessions ?? 0) / most) * BAR_CELLS));
      const state = node.state === "ended" ? `ended (${node.exitCode ?? "?"})` : node.state;
      const pid = node.state === "ended" ? "-" : String(node.pid);
      return `  ${node.id.padEnd(8)}${node.name.padEnd(width + 2)}${pid.padEnd(9)}${state.padEnd(12)}${figure(node.clients).padStart(7)}${figure(node.sessions).padStart(10)}  ${bar}`;
    }),
    "",
    `  moves     ${count(moment.moves).padEnd(12)}${moment.movesPerSec.toFixed(0)}/s   not made ${moment.movesFailed}`,
    `  blackout  p50 ${blackoutMs.p50.toFixed(2)} ms   p99 ${blackoutMs.p99.toFixed(2)} ms   max ${blackoutMs.max.toFixed(2)} ms`,
    `  replies   p50 ${replyMs.p50.toFixed(2)} ms   p99 ${replyMs.p99.toFixed(2)} ms   max ${replyMs.max.toFixed(2)} ms`,
    `  messages  ${count(moment.messages).padEnd(12)}lost ${moment.lost}   doubled ${moment.doubled}   reordered ${moment.reordered}   failed calls ${moment.failedCalls}`,
    "",
    ...incidents.map((what) => `  ${what}`),
  ];
}

/** A moment on one line, for logs. */
export function lineOf(moment: Moment): string {
  const nodes = moment.nodes.map(({ id, sessions, state }) => `${id} ${state === "ended" ? "ended" : figure(sessions)}`).join(" · ");
  return [
    clock(moment.elapsedMs),
    nodes,
    `${count(moment.moves)} moves (${moment.movesPerSec.toFixed(0)}/s)`,
    `blackout p50 ${moment.blackoutMs.p50.toFixed(2)} p99 ${moment.blackoutMs.p99.toFixed(2)} ms`,
    `${count(moment.messages)} messages`,
    `${moment.lost} lost ${moment.doubled} doubled ${moment.reordered} reordered`,
    ...(moment.failedCalls > 0 ? [`${moment.failedCalls} calls failed`] : []),
  ].join("  ");
}

/** Draws in place on a terminal. */
export function terminalView(out: NodeJS.WriteStream): View {
  const incidents: string[] = [];
  let drawn = 0;
  out.write("\x1b[?25l");
  return {
    everyMs: 250,
    show(moment) {
      const columns = Math.max(20, (out.columns ?? 80) - 1);
      const lines = frameOf(moment, incidents).map((line) => line.slice(0, columns));
      // Back over what was drawn, each line anew, and nothing below.
      out.write(`${drawn > 0 ? `\x1b[${drawn}F` : ""}${lines.map((line) => `\x1b[2K${line}\n`).join("")}\x1b[0J`);
      drawn = lines.length;
    },
    incident(what) {
      incidents.push(printable(what));
      if (incidents.length > INCIDENTS_KEPT) incidents.shift();
    },
    close() {
      out.write("\x1b[?25h\n");
    },
  };
}

/** Writes a line per second. */
export function lineView(write: (line: string) => void): View {
  let incidents = 0;
  let first = true;
  return {
    everyMs: 1_000,
    show(moment) {
      if (first) write(`pids: ${moment.nodes.map(({ id, pid }) => `${id} ${pid}`).join(", ")}`);
      first = false;
      write(lineOf(moment));
    },
    incident(what) {
      incidents++;
      if (incidents <= INCIDENTS_PRINTED) write(`! ${printable(what)}`);
      if (incidents === INCIDENTS_PRINTED) write("! more incidents are only counted");
    },
    close: () => undefined,
  };
}

function figure(value: number | null): string {
  return value === null ? "?" : count(value);
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Words of others on one line, without anything that would steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 300);
}
