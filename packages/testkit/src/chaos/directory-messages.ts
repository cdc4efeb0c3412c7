import type { Limits } from "@sojourn/core";

/** Parent → directory process. */
export type ToDirectoryProcess =
  | { readonly t: "start"; readonly path: string; readonly port: number; readonly limits: Partial<Limits> }
  /** Each write to the disk takes so much longer from now on. */
  | { readonly t: "slow"; readonly appendDelayMs: number };

/** Directory process → parent. */
export type FromDirectoryProcess =
  | { readonly t: "ready"; readonly endpoint: string }
  /** The process ends right after this. */
  | { readonly t: "failed"; readonly message: string };
