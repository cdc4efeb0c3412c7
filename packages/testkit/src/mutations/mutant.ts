import type { Need } from "./needs.js";

/** The invariants of PROTOCOL.md that the simulator checks, and that it ends at all. */
export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "liveness";

/** One change of one compiled module's text. */
export interface Edit {
  /** The module without its package's `dist/`: `core/ownership/owner` is packages/core/dist/ownership/owner.js. */
  readonly module: string;
  /** What stands there, exactly once. Any run of white space fits any other. */
  readonly find: string;
  readonly replace: string;
}

/** A bug that somebody could have made. Where two places keep the same rule, it takes the rule away in both. */
export interface Mutant {
  readonly id: string;
  /** The rule of PROTOCOL.md that it takes away; null for a bug that no single rule speaks of. */
  readonly rule: number | null;
  /** What the code does wrong. */
  readonly title: string;
  /** Invariants that it can break. */
  readonly breaks: readonly Invariant[];
  readonly edits: readonly Edit[];
  /**
   * What the plan of a seed must have for the bug to matter; other seeds are passed over without being run. All of these, and of those in
   * one place any one. Left out: every seed is run.
   */
  readonly needs?: readonly (Need | readonly Need[])[];
}

/** Where a module stands that an edit names. The depth is the same from src/ and from dist/. */
export function moduleUrl(module: string): URL {
  const slash = module.indexOf("/");
  return new URL(`../../../${module.slice(0, slash)}/dist/${module.slice(slash + 1)}.js`, import.meta.url);
}

/** Edits by the module that they change, in their order. */
export function editsByModule(edits: readonly Edit[]): Map<string, Edit[]> {
  const byModule = new Map<string, Edit[]>();
  for (const edit of edits) {
    const before = byModule.get(edit.module);
    if (before === undefined) byModule.set(edit.module, [edit]);
    else before.push(edit);
  }
  return byModule;
}

function patternOf(find: string): RegExp {
  const words = find.trim().split(/\s+/);
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("\\s+"), "g");
}

/**
 * The text with every edit made.
 * @throws Error when what an edit looks for does not stand there exactly once: the code has changed, and the mutant must follow
 */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let changed = text;
  for (const { module, find, replace } of edits) {
    const pattern = patternOf(find);
    const times = changed.match(pattern)?.length ?? 0;
    if (times !== 1) throw new Error(`${module} has this ${times} times instead of once: ${find.trim()}`);
    changed = changed.replace(pattern, () => replace);
  }
  return changed;
}
