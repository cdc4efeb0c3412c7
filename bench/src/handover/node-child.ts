import { type Failover, type Limits, type MoveReport, resolveLimits } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, type SojournNode, systemCrc32 } from "@sojourn/node";
import { answerCommands } from "../common/child.js";
import { bench } from "./session.js";

/** One finished hand-over, on the machine's monotonic clock. */
export interface MoveTimes {
  readonly session: string;
  readonly frozenAtMs: number;
  readonly takenAtMs: number;
  readonly totalMs: number;
}

/** What a driving node did. */
export interface DriveResult {
  readonly moved: number;
  readonly failed: number;
  readonly times: readonly MoveTimes[];
}

let node: SojournNode | null = null;
let times: MoveTimes[] = [];
let failures: Record<string, number> = {};

const machineMs = () => Number(process.hrtime.bigint()) / 1e6;
const running = (): SojournNode => {
  if (node === null) throw new Error("the node has not been started");
  return node;
};

async function start(options: { id: string; directory: string; limits: Partial<Limits>; failover: Failover }): Promise<string> {
  const limits = resolveLimits(options.limits);
  const directory = connectDirectory({
    endpoint: options.directory,
    limits,
    clock: createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
  });
  node = await createNode({
    id: options.id,
    sessions: [{ ...bench, failover: options.failover }],
    directory,
    limits: options.limits,
    on: {
      moved(report: MoveReport) {
        const takenAtMs = machineMs();
        times.push({ session: report.session, frozenAtMs: takenAtMs - report.blackoutMs, takenAtMs, totalMs: report.totalMs });
      },
    },
  });
  return node.clientEndpoint;
}

/** Moves sessions of the set that are here to `to`, at most `inFlight` at a time, and at most `perSec` a second, for a time. */
async function drive(options: { sessions: string[]; to: string; inFlight: number; perSec: number; forMs: number }): Promise<DriveResult> {
  const { runtime } = running();
  const before = { moved: runtime.mover?.moved ?? 0, failed: runtime.mover?.failed ?? 0 };
  times = [];
  const startedAtMs = machineMs();
  const endAtMs = startedAtMs + options.forMs;
  let inFlight = 0;
  let begun = 0;
  let next = 0;
  await new Promise<void>((resolve) => {
    const pump = () => {
      const now = machineMs();
      if (now >= endAtMs) {
        if (inFlight === 0) resolve();
        else setTimeout(pump, 1);
        return;
      }
      const allowed = ((now - startedAtMs) / 1_000) * options.perSec;
      for (let looked = 0; looked < options.sessions.length && inFlight < options.inFlight && begun < allowed; looked++) {
        const session = options.sessions[next++ % options.sessions.length] as string;
        const owner = runtime.host?.slots.get(session)?.owner;
        if (owner === undefined || owner === null || owner.movingTo !== null) continue;
        begun++;
        inFlight++;
        const done = () => {
          inFlight--;
        };
        node?.move(session, options.to).then(done, (error: unknown) => {
          done();
          const text = error instanceof Error ? error.message : String(error);
          failures[text] = (failures[text] ?? 0) + 1;
        });
      }
      setTimeout(pump, 1);
    };
    pump();
  });
  return { moved: (runtime.mover?.moved ?? 0) - before.moved, failed: (runtime.mover?.failed ?? 0) - before.failed, times };
}

async function moveOne(options: { session: string; to: string }): Promise<MoveTimes> {
  times = [];
  await running().move(options.session, options.to);
  return times[0] as MoveTimes;
}

answerCommands({
  start,
  drive,
  moveOne,
  owned: () => running().runtime.host?.ownedKeys() ?? [],
  status: () => ({ ...running().status(), failures }),
  cpu: () => process.cpuUsage(),
  /** What a node does when it is asked to end (SIGTERM). */
  leave: async () => {
    await running().drain();
    await running().close();
  },
  close: async () => {
    failures = {};
    await running().close();
  },
});
