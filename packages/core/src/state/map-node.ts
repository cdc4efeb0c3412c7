import { ABSENT } from "./change-log.js";
import { KeyedNode } from "./keyed-node.js";
import { isContainer } from "./kinds.js";
import { showStep } from "./path.js";
import { primitiveProblem, refusePrimitive } from "./plain.js";
import { trackedBehind } from "./registry.js";

/** A Map of the tree. Its keys are primitives. */
export class MapNode extends KeyedNode<Map<unknown, unknown>> {
  get(target: Map<unknown, unknown>, key: string | symbol): unknown {
    if (key === "size") return target.size;
    const method = MAP_METHODS.get(key);
    if (method !== undefined) return method;
    const inherited: unknown = Reflect.get(target, key);
    if (typeof inherited === "function" && key !== "constructor" && Object.hasOwn(Map.prototype, key)) {
      return this.refuse(`Map.prototype.${String(key)} is not supported on state`);
    }
    return inherited;
  }

  set(): never {
    return this.refuse("a Map in state has no properties; use its set method");
  }

  deleteProperty(): never {
    return this.refuse("a Map in state has no properties; use its delete method");
  }

  /** Map.prototype.set */
  put(key: unknown, value: unknown): void {
    this.beforeWrite();
    const slot = key === 0 ? 0 : key;
    const raw = this.raw;
    const present: unknown = raw.get(slot);
    const old = present === undefined && !raw.has(slot) ? ABSENT : present;
    if (old === ABSENT) {
      if (isContainer(slot)) this.refuse("keys of a Map in state must be primitives, not objects");
      const problem = primitiveProblem(slot);
      if (problem !== null) this.refuse(`a key of a Map ${problem}`);
    }
    if (isContainer(value)) {
      const taken = this.host.take(value, this, slot);
      if (taken !== old) this.store(slot, old, taken);
      return;
    }
    if (Object.is(old, value)) return;
    const problem = primitiveProblem(value);
    if (problem !== null) refusePrimitive(problem, this.path() + showStep(raw, slot));
    this.store(slot, old, value);
  }

  /** Map.prototype.delete */
  take(key: unknown): boolean {
    this.beforeWrite();
    if (!this.raw.has(key)) return false;
    this.drop(key === 0 ? 0 : key);
    return true;
  }

  /** Map.prototype.clear */
  empty(): void {
    this.beforeWrite();
    this.dropAll();
  }

  protected hasKey(key: unknown): boolean {
    return this.raw.has(key);
  }

  protected read(key: unknown): unknown {
    return this.raw.get(key);
  }

  protected write(key: unknown, value: unknown): void {
    this.raw.set(key, value);
  }

  protected remove(key: unknown): void {
    this.raw.delete(key);
  }

  protected keys(): unknown[] {
    return [...this.raw.keys()];
  }

  protected count(): number {
    return this.raw.size;
  }

  protected hasFixedPlace(): boolean {
    return false;
  }

  slotOf(child: object, hint: unknown): { readonly key: unknown } | undefined {
    if (this.raw.get(hint) === child) return { key: hint };
    for (const [key, value] of this.raw) if (value === child) return { key };
    return undefined;
  }

  eachValue(visit: (value: unknown, key: unknown) => void): void {
    for (const [key, value] of this.raw) visit(value, key);
  }

  replaceSilently(key: unknown, value: unknown): void {
    this.raw.set(key, value);
  }
}

function mapNode(proxy: unknown): MapNode {
  const node = isContainer(proxy) ? trackedBehind(proxy) : undefined;
  if (node instanceof MapNode) return node;
  throw new TypeError("this method of a Map in state was called on something else");
}

function* entries(node: MapNode): Generator<[unknown, unknown], void, undefined> {
  for (const [key, value] of node.raw) yield [key, node.wrap(value, key)];
}

function* values(node: MapNode): Generator<unknown, void, undefined> {
  for (const [key, value] of node.raw) yield node.wrap(value, key);
}

function mapEntries(this: unknown) {
  return entries(mapNode(this));
}

/** What a proxied Map answers with; shared by all, so that reading a method allocates nothing. */
const MAP_METHODS: ReadonlyMap<string | symbol, unknown> = /* @__PURE__ */ new Map<string | symbol, unknown>([
  [
    "get",
    function get(this: unknown, key: unknown) {
      const node = mapNode(this);
      return node.wrap(node.raw.get(key), key);
    },
  ],
  [
    "has",
    function has(this: unknown, key: unknown) {
      return mapNode(this).raw.has(key);
    },
  ],
  [
    "set",
    function set(this: unknown, key: unknown, value: unknown) {
      mapNode(this).put(key, value);
      return this;
    },
  ],
  [
    "delete",
    function remove(this: unknown, key: unknown) {
      return mapNode(this).take(key);
    },
  ],
  [
    "clear",
    function clear(this: unknown) {
      mapNode(this).empty();
    },
  ],
  [
    "forEach",
    function forEach(this: unknown, callback: (value: unknown, key: unknown, map: unknown) => void, thisArg?: unknown) {
      const node = mapNode(this);
      node.raw.forEach((value, key) => {
        callback.call(thisArg, node.wrap(value, key), key, node.proxy);
      });
    },
  ],
  [
    "keys",
    function keys(this: unknown) {
      return mapNode(this).raw.keys();
    },
  ],
  [
    "values",
    function mapValues(this: unknown) {
      return values(mapNode(this));
    },
  ],
  ["entries", mapEntries],
  [Symbol.iterator, mapEntries],
]);
