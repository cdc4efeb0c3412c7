import type { PathKey } from "./path.js";

/**
 * Operations of a patch with their arguments:
 * `set key value` on an object, a Map or an index of an array · `delete key` on an object, a Map or a member of a Set ·
 * `add member` on a Set · `clear` on an object, a Map or a Set · `splice at count items` on an array ·
 * `arrange at count sources items` on an array: the `count` elements at `at` give way to one element per entry of `sources`,
 * which is the place (counted from `at`) of an element that was among them, or -1 for the next of `items` ·
 * `bytes at elements` on a typed array · `time milliseconds` on a Date.
 */
export const OP = { set: 0, delete: 1, add: 2, clear: 3, splice: 4, arrange: 5, bytes: 6, time: 7 } as const;

/** The operations on one container: its path from the root, then each operation's code followed by its arguments. */
export type PatchGroup = readonly [path: readonly PathKey[], ...operations: unknown[]];

/**
 * What one turn changed, as plain data. Groups are in the order in which they must be applied: a group's path holds after all
 * groups before it. New containers are carried whole; their contents belong to the tree, so encode (or clone) a patch before
 * the next turn begins.
 */
export type Patch = readonly PatchGroup[];
