import { describe, expect, it } from "vitest";
import { errorCodeOf } from "../errors/sojourn-error.js";
import { applyPatch } from "./apply-patch.js";
import { difference } from "./model.test-support.js";
import { OP, type Patch } from "./patch.js";
import { TrackedState } from "./tracked-state.js";

const LIMITS = { maxStateDepth: 10 };

// biome-ignore lint/suspicious/noExplicitAny: tests write what TypeScript would refuse
type Loose = any;

function tracked(raw: Loose) {
  const state = new TrackedState<Loose>(raw, LIMITS);
  state.begin();
  return state;
}

/** The patch of one turn; checks that it leads from the state before to the state after. */
function patchOf(raw: Loose, turn: (root: Loose) => void): Patch | null {
  const replica = structuredClone(raw);
  const state = tracked(raw);
  turn(state.root);
  const patch = state.commit();
  if (patch !== null) applyPatch(replica, structuredClone(patch));
  expect(difference(replica, state.raw)).toBeNull();
  return patch;
}

function failure(act: () => unknown): { code: string; message: string } {
  try {
    act();
  } catch (thrown) {
    return { code: errorCodeOf(thrown), message: String((thrown as Error).message) };
  }
  return { code: "none", message: "" };
}

class Foo {}

describe("values that cannot travel", () => {
  const cycle: Loose = { a: {} };
  cycle.a.b = cycle;
  const shared = {};
  const cases: [string, unknown, string, string][] = [
    ["function", () => 1, "E_UNTRAVELLABLE", "$.at is a function"],
    ["symbol", Symbol("s"), "E_UNTRAVELLABLE", "$.at is a symbol"],
    ["class instance", { deep: [new Foo()] }, "E_UNTRAVELLABLE", "$.at.deep[0] is an instance of Foo"],
    ["inside a Map", new Map([["a", { f() {} }]]), "E_UNTRAVELLABLE", '$.at.get("a").f is a function'],
    ["null prototype", Object.create(null), "E_UNTRAVELLABLE", "$.at is an object without a prototype"],
    ["symbol key", { [Symbol("s")]: 1 }, "E_UNTRAVELLABLE", "$.at has symbol keys"],
    [
      "getter",
      {
        get x() {
          return 1;
        },
      },
      "E_UNTRAVELLABLE",
      "$.at.x is a getter or setter",
    ],
    ["not enumerable", Object.defineProperty({}, "x", { value: 1 }), "E_UNTRAVELLABLE", "$.at has properties that are not enumerable"],
    ["__proto__", JSON.parse('{"__proto__": 1}'), "E_UNTRAVELLABLE", "$.at.__proto__ has a name that is not safe"],
    ["hole", Object.assign(new Array(3), { 0: 1, 2: 3 }), "E_UNTRAVELLABLE", "$.at[1] is a hole"],
    ["named property of an array", Object.assign([1], { x: 1 }), "E_UNTRAVELLABLE", "$.at has properties besides its elements"],
    ["property of a Map", Object.assign(new Map(), { x: 1 }), "E_UNTRAVELLABLE", "$.at has properties of its own"],
    ["object key", new Map([[{}, 1]]), "E_UNTRAVELLABLE", "$.at has an object as a key"],
    ["object member", new Set([{}]), "E_UNTRAVELLABLE", "$.at holds an object"],
    ["subclass", new (class M2 extends Map {})(), "E_UNTRAVELLABLE", "$.at is an instance of M2"],
    ["forged Map", Object.create(Map.prototype), "E_UNTRAVELLABLE", "$.at is not a genuine map"],
    ["WeakMap", new WeakMap(), "E_UNTRAVELLABLE", "instance of WeakMap"],
    ["Promise", Promise.resolve(), "E_UNTRAVELLABLE", "instance of Promise"],
    ["Error", new Error("x"), "E_UNTRAVELLABLE", "instance of Error"],
    ["RegExp", /x/, "E_UNTRAVELLABLE", "instance of RegExp"],
    ["boxed", Object(1), "E_UNTRAVELLABLE", "instance of Number"],
    ["ArrayBuffer", new ArrayBuffer(1), "E_UNTRAVELLABLE", "use a typed array"],
    ["DataView", new DataView(new ArrayBuffer(1)), "E_UNTRAVELLABLE", "use a typed array"],
    ["Buffer", Buffer.from("x"), "E_UNTRAVELLABLE", "use a typed array"],
    ["shared memory", new Uint8Array(new SharedArrayBuffer(4)), "E_UNTRAVELLABLE", "$.at shares its memory"],
    ["lone surrogate", "a\ud800", "E_UNTRAVELLABLE", "$.at is a string with a lone surrogate"],
    ["lone surrogate in a name", { "a\ud800": 1 }, "E_UNTRAVELLABLE", "has a name with a lone surrogate"],
    ["cycle", cycle, "E_ALIASED", "$.at.a.b"],
    ["shared inside", [shared, shared], "E_ALIASED", "$.at[1]"],
    ["too deep", [[[[[[[[[[1]]]]]]]]]], "E_STATE_TOO_DEEP", "deeper than 10"],
  ];
  it.each(cases)("refuses %s with its path and changes nothing", (_name, value, code, message) => {
    for (const place of ["object", "map", "array"] as const) {
      const raw = { object: {}, map: new Map(), array: [] };
      const state = tracked(raw);
      const act = () => {
        if (place === "object") state.root.object.at = value;
        else if (place === "map") state.root.map.set("at", value);
        else state.root.array.push(1, value);
      };
      const slot = { object: "$.object.at", map: '$.map.get("at")', array: "$.array[1]" }[place];
      const seen = failure(act);
      expect(seen.code).toBe(code);
      expect(seen.message).toContain(message.replace("$.at", slot));
      expect(state.commit()).toBeNull();
      expect(difference(raw, { object: {}, map: new Map(), array: [] })).toBeNull();
    }
  });

  const acts: [string, (root: Loose) => unknown, string][] = [
    ["defineProperty", (r) => Object.defineProperty(r, "x", { value: 1 }), "only assigned"],
    ["setPrototypeOf", (r) => Object.setPrototypeOf(r, null), "prototypes"],
    ["freeze", (r) => Object.freeze(r.list), "frozen"],
    [
      "symbol key",
      (r) => {
        r[Symbol("s")] = 1;
      },
      "symbols",
    ],
    [
      "__proto__",
      (r) => {
        Reflect.set(r, "__proto__", {}, r);
      },
      "not safe",
    ],
    [
      "hole by index",
      (r) => {
        r.list[5] = 1;
      },
      "hole",
    ],
    ["hole by delete", (r) => delete r.list[0], "hole"],
    [
      "hole by length",
      (r) => {
        r.list.length = 9;
      },
      "holes",
    ],
    [
      "name on an array",
      (r) => {
        r.list.x = 1;
      },
      "besides its elements",
    ],
    [
      "name on a Map",
      (r) => {
        r.map.x = 1;
      },
      "no properties",
    ],
    ["object as Map key", (r) => r.map.set({}, 1), "must be primitives"],
    ["object in a Set", (r) => r.set.add({}), "must be primitives"],
    ["function in a Set", (r) => r.set.add(() => 1), "is a function"],
    ["buffer", (r) => r.bytes.buffer, "slice()"],
    ["subarray", (r) => r.bytes.subarray(0, 1), "slice()"],
    ["fill with an object", (r) => r.list.fill({}), "more than one place"],
    [
      "itself",
      (r) => {
        r.list.push({ r });
      },
      "contain itself",
    ],
  ];
  it.each(acts)("refuses %s", (_name, act, message) => {
    const raw = { list: [1, 2], map: new Map(), set: new Set(), bytes: new Uint8Array(2) };
    const before = structuredClone(raw);
    const state = tracked(raw);
    expect(failure(() => act(state.root)).message).toContain(message);
    expect(state.commit()).toBeNull();
    expect(difference(raw, before)).toBeNull();
    expect(({} as Loose).x).toBeUndefined();
  });

  it("refuses to go deeper by moving", () => {
    const state = tracked({ low: [[[[[[]]]]]], high: [[[[[]]]]] });
    expect(failure(() => state.root.low[0][0][0][0].push(state.root.high)).code).toBe("E_STATE_TOO_DEEP");
  });
});

