import { errorCodeOf, nodeIdOf } from "@sojourn/core";
import type { SeededRandom } from "../sim/seeded-random.js";
import type { ChaosCluster } from "./chaos-cluster.js";
import type { Overseer } from "./overseer.js";

/** How the moves that were asked for ended. */
export interface MoveCounts {
  readonly tried: number;
  readonly moved: number;
  /** Refused before anything was frozen: the target cannot be reached, or has no room; the session was being moved already. */
  readonly refused: number;
  /** Begun, and the session runs at its source again, or has failed over. */
  readonly reverted: number;
  /** Whoever was asked died before it could tell. */
  readonly untold: number;
  /** Neither told nor given up yet. */
  readonly open: number;
}

/** Moves sessions about while everything else goes on. */
export class Mover {
  readonly #cluster: ChaosCluster;
  readonly #overseer: Overseer;
  readonly #random: SeededRandom;
  readonly #counts = { tried: 0, moved: 0, refused: 0, reverted: 0, untold: 0 };
  readonly #open = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;

  constructor(cluster: ChaosCluster, overseer: Overseer, random: SeededRandom) {
    this.#cluster = cluster;
    this.#overseer = overseer;
    this.#random = random;
  }

  start(everyMs: number): void {
    this.#timer = setInterval(() => this.#moveOne(), everyMs);
  }

  /** Begins no more; resolves when all have ended, or after `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([Promise.all(this.#open), late]);
    clearTimeout(timer);
  }

  counts(): MoveCounts {
    return { ...this.#counts, open: this.#open.size };
  }

  #moveOne(): void {
    const all = [...this.#overseer.records];
    if (all.length === 0) return;
    const [session, { owner }] = this.#random.pick(all);
    const targets = this.#cluster.ids.filter((id) => id !== nodeIdOf(owner));
    const to = this.#random.pick(targets);
    const source = this.#cluster.nodes.find(({ id }) => id === nodeIdOf(owner));
    if (source === undefined) return;
    this.#counts.tried++;
    const asked = source.command({ command: "move", session, to }).then(
      () => {
        this.#counts.moved++;
      },
      (error: unknown) => {
        this.#counts[endOf(errorCodeOf(error))]++;
      },
    );
    this.#open.add(asked);
    void asked.then(() => this.#open.delete(asked));
  }
}

function endOf(code: string): "reverted" | "refused" | "untold" {
  if (code === "E_MOVE_FAILED") return "reverted";
  return code === "E_PEER_UNREACHABLE" || code === "E_INTERNAL" || code === "E_CONNECT_FAILED" ? "untold" : "refused";
}
