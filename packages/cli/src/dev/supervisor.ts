import type { LocalCluster, LocalNodeSpec } from "../cluster/local-cluster.js";
import type { LocalNode } from "../cluster/node-handle.js";
import { LEFT_SESSIONS_BEHIND } from "../node-process/messages.js";

/** What a supervisor tells. */
export type Supervised =
  /** It was asked to leave; `whole` is false when it could not move everything away. */
  | { readonly type: "left"; readonly id: string; readonly whole: boolean }
  | { readonly type: "crashed"; readonly id: string; readonly exitCode: number; readonly againInMs: number }
  | { readonly type: "restarted"; readonly node: LocalNode }
  | { readonly type: "failed"; readonly id: string; readonly error: unknown; readonly againInMs: number }
  /** No process is left and none will be started. */
  | { readonly type: "empty" };

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** A node that ran for this long has recovered: its next crash is a first one. */
const STEADY_MS = 30_000;

/** Starts nodes again that crash, with longer and longer pauses. One that was asked to leave stays away. */
export class Supervisor {
  readonly #cluster: LocalCluster;
  readonly #tell: (what: Supervised) => void;
  readonly #watched = new Set<string>();
  readonly #pauses = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(cluster: LocalCluster, tell: (what: Supervised) => void) {
    this.#cluster = cluster;
    this.#tell = tell;
  }

  watch(spec: LocalNodeSpec, node: LocalNode, crashes = 0): void {
    this.#watched.add(spec.id);
    const since = performance.now();
    void node.exited.then((exitCode) => {
      if (this.#stopped) return;
      if (exitCode !== 0 && exitCode !== LEFT_SESSIONS_BEHIND) {
        const count = performance.now() - since > STEADY_MS ? 1 : crashes + 1;
        const againInMs = this.#later(spec, count);
        this.#tell({ type: "crashed", id: spec.id, exitCode, againInMs });
        return;
      }
      this.#watched.delete(spec.id);
      this.#tell({ type: "left", id: spec.id, whole: exitCode === 0 });
      if (this.#watched.size === 0) this.#tell({ type: "empty" });
    });
  }

  #later(spec: LocalNodeSpec, crashes: number): number {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (crashes - 1), LONGEST_PAUSE_MS);
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#again(spec, crashes);
    }, pauseMs);
    this.#pauses.add(pause);
    return pauseMs;
  }

  #again(spec: LocalNodeSpec, crashes: number): void {
    this.#cluster.start(spec).then(
      (node) => {
        if (this.#stopped) return;
        this.#tell({ type: "restarted", node });
        this.watch(spec, node, crashes);
      },
      (error: unknown) => {
        if (!this.#stopped) this.#tell({ type: "failed", id: spec.id, error, againInMs: this.#later(spec, crashes + 1) });
      },
    );
  }

  stop(): void {
    this.#stopped = true;
    for (const pause of this.#pauses) clearTimeout(pause);
  }
}
