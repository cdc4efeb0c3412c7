import { isContainer } from "./kinds.js";
import { TrackedNode } from "./node.js";
import { OP } from "./patch.js";
import { trackedBehind } from "./registry.js";

/** A Date of the tree. */
export class DateNode extends TrackedNode<Date> {
  #before = 0;

  get(target: Date, key: string | symbol): unknown {
    return DATE_METHODS.get(key) ?? Reflect.get(target, key);
  }

  set(): never {
    return this.refuse("a Date in state has no properties; use its setters");
  }

  deleteProperty(): never {
    return this.refuse("a Date in state has no properties");
  }

  /** Runs one of the setters. */
  change(setter: (...args: unknown[]) => unknown, args: unknown[]): unknown {
    this.beforeWrite();
    if (!this.dirty) this.#before = this.raw.getTime();
    this.willChange();
    return Reflect.apply(setter, this.raw, args);
  }

  hasChanged(): boolean {
    return !Object.is(this.#before, this.raw.getTime());
  }

  emit(out: unknown[]): void {
    if (this.hasChanged()) out.push(OP.time, this.raw.getTime());
  }

  restore(): void {
    this.raw.setTime(this.#before);
  }

  resetLog(): void {}

  slotOf(): undefined {
    return undefined;
  }

  eachValue(): void {}

  replaceSilently(): void {}
}

function dateNode(proxy: unknown): DateNode {
  const node = isContainer(proxy) ? trackedBehind(proxy) : undefined;
  if (node instanceof DateNode) return node;
  throw new TypeError("this method of a Date in state was called on something else");
}

/** What a proxied Date answers with: every method of Date, run on the plain one. */
const DATE_METHODS: ReadonlyMap<string | symbol, unknown> = /* @__PURE__ */ (() => {
  const methods = new Map<string | symbol, unknown>();
  for (const name of Reflect.ownKeys(Date.prototype)) {
    const native: unknown = Reflect.get(Date.prototype, name);
    if (name === "constructor" || typeof native !== "function") continue;
    const method = native as (...args: unknown[]) => unknown;
    const changes = typeof name === "string" && name.startsWith("set");
    methods.set(name, function dateMethod(this: unknown, ...args: unknown[]): unknown {
      const node = dateNode(this);
      return changes ? node.change(method, args) : Reflect.apply(method, node.raw, args);
    });
  }
  return methods;
})();
