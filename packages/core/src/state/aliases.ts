import { SojournError } from "../errors/sojourn-error.js";
import type { TrackedNode } from "./node.js";
import { showStep } from "./path.js";
import { cloneTree } from "./plain.js";

/** Containers from the top down to `node`, itself included; the longest way when there are several. */
export function depthOf(node: TrackedNode): number {
  let depth = 1;
  for (let at = node; at.parent !== null; at = at.parent, depth += 1) {
    if (at.others !== null) return depth + Math.max(depthOf(at.parent), ...at.others.map(depthOf));
  }
  return depth;
}

/** True when `node` holds `below`, at any distance. */
export function isAbove(node: TrackedNode, below: TrackedNode): boolean {
  for (let at = below; at.parent !== null; at = at.parent) {
    if (at.parent === node || at.others?.some((other) => other === node || isAbove(node, other))) return true;
  }
  return false;
}

function isAttached(node: TrackedNode): boolean {
  if (node.isRoot) return true;
  if (node.parent === null) return false;
  return isAttached(node.parent) || (node.others?.some(isAttached) ?? false);
}

function slotsIn(parent: TrackedNode, raw: object): unknown[] {
  const slots: unknown[] = [];
  parent.eachValue((value, key) => {
    if (value === raw) slots.push(key);
  });
  return slots;
}

function parentsOf(node: TrackedNode): Set<TrackedNode> {
  const parents = new Set(node.others);
  if (node.parent !== null) parents.add(node.parent);
  return parents;
}

/**
 * Makes sure, at the end of a turn, that no container stands at two places of the state. Where one of the places is in
 * something that was taken out of the state, that one gets a copy of its own, so that each container has one place at most.
 * @throws SojournError `E_ALIASED` with both paths; nothing has been changed then
 */
export function checkAliases(multiple: Set<TrackedNode>): void {
  for (const node of multiple) {
    const paths: string[] = [];
    for (const parent of parentsOf(node)) {
      if (!isAttached(parent)) continue;
      for (const key of slotsIn(parent, node.raw)) paths.push(parent.path() + showStep(parent.raw, key));
    }
    if (paths.length > 1) {
      const [first = "", second = ""] = paths.sort();
      throw new SojournError("E_ALIASED", `the same object stands at ${first} and at ${second}; state is a tree`, { first, second });
    }
  }
  for (const node of [...multiple]) separate(node);
}

function separate(node: TrackedNode): void {
  const parents = parentsOf(node);
  const kept = [...parents].find(isAttached) ?? node.parent;
  for (const parent of parents) {
    for (const key of slotsIn(parent, node.raw).slice(parent === kept ? 1 : 0)) {
      parent.replaceSilently(key, cloneTree(node.raw));
      node.removeParent(parent);
    }
  }
}
