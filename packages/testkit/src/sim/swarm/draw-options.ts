import type { Failover, Limits } from "@sojourn/core";
import type { Fault, Workload } from "./plan.js";

/** What a caller fixes instead of leaving it to the seed. */
export interface DrawOptions {
  readonly nodes?: number;
  /** Only these may go wrong. */
  readonly faults?: readonly Fault[];
  readonly workloads?: readonly Workload[];
  readonly strategy?: "replica" | "hybrid";
  readonly limits?: Partial<Limits>;
  readonly failover?: Failover;
}
