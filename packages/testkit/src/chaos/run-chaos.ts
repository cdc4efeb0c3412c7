import type { NodeProcessEvent } from "@sojourn/cli";
import { type Failover, type Limits, SojournError } from "@sojourn/core";
import { SeededRandom } from "../sim/seeded-random.js";
import { ChaosCluster } from "./chaos-cluster.js";
import { chatterWorkload } from "./chatter-workload.js";
import { Crowd } from "./crowd.js";
import { FAULT_KINDS, FAULTS, type FaultKind, faultPlan, whyNot } from "./faults.js";
import { Mover } from "./mover.js";
import { Overseer } from "./overseer.js";
import type { Workload } from "./participant.js";
import { type ChaosReport, makeReport } from "./report.js";

/** A chaos run. Everything but `forMs` has a default. */
export interface ChaosOptions {
  readonly forMs: number;
  /** Draws which fault comes when, whom it hits and how long it lasts. Real processes do the rest as they like. */
  readonly seed?: number;
  /** Node processes; default 4, at least 3. */
  readonly nodes?: number;
  readonly clients?: number;
  readonly messageEveryMs?: number;
  readonly moveEveryMs?: number;
  readonly leaseMs?: number;
  /** When copies take over; default "lease". What the definitions of a workload of your own say must agree. */
  readonly failover?: Failover;
  /** The kinds of fault to draw from; default: all that can be had on this machine. */
  readonly faults?: readonly FaultKind[];
  /** Further limits of the nodes. */
  readonly limits?: Partial<Limits>;
  /** What the clients do; default: the kit's own sessions. */
  readonly workload?: Workload;
  /** Told what happens, line by line. */
  readonly onLine?: (line: string) => void;
  /** Ends the faults early; what is there is audited and reported. */
  readonly stop?: Promise<void>;
}

/** At most one fault is under way: with one copy besides the owner's, no more can be survived. */
const COPIES = 1;
/** Time after a fault, or at the end, until everything must be whole again, besides three leases. */
const SETTLE_MS = 30_000;
const PAUSE_MS = 500;
/** An answer to a command may be lost with a connection; who asked for a move hears that before the run gives up. */
const COMMAND_MS = 20_000;
const LEAST_NODES = 3;