describe("patches", () => {
  const cases: [string, () => Loose, (r: Loose) => void, unknown][] = [
    [
      "one op for a field set twice",
      () => ({ a: 1 }),
      (r) => {
        r.a = 2;
        r.a = 3;
      },
      [[[], OP.set, "a", 3]],
    ],
    [
      "nothing for the same value",
      () => ({ a: Number.NaN }),
      (r) => {
        r.a = Number.NaN;
      },
      null,
    ],
    [
      "nothing for a value that came back",
      () => ({ a: 1, b: 2 }),
      (r) => {
        r.a = 5;
        r.a = 1;
        delete r.b;
        r.b = 2;
      },
      null,
    ],
    [
      "-0 is not 0",
      () => ({ a: 0 }),
      (r) => {
        r.a = -0;
      },
      [[[], OP.set, "a", -0]],
    ],
    [
      "a removed and re-added key moves to the end",
      () => ({ a: 1, b: 2 }),
      (r) => {
        delete r.a;
        r.a = 1;
      },
      [[[], OP.delete, "a", OP.set, "a", 1]],
    ],
    [
      "a new container is carried once",
      () => ({}),
      (r) => {
        r.a = {};
        r.a.b = [];
        r.a.b.push(1);
      },
      [[[], OP.set, "a", { b: [1] }]],
    ],
    [
      "push",
      () => [1, 2],
      (r) => {
        r.push(3);
        r.push(4);
      },
      [[[], OP.splice, 2, 0, [3, 4]]],
    ],
    ["pop", () => [1, 2], (r) => r.pop(), [[[], OP.splice, 1, 1, []]]],
    [
      "ring buffer",
      () => [1, 2, 3],
      (r) => {
        r.push(4);
        r.shift();
      },
      [[[], OP.splice, 0, 1, [], OP.splice, 2, 0, [4]]],
    ],
    ["splice", () => [1, 2, 3, 4], (r) => r.splice(1, 2, 9), [[[], OP.splice, 1, 2, [9]]]],
    [
      "push and pop",
      () => [1],
      (r) => {
        r.push(2);
        r.pop();
      },
      null,
    ],
    [
      "rotation of equal elements",
      () => [1, 1],
      (r) => {
        r.push(r.shift());
      },
      null,
    ],
    [
      "reverse of objects names places",
      () => [{ text: "abcdefgh" }, { text: "ijklmnop" }],
      (r) => r.reverse(),
      [[[], OP.arrange, 0, 2, [1, 0], []]],
    ],
    ["sort of numbers is compact", () => [3, 1, 2, 4], (r) => r.sort(), [[[], OP.splice, 0, 3, [1, 2, 3]]]],
    [
      "map clear",
      () =>
        new Map([
          ["a", 1],
          ["b", 2],
        ]),
      (r) => r.clear(),
      [[[], OP.clear]],
    ],
    [
      "set",
      () => new Set([1]),
      (r) => {
        r.add(2);
        r.delete(1);
      },
      [[[], OP.delete, 1, OP.add, 2]],
    ],
    ["date", () => ({ at: new Date(5) }), (r) => r.at.setTime(7), [[["at"], OP.time, 7]]],
    [
      "one byte",
      () => ({ b: new Uint8Array(1000) }),
      (r) => {
        r.b[500] = 1;
      },
      [[["b"], OP.bytes, 500, new Uint8Array([1])]],
    ],
    [
      "typed no-op",
      () => ({ b: new Uint8Array(4) }),
      (r) => {
        r.b[1] = 0;
        r.b.fill(0);
      },
      null,
    ],
    [
      "path after a shift",
      () => [{ x: 1 }, { x: 2 }],
      (r) => {
        const second = r[1];
        r.shift();
        second.x = 3;
      },
      [
        [[], OP.splice, 0, 1, []],
        [[0], OP.set, "x", 3],
      ],
    ],
  ];
  it.each(cases)("%s", (_name, make, turn, expected) => {
    expect(patchOf(make(), turn)).toEqual(expected);
  });

  it("sends distant bytes apart and near ones together", () => {
    const patch = patchOf(new Uint8Array(5000), (bytes) => {
      bytes[10] = 1;
      bytes[14] = 2;
      bytes[4000] = 3;
    });
    expect(patch).toEqual([[[], OP.bytes, 10, new Uint8Array([1, 0, 0, 0, 2]), OP.bytes, 4000, new Uint8Array([3])]]);
  });

  it("carries a new element of a rearranged list with its last contents", () => {
    const list = ["first", "second", "third"].map((text) => ({ text, more: "x".repeat(30) }));
    patchOf(list, (root) => {
      root.push({ text: "new", sub: [] });
      root.reverse();
      root[0].text = "newest";
      root[0].sub.push(1);
    });
  });
});

