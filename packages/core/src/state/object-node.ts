import { ABSENT } from "./change-log.js";
import { KeyedNode } from "./keyed-node.js";
import { isContainer } from "./kinds.js";
import { showStep } from "./path.js";
import { keyProblem, primitiveProblem, refusePrimitive } from "./plain.js";

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** A plain object of the tree. */
export class ObjectNode extends KeyedNode<Record<string, unknown>> {
  get(target: Record<string, unknown>, key: string, receiver: unknown): unknown {
    const value = target[key];
    if (typeof value !== "object" || value === null) return value;
    const node = this.host.nodeOf(value);
    if (node !== undefined) return node.proxy;
    // What comes from the prototype chain is not state and must not be tracked as such.
    return Object.hasOwn(target, key) ? this.host.ensureNode(value, this, key).proxy : Reflect.get(target, key, receiver);
  }

  set(target: Record<string, unknown>, key: string | symbol, value: unknown, receiver: unknown): boolean {
    if (receiver !== this.proxy) return Reflect.set(target, key, value, receiver);
    this.beforeWrite();
    if (typeof key === "symbol") return this.refuse("symbols cannot be keys of state");
    let old: unknown = target[key];
    if (old === undefined || !Object.hasOwn(target, key)) {
      if (!Object.hasOwn(target, key)) {
        old = ABSENT;
        const problem = keyProblem(key);
        if (problem !== null) refusePrimitive(problem, this.path() + showStep(target, key));
      }
    }
    if (isContainer(value)) {
      const taken = this.host.take(value, this, key);
      if (taken !== old) this.store(key, old, taken);
      return true;
    }
    if (Object.is(old, value)) return true;
    const problem = primitiveProblem(value);
    if (problem !== null) refusePrimitive(problem, this.path() + showStep(target, key));
    this.store(key, old, value);
    return true;
  }

  deleteProperty(target: Record<string, unknown>, key: string | symbol): boolean {
    this.beforeWrite();
    if (typeof key === "string" && Object.hasOwn(target, key)) this.drop(key);
    return true;
  }

  protected hasKey(key: unknown): boolean {
    return Object.hasOwn(this.raw, key as string);
  }

  protected read(key: unknown): unknown {
    return this.raw[key as string];
  }

  protected write(key: unknown, value: unknown): void {
    this.raw[key as string] = value;
  }

  protected remove(key: unknown): void {
    delete this.raw[key as string];
  }

  protected keys(): unknown[] {
    return Object.keys(this.raw);
  }

  protected count(): number {
    return Object.keys(this.raw).length;
  }

  protected hasFixedPlace(key: unknown): boolean {
    return ARRAY_INDEX.test(key as string) && Number(key) < 4_294_967_295;
  }

  slotOf(child: object, hint: unknown): { readonly key: unknown } | undefined {
    if (typeof hint === "string" && this.raw[hint] === child) return { key: hint };
    for (const key of Object.keys(this.raw)) if (this.raw[key] === child) return { key };
    return undefined;
  }

  eachValue(visit: (value: unknown, key: unknown) => void): void {
    for (const key of Object.keys(this.raw)) visit(this.raw[key], key);
  }

  replaceSilently(key: unknown, value: unknown): void {
    this.raw[key as string] = value;
  }
}
