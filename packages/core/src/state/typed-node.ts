import { isContainer, type TypedArray } from "./kinds.js";
import { bytesOf } from "./large-arrays.js";
import { TrackedNode } from "./node.js";
import { OP } from "./patch.js";
import { rawOf, trackedBehind } from "./registry.js";

const PAGE_BYTES = 256;
/** Equal bytes between two changes that are cheaper to send along than to start a new operation for. */
const JOIN_BYTES = 16;

/** A typed array of the tree. What a turn touches is kept page by page, so a large one costs no more than a small one. */
export class TypedNode extends TrackedNode<TypedArray> {
  /** Pages as they were at the turn's begin, by number. */
  readonly #pages = new Map<number, Uint8Array>();
  #view: Uint8Array | null = null;

  get(target: TypedArray, key: string | symbol): unknown {
    const own: unknown = Reflect.get(target, key);
    if (typeof own !== "function") {
      if (key === "buffer") this.refuse("the buffer of a typed array in state cannot be handed out; use slice() for a copy");
      return own;
    }
    if (key === "constructor") return own;
    const method = TYPED_METHODS.get(key);
    if (method !== undefined) return method;
    if (key === "subarray") this.refuse("subarray() would share memory with state; use slice() for a copy, or indices");
    return this.refuse(`${String(key)}() of a typed array is not supported on state`);
  }

  set(target: TypedArray, key: string | symbol, value: unknown, receiver: unknown): boolean {
    if (receiver !== this.proxy) return Reflect.set(target, key, value, receiver);
    this.beforeWrite();
    const index = typeof key === "string" ? Number(key) : Number.NaN;
    if (typeof key === "symbol" || String(index) !== key)
      return this.refuse("a typed array in state has no properties besides its elements");
    // As JavaScript has it: a write past the end is void, but its value is converted all the same.
    if (Number.isInteger(index) && index >= 0 && index < target.length) this.willWrite(index, index + 1);
    return Reflect.set(target, key, value);
  }

  deleteProperty(): never {
    return this.refuse("elements of a typed array cannot be deleted");
  }

  /** Elements from `start` to `end` are about to change. */
  willWrite(start: number, end: number): void {
    if (end <= start) return;
    this.willChange();
    const size = this.raw.BYTES_PER_ELEMENT;
    for (const watcher of this.host.watchers) watcher.wrote(this.raw, start * size, end * size);
    const view = this.#bytes();
    const last = Math.floor((end * size - 1) / PAGE_BYTES);
    for (let page = Math.floor((start * size) / PAGE_BYTES); page <= last; page += 1) {
      if (!this.#pages.has(page)) this.#pages.set(page, view.slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
    }
  }

  /** Runs a method that changes elements from `start` to `end`. */
  change(method: (...args: unknown[]) => unknown, args: unknown[], start: number, end: number): void {
    this.beforeWrite();
    this.willWrite(start, end);
    Reflect.apply(method, this.raw, args);
  }

  hasChanged(): boolean {
    const view = this.#bytes();
    for (const [page, before] of this.#pages) {
      const base = page * PAGE_BYTES;
      for (let i = 0; i < before.length; i += 1) if (before[i] !== view[base + i]) return true;
    }
    return false;
  }

  emit(out: unknown[]): void {
    const view = this.#bytes();
    let from = -1;
    let to = -1;
    for (const page of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const before = this.#pages.get(page) as Uint8Array;
      const base = page * PAGE_BYTES;
      for (let i = 0; i < before.length; i += 1) {
        if (before[i] === view[base + i]) continue;
        const at = base + i;
        if (from >= 0 && at - to > JOIN_BYTES) {
          this.#emitRange(from, to, out);
          from = -1;
        }
        if (from < 0) from = at;
        to = at + 1;
      }
    }
    if (from >= 0) this.#emitRange(from, to, out);
  }

  #emitRange(fromByte: number, toByte: number, out: unknown[]): void {
    const size = this.raw.BYTES_PER_ELEMENT;
    const start = Math.floor(fromByte / size);
    out.push(OP.bytes, start, this.raw.slice(start, Math.ceil(toByte / size)));
  }