describe("identity and reading", () => {
  it("gives one proxy per container and finds it again", () => {
    const { root } = tracked({ list: [{ a: 1 }, { a: 2 }], map: new Map([["k", { v: 1 }]]) });
    const second = root.list[1];
    expect(root.list[1]).toBe(second);
    expect([root.list.indexOf(second), root.list.includes(second), root.list.lastIndexOf(second)]).toEqual([1, true, 1]);
    expect(root.map.get("k")).toBe([...root.map.values()][0]);
    expect(root.list.find((item: Loose) => item.a === 2)).toBe(second);
    expect(JSON.stringify(root.list)).toBe('[{"a":1},{"a":2}]');
    expect([Array.isArray(root.list), root.map instanceof Map, "list" in root, Object.keys(root)]).toEqual([
      true,
      true,
      true,
      ["list", "map"],
    ]);
    expect([...root.list.concat([3])].length).toBe(3);
    expect({ ...root }.list).toBe(root.list);
    expect(Object.getOwnPropertyDescriptor(root, "list")?.value).toBe(root.list);
    expect([[root.list], 1].flat(2).length).toBe(3);
  });

  it("does not let the outside change the state", () => {
    const mine = { x: 1, bytes: new Uint8Array(1) };
    const state = tracked({});
    state.root.a = mine;
    mine.x = 2;
    mine.bytes[0] = 9;
    expect(state.raw).toEqual({ a: { x: 1, bytes: new Uint8Array(1) } });
    state.root.bytes = state.root.a.bytes.slice();
    state.root.a.bytes.forEach((_value: number, _i: number, whole: unknown) => {
      expect(whole).toBe(state.root.a.bytes);
    });
  });

  it("copies what belongs to another state", () => {
    const other = tracked({ deep: new Map([["a", { x: 1 }]]) });
    const state = tracked({});
    state.root.copy = other.root.deep;
    other.root.deep.get("a").x = 2;
    expect(state.raw.copy.get("a").x).toBe(1);
  });

  it("leaves prototypes alone", () => {
    const { root } = tracked({});
    expect(Reflect.get(root, "__proto__")).toBe(Object.prototype);
    expect(Object.getPrototypeOf(root)).toBe(Object.prototype);
  });
});

