import { SojournError } from "../errors/sojourn-error.js";
import { isContainer } from "./kinds.js";
import type { WriteWatcher } from "./large-arrays.js";
import { showStep } from "./path.js";
import { registerProxy, type Tracked } from "./registry.js";

/** What a node needs from the state that it belongs to. */
export interface NodeHost {
  /** Nodes whose container stood in more than one slot at some moment. */
  readonly multiple: Set<TrackedNode>;
  /** Number of the turn; marks of older turns are void. */
  readonly turn: number;
  /** Containers that were put into a second slot, or back into one, in this turn. */
  readonly moves: number;
  /** Who is copying the state while it changes. */
  readonly watchers: ReadonlySet<WriteWatcher>;
  /** Called before anything is written. @throws when no turn is open */
  beforeWrite(node: TrackedNode): void;
  /** Called before the first change of a node in a turn. */
  touched(node: TrackedNode): void;
  nodeOf(raw: object): TrackedNode | undefined;
  /** The node of a container, made if there is none. `parent` is null when it stands nowhere. */
  ensureNode(raw: object, parent: TrackedNode | null, key: unknown): TrackedNode;
  /** Checks a container that is about to be put into a slot; gives the raw container to store (moved or copied). */
  take(value: object, parent: TrackedNode, key: unknown): object;
}

/**
 * A container of the tree that has been looked at: the handler of its proxy, what it held when the turn began, and which
 * containers hold it. A container without a node has never been handed out, so nobody can hold or move it.
 * Methods that bear the name of a trap (`get`, `has`, `set`, `ownKeys`, …) are that trap: name nothing else so.
 */
export abstract class TrackedNode<R extends object = object> implements Tracked {
  readonly raw: R;
  readonly host: NodeHost;
  readonly proxy: R;
  /** A container that holds this one; null for the root and for what stands nowhere. */
  parent: TrackedNode | null;
  /** Further slots that hold it: only within a turn, until the commit refuses or resolves it. */
  others: TrackedNode[] | null = null;
  /** Where in `parent` it was last seen. Only a hint. */
  keyHint: unknown;
  isRoot = false;
  dirty = false;
  /** Turn in which a patch carried this container whole. */
  carriedInTurn = 0;
  /** Its turn was rolled back: what it holds was never part of the state. */
  void = false;

  constructor(host: NodeHost, raw: R, parent: TrackedNode | null, keyHint: unknown) {
    this.host = host;
    this.raw = raw;
    this.parent = parent;
    this.keyHint = keyHint;
    this.proxy = new Proxy(raw, this as unknown as ProxyHandler<R>);
    registerProxy(this.proxy, this);
  }

  /** Appends the operations that lead from the turn's begin to now. */
  abstract emit(out: unknown[]): void;
  /** True when now differs from the turn's begin. Exact for values; contents of children are their own. */
  abstract hasChanged(): boolean;
  /** Puts everything back to the turn's begin. Containers that lose a slot by it are added to `dropped`. */
  abstract restore(dropped: TrackedNode[]): void;
  /** Forgets the turn. */
  abstract resetLog(): void;
  /** The slot of a child, or undefined when it does not hold it. `hint` is tried first. */
  abstract slotOf(child: object, hint: unknown): { readonly key: unknown } | undefined;
  /** Calls for every value in it. */
  abstract eachValue(visit: (value: unknown, key: unknown) => void): void;
  /** Replaces the value in a slot without any tracking. */
  abstract replaceSilently(key: unknown, value: unknown): void;

  /** The proxy for a value that was read from slot `key`; primitives as they are. */
  wrap(value: unknown, key: unknown): unknown {
    if (!isContainer(value)) return value;
    const node = this.host.nodeOf(value);
    return node === undefined ? this.host.ensureNode(value, this, key).proxy : node.proxy;
  }

  /** The proxy for a value that was just taken out. */
  wrapRemoved(value: unknown): unknown {
    return isContainer(value) ? this.host.ensureNode(value, null, undefined).proxy : value;
  }

  /** To be called before a change; makes sure that it is allowed and that the turn knows of it. */
  protected willChange(): void {
    if (!this.dirty) {
      this.dirty = true;
      this.host.touched(this);
    }
  }

  protected beforeWrite(): void {
    this.host.beforeWrite(this);
  }

  /** Keeps the books when `raw` has been put into a slot of this container. */
  attach(raw: object, key: unknown): void {
    const node = this.host.nodeOf(raw);
    if (node === undefined) return;
    node.keyHint = key;
    node.addParent(this);
  }

  /** Keeps the books when a slot of this container has lost `value`. */
  release(value: unknown): void {
    if (!isContainer(value)) return;
    this.host.nodeOf(value)?.removeParent(this);
  }

  /** As `release`, and remembers the one that lost its slot. */
  protected releaseInto(value: unknown, dropped: TrackedNode[]): void {
    if (!isContainer(value)) return;
    const node = this.host.nodeOf(value);
    if (node === undefined) return;
    node.removeParent(this);
    dropped.push(node);
  }

  addParent(parent: TrackedNode): void {
    if (this.parent === null) this.parent = parent;
    else if (this.others === null) {
      this.others = [parent];
      this.host.multiple.add(this);
    } else this.others.push(parent);
  }

  removeParent(parent: TrackedNode): void {
    const others = this.others;
    if (this.parent === parent) {
      this.parent = others?.pop() ?? null;
    } else if (others !== null) {
      const at = others.indexOf(parent);
      if (at >= 0) others.splice(at, 1);
    }
    if (others !== null && others.length === 0) {
      this.others = null;
      this.host.multiple.delete(this);
    }
  }

  /** Marks a container that a patch carries whole, so that its own operations are left out. */
  protected carry(value: unknown): void {
    if (!isContainer(value)) return;
    const node = this.host.nodeOf(value);
    if (node !== undefined) node.carriedInTurn = this.host.turn;
  }

  /** Where it stands, as `$.players.get("a").pos`. Follows one slot when there are several. */
  path(): string {
    const parent = this.parent;
    if (parent === null) return this.isRoot ? "$" : "(detached)";
    const slot = parent.slotOf(this.raw, this.keyHint);
    return parent.path() + (slot === undefined ? "[?]" : showStep(parent.raw, slot.key));
  }

  protected refuse(message: string): never {
    const path = this.path();
    throw new SojournError("E_UNTRAVELLABLE", `${path}: ${message}`, { path });
  }

  // Traps that no kind of container allows.

  defineProperty(): never {
    return this.refuse("properties of state cannot be defined, only assigned");
  }

  setPrototypeOf(): never {
    return this.refuse("state has no prototypes of its own");
  }

  preventExtensions(): never {
    return this.refuse("state cannot be frozen, sealed or made non-extensible");
  }

  /** Descriptors must not hand out plain containers behind the tracker's back. */
  getOwnPropertyDescriptor(target: R, key: string | symbol): PropertyDescriptor | undefined {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    const value: unknown = descriptor?.value;
    return isContainer(value) ? { ...descriptor, value: this.wrap(value, key) } : descriptor;
  }
}