/**
 * Runs a cluster of real processes with real clients, breaks it again and again, and says what became of every message. Between two
 * faults it waits until every session has a living owner and a copy in-sync again: that much is promised to be survived, and no more.
 * @throws SojournError (rejects) what kept the cluster from starting
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const {
    forMs,
    seed = 1,
    nodes = 4,
    clients = 20,
    messageEveryMs = 100,
    moveEveryMs = 100,
    leaseMs = 2_000,
    failover = "lease",
  } = options;
  if (nodes < LEAST_NODES) throw new SojournError("E_CONFIG_INVALID", `a chaos run needs at least ${LEAST_NODES} nodes, got ${nodes}`);
  const { workload = chatterWorkload(failover), onLine = () => undefined } = options;
  const random = new SeededRandom(seed);
  const startMs = performance.now();
  const say = (what: string) => onLine(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const troubles: string[] = [];
  let sessionsLost = 0;
  let evacuated = 0;
  const onEvent = (id: string, event: NodeProcessEvent): void => {
    if (event.type === "evacuated") evacuated += event.moved;
    if (event.type === "handlerError") troubles.push(`${id}: ${event.session}: ${event.where} failed: ${event.message}`);
    if (event.type !== "incident") return;
    if (event.code === "E_SESSION_LOST") sessionsLost++;
    if (event.code === "E_INTERNAL") troubles.push(`${id}: ${event.session}: ${event.message}`);
  };

  const cluster = await ChaosCluster.start({
    nodes: Array.from({ length: nodes }, (_, i) => `node-${i + 1}`),
    module: workload.module,
    limits: {
      standbys: COPIES,
      leaseTtlMs: leaseMs,
      heirDeadlineMs: leaseMs,
      directoryTimeoutMs: 1_000,
      peerReconnectMaxMs: 500,
      clientHeartbeatMs: 1_000,
      commandTimeoutMs: COMMAND_MS,
      ...(failover === "suspicion" && suspicionLimits(leaseMs)),
      ...options.limits,
    },
    onEvent,
  });
  const overseer = new Overseer(cluster.directory.endpoint);
  const crowd = new Crowd(workload, messageEveryMs, (what) => say(`TROUBLE: ${what}`));
  const mover = new Mover(cluster, overseer, random.fork());
  try {
    say(
      `${nodes} nodes, ${clients} clients, one message each ${messageEveryMs} ms, one move each ${moveEveryMs} ms, lease ${leaseMs} ms, fail-over by ${failover}`,
    );
    say("one fault at a time, the next one when every session has a living owner and a copy in-sync again: no more can be survived");
    const { kinds, skipped } = chooseKinds(options.faults ?? FAULT_KINDS, failover);
    for (const [kind, why] of Object.entries(skipped)) say(`${kind} is left out: ${why}`);
    await crowd.join(
      clients,
      cluster.nodes.map(({ clientEndpoint }) => clientEndpoint),
    );
    const settle = async (what: string): Promise<boolean> => {
      const left = await overseer.settled(nodes, COPIES, 3 * leaseMs + SETTLE_MS);
      for (const one of left) troubles.push(`${what}: ${one}`);
      return left.length === 0;
    };
    await settle("before the first fault");
    crowd.talk();
    mover.start(moveEveryMs);

    let stopped = false;
    const stop = (options.stop ?? new Promise<void>(() => undefined)).then(() => {
      stopped = true;
    });
    const wait = (ms: number) => pause(ms, stop);
    const counts: Partial<Record<FaultKind, number>> = {};
    const deadlineMs = performance.now() + forMs;
    const plan = faultPlan(random.fork(), kinds);
    const drawn = random.fork();
    while (!stopped && kinds.length > 0 && performance.now() < deadlineMs) {
      await wait(drawn.below(PAUSE_MS));
      const kind = plan.next().value;
      // Each fault draws from a generator of its own, so that how long one takes does not shift the next ones.
      const done = await FAULTS[kind]({ cluster, random: drawn.fork(), leaseMs, wait });
      counts[kind] = (counts[kind] ?? 0) + 1;
      const mendedMs = performance.now();
      // What the fault has somebody suspect comes a while after it; a session that was taken over has no copy until it has found one again.
      if (failover === "suspicion") await wait(2 * suspicionLimits(leaseMs).suspectAfterMs);
      const whole = await settle(`after ${kind}`);
      say(`${kind}: ${done}; ${whole ? `whole after ${Math.round(performance.now() - mendedMs)} ms` : "NOT WHOLE AGAIN"}`);
      if (!whole) break;
    }
    if (kinds.length === 0) await wait(forMs);

    say("no more faults; everything must come to an end");
    await mover.stop(SETTLE_MS + 3 * leaseMs);
    await settle("at the end");
    const result = await crowd.finish();
    return makeReport({
      seed,
      nodes,
      clients,
      standbys: COPIES,
      leaseMs,
      failover,
      elapsedMs: Math.round(performance.now() - startMs),
      faults: counts,
      skipped,
      crowd: result,
      outages: crowd.outages(),
      moves: mover.counts(),
      evacuated,
      overseer: overseer.counts(),
      sessionsLost,
      troubles,
    });
  } finally {
    crowd.close();
    await mover.stop(0);
    await overseer.close();
    await cluster.stop();
  }
}

/** Silence counts long before a lease ends, and against an owner that has not had the session for long either. */
function suspicionLimits(leaseMs: number): Pick<Limits, "suspectAfterMs" | "suspectSettleMs"> {
  return { suspectAfterMs: Math.max(50, Math.round(leaseMs / 4)), suspectSettleMs: leaseMs };
}

function chooseKinds(wanted: readonly FaultKind[], failover: Failover) {
  const skipped: Partial<Record<FaultKind, string>> = {};
  const kinds = wanted.filter((kind) => {
    const why = whyNot(kind, failover);
    if (why !== null) skipped[kind] = why;
    return why === null;
  });
  return { kinds, skipped };
}

function pause(ms: number, stop: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return Promise.race([over, stop]).finally(() => clearTimeout(timer));
}
