import type { MoveReport } from "@sojourn/core";
import type { SojournNode } from "@sojourn/node";

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

/** What to move where. */
export interface DriveOptions {
  readonly sessions: readonly string[];
  readonly to: string;
  readonly inFlight: number;
  readonly perSec: number;
  readonly forMs: number;
}

const machineMs = () => Number(process.hrtime.bigint()) / 1e6;

/** Moves a node's sessions, and notes how long each was frozen. */
export class Driver {
  #times: MoveTimes[] = [];
  #failures: Record<string, number> = {};

  get failures(): Readonly<Record<string, number>> {
    return this.#failures;
  }

  /** For the node's event. */
  moved(report: MoveReport): void {
    const takenAtMs = machineMs();
    this.#times.push({ session: report.session, frozenAtMs: takenAtMs - report.blackoutMs, takenAtMs, totalMs: report.totalMs });
  }

  /** Moves sessions of the set that are here to `to`, at most `inFlight` at a time, and at most `perSec` a second, for a time. */
  drive(node: SojournNode, options: DriveOptions): Promise<DriveResult> {
    return this.driveAll(node, [options]);
  }

  /** The same with several sets at once. */
  async driveAll(node: SojournNode, parts: readonly DriveOptions[]): Promise<DriveResult> {
    const { runtime } = node;
    const before = { moved: runtime.mover?.moved ?? 0, failed: runtime.mover?.failed ?? 0 };
    this.#times = [];
    await Promise.all(parts.map((part) => this.#pump(node, part)));
    return { moved: (runtime.mover?.moved ?? 0) - before.moved, failed: (runtime.mover?.failed ?? 0) - before.failed, times: this.#times };
  }

  async #pump(node: SojournNode, options: DriveOptions): Promise<void> {
    const { runtime } = node;
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
          node.move(session, options.to).then(done, (error: unknown) => {
            done();
            const text = error instanceof Error ? error.message : String(error);
            this.#failures[text] = (this.#failures[text] ?? 0) + 1;
          });
        }
        setTimeout(pump, 1);
      };
      pump();
    });
  }

  /** One move, of which the times are wanted. */
  async moveOne(node: SojournNode, session: string, to: string): Promise<MoveTimes> {
    this.#times = [];
    await node.move(session, to);
    return this.#times[0] as MoveTimes;
  }
}