describe("places", () => {
  it("refuses one object at two places, names both, and can be rolled back", () => {
    const state = tracked({ a: { x: 1 }, m: new Map() });
    state.root.m.set("b", state.root.a);
    const seen = failure(() => state.commit());
    expect(seen.code).toBe("E_ALIASED");
    expect(seen.message).toContain("$.a");
    expect(seen.message).toContain('$.m.get("b")');
    expect(failure(() => state.discard()).code).toBe("E_ALIASED");
    state.rollback();
    expect(state.raw).toEqual({ a: { x: 1 }, m: new Map() });
  });

  it("refuses one object twice in one list", () => {
    const state = tracked([{ x: 1 }, 2]);
    state.root.copyWithin(1, 0, 1);
    expect(failure(() => state.commit()).message).toMatch(/\$\[0\] and at \$\[1\]/);
  });

  it("keeps writing to what was taken out apart from the state until it is put back", () => {
    const state = tracked({ a: { x: 1 } });
    const a = state.root.a;
    delete state.root.a;
    state.commit();
    state.begin();
    a.x = 2;
    expect(state.commit()).toBeNull();
    state.begin();
    state.root.b = a;
    a.x = 3;
    expect(state.commit()).toEqual([[[], OP.set, "b", { x: 3 }]]);
  });

  it("separates what was taken out from what stayed", () => {
    const state = tracked({ out: {}, c: { x: 1 } });
    const out = state.root.out;
    delete state.root.out;
    out.c = state.root.c;
    state.commit();
    state.begin();
    out.c.x = 5;
    expect(state.commit()).toBeNull();
    expect(state.raw).toEqual({ c: { x: 1 } });
    state.begin();
    state.root.back = out;
    state.commit();
    expect(state.raw).toEqual({ c: { x: 1 }, back: { c: { x: 5 } } });
    state.begin();
    state.root.c.x = 7;
    expect(state.commit()).toEqual([[["c"], OP.set, "x", 7]]);
  });
});

