/** How a session is kept safe: which replicas exist, how fresh they are, and whether a turn waits for them. */
export type Strategy = "replica" | "snapshot" | "hybrid";

/** All strategies, from the one that holds the most memory to the one that writes the most. */
export const STRATEGIES: readonly Strategy[] = ["replica", "hybrid", "snapshot"];
