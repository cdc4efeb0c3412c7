/** How a session is kept safe: which replicas exist, how fresh they are, and whether a turn waits for them. */
export type Strategy = "replica" | "snapshot" | "hybrid";

/** All strategies, from the one that holds the most memory to the one that writes the most. */
export const STRATEGIES: readonly Strategy[] = ["replica", "hybrid", "snapshot"];

/** Those that this version of Sojourn runs; others could be reckoned with, and not be chosen. */
export const RUNNABLE_STRATEGIES: readonly Strategy[] = STRATEGIES;

/** A store for snapshots and logs. */
export type StoreKind = "disk" | "s3" | "redis";

/** All kinds of store. */
export const STORE_KINDS: readonly StoreKind[] = ["disk", "s3", "redis"];

/**
 * What a number rests on, the firmest first. `given`: somebody who knows said so. `measured`: by this project; docs/advisor.md names the
 * command. `published`: by a vendor. `assumed`: neither; replace it by what you know.
 */
export type Basis = "given" | "measured" | "published" | "assumed";

const FIRMNESS: readonly Basis[] = ["given", "measured", "published", "assumed"];

/** The less firm of two. */
export function weakerBasis(a: Basis, b: Basis): Basis {
  return FIRMNESS.indexOf(a) >= FIRMNESS.indexOf(b) ? a : b;
}

/** Whether a strategy keeps replicas in a session store. */
export function needsStore(strategy: Strategy): boolean {
  return strategy !== "replica";
}
