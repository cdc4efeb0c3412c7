import { ABSENT } from "./change-log.js";
import { KeyedNode } from "./keyed-node.js";
import { isContainer } from "./kinds.js";
import { OP } from "./patch.js";
import { primitiveProblem } from "./plain.js";
import { trackedBehind } from "./registry.js";

/** A Set of the tree. Its members are primitives. */
export class SetNode extends KeyedNode<Set<unknown>> {
  get(target: Set<unknown>, key: string | symbol): unknown {
    if (key === "size") return target.size;
    const method = SET_METHODS.get(key);
    if (method !== undefined) return method;
    const inherited: unknown = Reflect.get(target, key);
    if (typeof inherited === "function" && key !== "constructor" && Object.hasOwn(Set.prototype, key)) {
      return this.refuse(`Set.prototype.${String(key)} is not supported on state`);
    }
    return inherited;
  }

  set(): never {
    return this.refuse("a Set in state has no properties; use its add method");
  }

  deleteProperty(): never {
    return this.refuse("a Set in state has no properties; use its delete method");
  }

  /** Set.prototype.add */
  put(member: unknown): void {
    this.beforeWrite();
    if (this.raw.has(member)) return;
    if (isContainer(member)) this.refuse("members of a Set in state must be primitives, not objects; use a Map or an array");
    const problem = primitiveProblem(member);
    if (problem !== null) this.refuse(`a member of a Set ${problem}`);
    const slot = member === 0 ? 0 : member;
    this.store(slot, ABSENT, slot);
  }

  /** Set.prototype.delete */
  take(member: unknown): boolean {
    this.beforeWrite();
    if (!this.raw.has(member)) return false;
    this.drop(member === 0 ? 0 : member);
    return true;
  }

  /** Set.prototype.clear */
  empty(): void {
    this.beforeWrite();
    this.dropAll();
  }

  protected hasKey(key: unknown): boolean {
    return this.raw.has(key);
  }

  protected read(key: unknown): unknown {
    return key;
  }

  protected write(key: unknown): void {
    this.raw.add(key);
  }

  protected remove(key: unknown): void {
    this.raw.delete(key);
  }

  protected keys(): unknown[] {
    return [...this.raw];
  }

  protected count(): number {
    return this.raw.size;
  }

  protected hasFixedPlace(): boolean {
    return false;
  }

  protected override emitSlot(key: unknown, _value: unknown, out: unknown[]): void {
    out.push(OP.add, key);
  }

  slotOf(): undefined {
    return undefined;
  }

  eachValue(): void {}

  replaceSilently(): void {}
}

function setNode(proxy: unknown): SetNode {
  const node = isContainer(proxy) ? trackedBehind(proxy) : undefined;
  if (node instanceof SetNode) return node;
  throw new TypeError("this method of a Set in state was called on something else");
}

/** Those of ES2025 are offered where the runtime has them; members are primitives, so they need no wrapping. */
const READERS = [
  "has",
  "keys",
  "values",
  "entries",
  "union",
  "intersection",
  "difference",
  "symmetricDifference",
  "isSubsetOf",
  "isSupersetOf",
  "isDisjointFrom",
  Symbol.iterator,
] as const;

/** What a proxied Set answers with. */
const SET_METHODS: ReadonlyMap<string | symbol, unknown> = /* @__PURE__ */ (() => {
  const methods = new Map<string | symbol, unknown>();
  for (const name of READERS) {
    const native: unknown = Reflect.get(Set.prototype, name);
    if (typeof native !== "function") continue;
    methods.set(name, function reader(this: unknown, ...args: unknown[]): unknown {
      return Reflect.apply(native, setNode(this).raw, args);
    });
  }
  methods.set("add", function add(this: unknown, member: unknown) {
    setNode(this).put(member);
    return this;
  });
  methods.set("delete", function remove(this: unknown, member: unknown) {
    return setNode(this).take(member);
  });
  methods.set("clear", function clear(this: unknown) {
    setNode(this).empty();
  });
  methods.set("forEach", function forEach(this: unknown, callback: (a: unknown, b: unknown, set: unknown) => void, thisArg?: unknown) {
    const node = setNode(this);
    node.raw.forEach((member) => {
      callback.call(thisArg, member, member, node.proxy);
    });
  });
  return methods;
})();
