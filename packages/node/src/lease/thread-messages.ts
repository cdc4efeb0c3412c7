import type { ErrorCode, NodeRef, RenewalSource } from "@sojourn/core";

/** What the thread is started with. */
export interface RenewalThreadConfig {
  readonly source: RenewalSource;
  readonly ttlMs: number;
  readonly maxStallMs: number;
}

/** Node → thread. */
export type ToRenewalThread =
  /** Renew this lease from now on, and no other one. */
  | { readonly t: "renew"; readonly ref: NodeRef; readonly buffer: SharedArrayBuffer }
  /** Renew nothing. */
  | { readonly t: "rest" };

/** Thread → node. What must be known before the node acts is in the shared memory instead. */
export type FromRenewalThread =
  | { readonly t: "ready" }
  /** The lease has ended, or has been renewed when it had run out already. */
  | { readonly t: "changed" }
  | { readonly t: "problem"; readonly code: ErrorCode; readonly message: string };
