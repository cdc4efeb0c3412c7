import { SojournError } from "../errors/sojourn-error.js";
import { emitArray } from "./array-diff.js";
import { ArrayLog } from "./array-log.js";
import { ARRAY_METHODS, type EditableArray } from "./array-methods.js";
import { isContainer } from "./kinds.js";
import { TrackedNode } from "./node.js";
import { primitiveProblem, refusePrimitive } from "./plain.js";

const NO_INDEX = 4_294_967_295;

/** An array of the tree. Its changing methods are in array-methods.ts; they end in `splice`, `setAt` and `rearrange`. */
export class ArrayNode extends TrackedNode<unknown[]> implements EditableArray {
  readonly #log = new ArrayLog();

  get(target: unknown[], key: string | symbol): unknown {
    const value: unknown = target[key as unknown as number];
    if (typeof value === "function") return ARRAY_METHODS.get(key) ?? value;
    if (typeof value !== "object" || value === null || typeof key === "symbol") return value;
    const node = this.host.nodeOf(value);
    if (node !== undefined) return node.proxy;
    return Object.hasOwn(target, key) ? this.host.ensureNode(value, this, Number(key)).proxy : value;
  }

  set(target: unknown[], key: string | symbol, value: unknown, receiver: unknown): boolean {
    if (receiver !== this.proxy) return Reflect.set(target, key, value, receiver);
    this.beforeWrite();
    if (key === "length") {
      this.setLength(value);
      return true;
    }
    const index = indexOf(key);
    if (index === NO_INDEX) this.refuse("an array in state has no properties besides its elements");
    if (index > target.length) this.refuse(`writing index ${index} of an array with ${target.length} elements would leave a hole`);
    if (index === target.length) this.splice(index, 0, [value]);
    else this.setAt(index, value);
    return true;
  }

  deleteProperty(target: unknown[], key: string | symbol): boolean {
    this.beforeWrite();
    if (Object.hasOwn(target, key)) this.refuse("deleting an element would leave a hole in the array; use its splice method");
    return true;
  }

  /** `array.length = length`; may only shorten. */
  setLength(length: unknown): void {
    const wanted = Number(length);
    if (!Number.isInteger(wanted) || wanted < 0) throw new RangeError("Invalid array length");
    if (wanted > this.raw.length) this.refuse("making an array longer by its length would leave holes");
    this.splice(wanted, this.raw.length - wanted, []);
  }

  /** Replaces an element that exists. */
  setAt(index: number, value: unknown): void {
    const raw = this.raw;
    const old = raw[index];
    const stored = this.admit(value, index);
    if (Object.is(old, stored)) return;
    this.willChange();
    this.#log.beforeSet(raw, index);
    raw[index] = stored;
    if (isContainer(stored)) this.attach(stored, index);
    this.release(old);
  }

  /** Replaces `deleted` elements from `start` on; gives the plain removed ones. */
  splice(start: number, deleted: number, items: readonly unknown[]): unknown[] {
    const raw = this.raw;
    const stored = items.map((item, i) => this.admit(item, start + i));
    if (deleted === 0 && stored.length === 0) return [];
    this.willChange();
    this.#log.beforeSplice(raw, start, deleted, stored.length);
    let removed: unknown[] = [];
    if (deleted === 0 && start === raw.length) for (const item of stored) raw.push(item);
    else if (start === 0 && deleted === 1 && stored.length === 0) removed = [raw.shift()];
    else removed = raw.splice(start, deleted, ...stored);
    for (let i = 0; i < stored.length; i += 1) if (isContainer(stored[i])) this.attach(stored[i] as object, start + i);
    for (const item of removed) this.release(item);
    return removed;
  }

  /** Replaces the contents by others of equal length that all come from this array; a permutation has each of them once. */
  rearrange(contents: readonly unknown[], isPermutation: boolean): void {
    const raw = this.raw;
    if (contents.every((value, i) => Object.is(value, raw[i]))) return;
    this.willChange();
    this.#log.beforeRearrange(raw);
    for (let i = 0; i < raw.length; i += 1) {
      const old = raw[i];
      const value = contents[i];
      if (Object.is(old, value)) continue;
      // A container may stand twice from here on: it needs a node to be found by the check at the end of the turn.
      if (!isPermutation && isContainer(value)) this.host.ensureNode(value, this, i).addParent(this);
      if (!isPermutation && isContainer(old)) this.host.ensureNode(old, this, i);
      raw[i] = value;
      if (!isPermutation) this.release(old);
    }
  }

  /** Checks a value that will stand at `index`; gives what to store. */
  admit(value: unknown, index: number): unknown {
    if (isContainer(value)) return this.host.take(value, this, index);
    const problem = primitiveProblem(value);
    if (problem !== null) refusePrimitive(problem, `${this.path()}[${index}]`);
    return value;
  }

  /** Called first by every method that may write. */
  writing(): void {
    this.beforeWrite();
  }

  /** Refuses to put one object into several slots at once. */
  refuseShared(start: number): never {
    const path = `${this.path()}[${start}]`;
    throw new SojournError("E_ALIASED", `${path}: the same object cannot fill more than one place of state; use a new one for each`, {
      path,
    });
  }

  protected override willChange(): void {
    if (!this.dirty) this.#log.begin(this.raw);
    super.willChange();
  }

  hasChanged(): boolean {
    const probe: unknown[] = [];
    emitArray(this.#log, this.raw, { out: probe, carry: () => {}, mayHaveMoved: false });
    return probe.length > 0;
  }

  emit(out: unknown[]): void {
    emitArray(this.#log, this.raw, { out, carry: (value) => this.carry(value), mayHaveMoved: this.host.moves > 0 });
  }

  restore(dropped: TrackedNode[]): void {
    const raw = this.raw;
    const before = this.#log.contentsAtBegin(raw);
    for (let i = 0; i < Math.max(raw.length, before.length); i += 1) {
      const now = raw[i];
      const old = before[i];
      if (Object.is(now, old)) continue;
      if (isContainer(old)) this.attach(old, i);
      this.releaseInto(now, dropped);
    }
    raw.length = before.length;
    for (let i = 0; i < before.length; i += 1) raw[i] = before[i];
  }

  resetLog(): void {
    this.#log.reset();
  }

  slotOf(child: object, hint: unknown): { readonly key: unknown } | undefined {
    if (typeof hint === "number" && this.raw[hint] === child) return { key: hint };
    const key = this.raw.indexOf(child);
    return key < 0 ? undefined : { key };
  }

  eachValue(visit: (value: unknown, key: unknown) => void): void {
    this.raw.forEach(visit);
  }

  replaceSilently(key: unknown, value: unknown): void {
    this.raw[key as number] = value;
  }
}

/** The array index that a property key is, or NO_INDEX. */
function indexOf(key: string | symbol): number {
  if (typeof key === "symbol") return NO_INDEX;
  const index = Number(key) >>> 0;
  return String(index) === key ? index : NO_INDEX;
}
