import { SeededRandom } from "../../sim/seeded-random.js";
import { KilledCluster } from "./killed-cluster.js";
import { LEDGER_KINDS } from "./ledgers.js";
import { type KillsReport, Recoveries } from "./report.js";
import { type Recovery, Witness } from "./witness.js";

/** A run. */
export interface KillsOptions {
  readonly rounds: number;
  readonly seed?: number;
  readonly nodes?: number;
  /** Of each kind. */
  readonly sessions?: number;
  readonly messageEveryMs?: number;
  readonly leaseMs?: number;
  /** Told what happens, line by line. */
  readonly onLine?: (line: string) => void;
}

/** Time between two kills, at least and at most. */
const TALK_MS = [200, 1_500] as const;
/** Until every session must have answered again, besides the lease. */
const BACK_MS = 30_000;
/** What must never be reported. What `eventual` sessions lose is said by `E_TURNS_LOST`, and is judged by its amount. */
const TROUBLE = /^E_(SESSION_LOST|STORE_DAMAGED|EPOCH_STALE|INTERNAL)$/;

/**
 * Kills every node of a cluster at once, again and again, while clients talk; all sessions are kept in a store on disk. After each kill every
 * session must come back: with all that it had acknowledged under `strong`, otherwise no older than it says itself.
 * @throws SojournError (rejects) what kept the cluster from starting
 */
export async function runKills(options: KillsOptions): Promise<KillsReport> {
  const { rounds, seed = 1, nodes = 3, sessions = 4, messageEveryMs = 5, leaseMs = 2_500, onLine = () => undefined } = options;
  const random = new SeededRandom(seed);
  const startMs = performance.now();
  const say = (what: string) => onLine(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const problems: string[] = [];
  const problem = (what: string) => {
    if (!problems.includes(what)) problems.push(what);
    say(`TROUBLE: ${what}`);
  };
  const cluster = await KilledCluster.start(nodes, leaseMs, ({ session, code, message }) => {
    if (TROUBLE.test(code) || (code === "E_TURNS_LOST" && session.startsWith("strong/"))) problem(`${session}: ${code}: ${message}`);
  });
  const witnesses: Witness[] = [];
  const recoveries = new Recoveries();
  let done = 0;
  try {
    for (const kind of LEDGER_KINDS) {
      for (let n = 0; n < sessions; n++) witnesses.push(await Witness.join(kind, n, cluster.endpoints));
    }
    for (const witness of witnesses) witness.talk(messageEveryMs);
    for (; done < rounds && problems.length === 0; done++) {
      await pause(TALK_MS[0] + random.next() * (TALK_MS[1] - TALK_MS[0]));
      const recovering = witnesses.map((witness) => witness.killed());
      await cluster.killNodes();
      await cluster.startNodes();
      const back = await inTime(Promise.all(recovering), BACK_MS + leaseMs);
      if (back === null) {
        problem(`not every session has answered within ${BACK_MS + leaseMs} ms of the kill number ${done + 1}`);
        break;
      }
      judge(witnesses, back, recoveries, problem);
      const slowest = Math.max(...back.map(({ backMs }) => backMs));
      say(
        `kill ${done + 1}: all back after ${Math.round(slowest)} ms, ${back.reduce((sum, { lost }) => sum + lost, 0)} calls of eventual sessions undone`,
      );
    }
    const wrong = problems.length === 0 ? await finish(witnesses, problem) : 0;
    return {
      command: "kills",
      seed,
      rounds: done,
      nodes,
      sessions: witnesses.length,
      leaseMs,
      elapsedMs: Math.round(performance.now() - startMs),
      messages: witnesses.reduce((sum, { answers }) => sum + answers, 0),
      lost: recoveries.of("strong").lost,
      doubledOrReordered: wrong,
      kinds: recoveries.kinds,
      backMs: recoveries.backMs,
      problems,
    };
  } finally {
    for (const witness of witnesses) witness.abandon();
    await cluster.close();
  }
}

function judge(witnesses: readonly Witness[], back: readonly Recovery[], recoveries: Recoveries, problem: (what: string) => void): void {
  for (const [i, recovery] of back.entries()) {
    const { kind, session, resets, failures } = witnesses[i] as Witness;
    recoveries.add(kind, recovery);
    const { lost, staleMs, boundMs } = recovery;
    for (const failure of failures) problem(`${session}: ${failure}`);
    if (kind === "strong") {
      if (lost > 0) problem(`${session} lacks ${lost} acknowledged calls`);
      for (const reset of resets) problem(`the link to ${session} was started anew: ${reset}`);
    } else {
      if (staleMs > boundMs) problem(`${session} is stale by ${Math.round(staleMs)} ms, and says ${boundMs} ms at most`);
      for (const reset of resets) if (reset !== "E_TURNS_LOST") problem(`the link to ${session} was started anew: ${reset}`);
    }
  }
}

/** Everything is answered, and the strong sessions have each call once and in order. @returns how many were not */
async function finish(witnesses: readonly Witness[], problem: (what: string) => void): Promise<number> {
  let wrong = 0;
  const ledgers = await inTime(Promise.all(witnesses.map((witness) => witness.finish())), BACK_MS);
  if (ledgers === null) {
    problem("not every session could be read at the end");
    return 0;
  }
  for (const [i, { count, wrong: here }] of ledgers.entries()) {
    const { kind, session, said } = witnesses[i] as Witness;
    if (kind !== "strong") continue;
    wrong += here;
    if (here > 0) problem(`${session}: ${here} calls came twice or out of order`);
    if (count !== said) problem(`${session} has ${count} calls, of ${said} that were made`);
  }
  return wrong;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  const result = await Promise.race([promise, late]);
  clearTimeout(timer);
  return result;
}
