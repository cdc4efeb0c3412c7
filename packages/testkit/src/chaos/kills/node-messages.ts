/** What a node of the run is started with. */
export interface StartNode {
  readonly id: string;
  readonly directory: string;
  readonly store: string;
  /** For clients; 0 takes a free one. */
  readonly port: number;
  readonly leaseTtlMs: number;
}

/** Node process → parent. */
export type FromNode =
  | { readonly t: "ready"; readonly port: number }
  | { readonly t: "incident"; readonly session: string; readonly code: string; readonly message: string }
  /** The process ends right after this. */
  | { readonly t: "failed"; readonly message: string };