  restore(): void {
    const view = this.#bytes();
    for (const [page, before] of this.#pages) view.set(before, page * PAGE_BYTES);
  }

  resetLog(): void {
    this.#pages.clear();
  }

  slotOf(): undefined {
    return undefined;
  }

  eachValue(): void {}

  replaceSilently(): void {}

  #bytes(): Uint8Array {
    this.#view ??= bytesOf(this.raw);
    return this.#view;
  }
}

function typedNode(proxy: unknown): TypedNode {
  const node = isContainer(proxy) ? trackedBehind(proxy) : undefined;
  if (node instanceof TypedNode) return node;
  throw new TypeError("this method of a typed array in state was called on something else");
}

/** A relative position as the built-in methods understand it. */
function relative(value: unknown, length: number, fallback: number): number {
  if (value === undefined) return fallback;
  const whole = Math.trunc(Number(value)) || 0;
  return whole < 0 ? Math.max(length + whole, 0) : Math.min(whole, length);
}

const READERS = [
  "at",
  "includes",
  "indexOf",
  "lastIndexOf",
  "join",
  "keys",
  "values",
  "entries",
  "slice",
  "toString",
  "toLocaleString",
  "toReversed",
  "toSorted",
  "with",
  "valueOf",
  "hasOwnProperty",
  "isPrototypeOf",
  "propertyIsEnumerable",
  Symbol.iterator,
] as const;

/** They pass the array to a callback as their last argument: that has to be the proxy. */
const WITH_CALLBACK = [
  "every",
  "filter",
  "find",
  "findIndex",
  "findLast",
  "findLastIndex",
  "forEach",
  "map",
  "reduce",
  "reduceRight",
  "some",
] as const;

type Method = (...args: unknown[]) => unknown;

/** What a proxied typed array answers with. */
const TYPED_METHODS: ReadonlyMap<string | symbol, Method> = /* @__PURE__ */ (() => {
  const methods = new Map<string | symbol, Method>();
  const native = (name: string | symbol) => Reflect.get(Uint8Array.prototype, name) as Method;
  for (const name of READERS) {
    const method = native(name);
    methods.set(name, function reader(this: unknown, ...args) {
      return Reflect.apply(method, typedNode(this).raw, args);
    });
  }
  for (const name of WITH_CALLBACK) {
    const method = native(name);
    methods.set(name, function withCallback(this: unknown, callback, ...rest) {
      const node = typedNode(this);
      if (typeof callback !== "function") return Reflect.apply(method, node.raw, [callback]);
      const wrapped = function (this: unknown, ...args: unknown[]) {
        args[args.length - 1] = node.proxy;
        return Reflect.apply(callback, this, args);
      };
      return Reflect.apply(method, node.raw, [wrapped, ...rest]);
    });
  }
  for (const name of ["sort", "reverse"]) {
    const method = native(name);
    methods.set(name, function changer(this: unknown, ...args) {
      const node = typedNode(this);
      node.change(method, args, 0, node.raw.length);
      return this;
    });
  }
  methods.set("fill", function fill(this: unknown, value, start, end) {
    const node = typedNode(this);
    const length = node.raw.length;
    node.change(native("fill"), [value, start, end], relative(start, length, 0), relative(end, length, length));
    return this;
  });
  methods.set("copyWithin", function copyWithin(this: unknown, target, start, end) {
    const node = typedNode(this);
    const length = node.raw.length;
    const to = relative(target, length, 0);
    const count = relative(end, length, length) - relative(start, length, 0);
    node.change(native("copyWithin"), [target, start, end], to, Math.min(to + Math.max(count, 0), length));
    return this;
  });
  methods.set("set", function set(this: unknown, source, offset) {
    const node = typedNode(this);
    const from = isContainer(source) ? rawOf(source) : source;
    const length = isContainer(from) ? Number((from as { length?: unknown }).length) : 0;
    const to = Math.trunc(Number(offset ?? 0)) || 0;
    node.change(native("set"), [from, offset], Math.max(to, 0), Math.min(to + length, node.raw.length));
  });
  return methods;
})();
