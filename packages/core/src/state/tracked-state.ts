import { SojournError } from "../errors/sojourn-error.js";
import { checkAliases, depthOf, isAbove } from "./aliases.js";
import { createNode } from "./create-node.js";
import { isContainer } from "./kinds.js";
import type { WriteWatcher } from "./large-arrays.js";
import type { NodeHost, TrackedNode } from "./node.js";
import type { Patch } from "./patch.js";
import type { PathKey } from "./path.js";
import { showStep } from "./path.js";
import { heightOf, type PlainLimits, PlainWalk } from "./plain.js";
import { trackedBehind } from "./registry.js";

/**
 * Plain data that is changed in place through a proxy, turn by turn, and knows what each turn changed.
 *
 * - `root` is the proxy; reading through it gives the same proxy for the same container each time.
 * - What is assigned is checked at once and copied: later writes through the caller's own reference do not reach the state.
 *   What came out of the state is moved instead; so `list.push(other.pop())` keeps identities.
 * - State is a tree. A container may stand in two slots within a turn, not at its end.
 * - A container that was taken out lives on, outside of the state, until it is put back.
 */
export class TrackedState<T extends object> {
  readonly #host: Host;
  readonly #raw: T;
  readonly root: T;

  /**
   * @param raw a tree of travellable data that nobody else holds (decoded, or made by `copyPlain`); it is not checked again
   * @param guard called before every write; throws when it is not allowed
   * @param watchers hear of writes to typed arrays
   */
  constructor(raw: T, limits: PlainLimits, guard?: () => void, watchers: ReadonlySet<WriteWatcher> = NOBODY) {
    this.#host = new Host(raw, limits, guard, watchers);
    this.#raw = raw;
    this.root = this.#host.root.proxy as T;
  }

  /** The plain tree, for encoding. Whoever writes to it writes past the tracking. */
  get raw(): T {
    return this.#raw;
  }

  /** True between `begin` and the end of the turn. */
  get isOpen(): boolean {
    return this.#host.open;
  }

  /** A turn starts. */
  begin(): void {
    this.#host.begin();
  }

  /**
   * Ends the turn; gives what it changed, or null for nothing. Encode the patch before the next turn begins.
   * @throws SojournError `E_ALIASED`; the turn is open still, to be rolled back
   */
  commit(): Patch | null {
    return this.#host.commit();
  }

  /**
   * Ends the turn as `commit` does, without a patch; tells whether anything changed.
   * @throws SojournError `E_ALIASED`; the turn is open still, to be rolled back
   */
  discard(): boolean {
    return this.#host.discard();
  }

  /** Ends the turn; everything is as it was at its begin. */
  rollback(): void {
    this.#host.rollback();
  }
}

const NOBODY: ReadonlySet<WriteWatcher> = new Set();

class Host implements NodeHost {
  readonly multiple = new Set<TrackedNode>();
  readonly watchers: ReadonlySet<WriteWatcher>;
  readonly root: TrackedNode;
  turn = 0;
  moves = 0;
  open = false;
  readonly #limits: PlainLimits;
  readonly #guard: (() => void) | undefined;
  readonly #nodes = new WeakMap<object, TrackedNode>();
  readonly #dirty: TrackedNode[] = [];

  constructor(raw: object, limits: PlainLimits, guard: (() => void) | undefined, watchers: ReadonlySet<WriteWatcher>) {
    this.watchers = watchers;
    this.#limits = limits;
    this.#guard = guard;
    this.root = this.ensureNode(raw, null, undefined);
    this.root.isRoot = true;
  }

  begin(): void {
    if (this.open) throw new SojournError("E_INTERNAL", "a turn of this state is open already");
    this.open = true;
    this.turn += 1;
  }

  commit(): Patch | null {
    const dirty = this.#dirty;
    if (dirty.length === 0) {
      this.#end();
      return null;
    }
    if (this.multiple.size > 0) checkAliases(this.multiple);
    const groups: unknown[][] = [];
    const owners: TrackedNode[] = [];
    let group: unknown[] = [null];
    for (const node of dirty) {
      node.emit(group);
      if (group.length === 1) continue;
      groups.push(group);
      owners.push(node);
      group = [null];
    }
    const patch: unknown[][] = [];
    for (let i = 0; i < groups.length; i += 1) {
      const path = this.#pathOf(owners[i] as TrackedNode);
      if (path === null) continue;
      const ready = groups[i] as unknown[];
      ready[0] = path;
      patch.push(ready);
    }
    // A path holds once everything above it is in place.
    if (patch.length > 1) patch.sort((a, b) => (a[0] as unknown[]).length - (b[0] as unknown[]).length);
    this.#end();
    return patch.length === 0 ? null : (patch as unknown as Patch);
  }