describe("turns", () => {
  it("refuses writes outside of a turn, and those that the guard refuses", () => {
    const state = new TrackedState<Loose>(
      { list: [], map: new Map(), set: new Set(), at: new Date(0), b: new Uint8Array(1) },
      LIMITS,
      () => {
        if (closed) throw new Error("guarded");
      },
    );
    let closed = false;
    const writes = [
      () => {
        state.root.x = 1;
      },
      () => delete state.root.list,
      () => state.root.list.push(1),
      () => state.root.list.sort(),
      () => state.root.map.set(1, 1),
      () => state.root.map.clear(),
      () => state.root.set.add(1),
      () => state.root.at.setTime(1),
      () => {
        state.root.b[0] = 1;
      },
      () => state.root.b.fill(1),
    ];
    for (const write of writes) expect(failure(write).code).toBe("E_TURN_ENDED");
    state.begin();
    expect(failure(() => state.begin()).code).toBe("E_INTERNAL");
    closed = true;
    for (const write of writes) expect(failure(write).message).toBe("guarded");
    closed = false;
    expect(state.commit()).toBeNull();
  });

  it("keeps proxies valid over a rollback and voids what came in by it", () => {
    const state = tracked({ a: { x: 1 }, list: [{ y: 1 }] });
    const a = state.root.a;
    state.root.n = { inner: { a } };
    const inner = state.root.n.inner;
    delete state.root.a;
    inner.a.x = 9;
    state.root.list.pop();
    state.rollback();
    expect(difference(state.raw, { a: { x: 1 }, list: [{ y: 1 }] })).toBeNull();
    state.begin();
    expect(
      failure(() => {
        inner.z = 1;
      }).code,
    ).toBe("E_TURN_ENDED");
    a.x = 2;
    state.root.copy = inner;
    expect(state.commit()).toEqual([
      [[], OP.set, "copy", { a: { x: 2 } }],
      [["a"], OP.set, "x", 2],
    ]);
  });

  it("restores the order of keys, members and entries", () => {
    const raw = {
      o: { a: 1, b: 2, c: 3 },
      m: new Map([
        ["a", 1],
        ["b", 2],
      ]),
      s: new Set([1, 2, 3]),
      b: new Uint8Array([1, 2]),
      d: new Date(1),
    };
    const before = structuredClone(raw);
    const state = tracked(raw);
    delete state.root.o.a;
    state.root.o.a = 1;
    state.root.m.delete("a");
    state.root.s.delete(2);
    state.root.s.add(4);
    state.root.b[1] = 7;
    state.root.d.setTime(99);
    state.rollback();
    expect(difference(raw, before)).toBeNull();
  });

  it("tells whether a discarded turn changed anything", () => {
    const state = tracked({ a: 1, list: [1] });
    state.root.a = 2;
    state.root.a = 1;
    expect(state.discard()).toBe(false);
    state.begin();
    state.root.list.push(1);
    expect(state.discard()).toBe(true);
  });
});