  discard(): boolean {
    if (this.multiple.size > 0) checkAliases(this.multiple);
    let changed = false;
    for (const node of this.#dirty) {
      if (node.hasChanged() && this.#isAttached(node)) {
        changed = true;
        break;
      }
    }
    this.#end();
    return changed;
  }

  rollback(): void {
    const dropped: TrackedNode[] = [];
    for (const node of this.#dirty) node.restore(dropped);
    for (const node of dropped) if (node.parent === null && !node.isRoot) this.#makeVoid(node);
    this.#end();
  }

  beforeWrite(node: TrackedNode): void {
    this.#guard?.();
    if (!this.open) throw new SojournError("E_TURN_ENDED", `${node.path()} was written to outside of a turn`);
    if (node.void) throw new SojournError("E_TURN_ENDED", "this object belonged to a turn that was rolled back");
  }

  touched(node: TrackedNode): void {
    this.#dirty.push(node);
  }

  nodeOf(raw: object): TrackedNode | undefined {
    return this.#nodes.get(raw);
  }

  ensureNode(raw: object, parent: TrackedNode | null, key: unknown): TrackedNode {
    const present = this.#nodes.get(raw);
    if (present !== undefined) return present;
    const node = createNode(this, raw, parent, key);
    this.#nodes.set(raw, node);
    return node;
  }

  take(value: object, parent: TrackedNode, key: unknown): object {
    const path = () => parent.path() + showStep(parent.raw, key);
    const above = depthOf(parent);
    const moved = this.#existing(value, above + 1, parent, true, path);
    if (moved !== null) return moved;
    const walk = new PlainWalk(this.#limits, true, {
      path,
      depth: above,
      existing: (inner, depth) => this.#existing(inner, depth, parent, false, path),
    });
    const copy = walk.value(value) as object;
    for (const link of walk.links) this.ensureNode(link.child, null, undefined).addParent(this.ensureNode(link.parent, null, undefined));
    return copy;
  }

  /** The container of this tree that a proxy stands for, fit to be put below `parent`; null for everything else. */
  #existing(value: object, depth: number, parent: TrackedNode, direct: boolean, path: () => string): object | null {
    const node = trackedBehind(value);
    if (node === undefined || this.#nodes.get(node.raw) !== node) return null;
    const own = node as TrackedNode;
    if (own.void) return null;
    this.moves += 1;
    // A change of place inside of one container changes neither depth nor ancestry.
    if (direct && own.parent === parent) return own.raw;
    if (own === parent || isAbove(own, parent)) {
      throw new SojournError("E_ALIASED", `${path()} would contain itself; state is a tree`, { path: path() });
    }
    if (depth - 1 + heightOf(own.raw) > this.#limits.maxStateDepth) {
      throw new SojournError("E_STATE_TOO_DEEP", `${path()} would be nested deeper than ${this.#limits.maxStateDepth} levels`, {
        path: path(),
      });
    }
    return own.raw;
  }

  #end(): void {
    for (const node of this.#dirty) {
      node.resetLog();
      node.dirty = false;
    }
    this.#dirty.length = 0;
    this.moves = 0;
    this.open = false;
  }

  #isAttached(node: TrackedNode): boolean {
    let at = node;
    while (at.parent !== null) at = at.parent;
    return at === this.root;
  }

  /** The path from the root; null for what is detached or inside of a container that the patch carries whole. */
  #pathOf(node: TrackedNode): PathKey[] | null {
    const path: PathKey[] = [];
    let at = node;
    while (at !== this.root) {
      const parent = at.parent;
      if (parent === null || at.carriedInTurn === this.turn) return null;
      const slot = parent.slotOf(at.raw, at.keyHint);
      if (slot === undefined) throw new SojournError("E_INTERNAL", "a container of the state is not where it was put");
      at.keyHint = slot.key;
      path.push(slot.key as PathKey);
      at = parent;
    }
    return path.reverse();
  }

  /** Cuts a container loose that came in by a turn that was rolled back. */
  #makeVoid(node: TrackedNode): void {
    node.void = true;
    node.eachValue((value) => {
      const child = isContainer(value) ? this.#nodes.get(value) : undefined;
      if (child === undefined) return;
      child.removeParent(node);
      if (child.parent === null && !child.void) this.#makeVoid(child);
    });
  }
}
