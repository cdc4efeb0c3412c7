import { describe, expect, it } from "vitest";
import { check } from "./check.mjs";
import { MAX_LINES } from "./rules/file-length.mjs";
import { Project } from "./source.mjs";

/** Findings over literal files, as `path:line rule`. */
function found(texts, { ratchet = {}, hosts = [] } = {}) {
  return check(Project.of(texts), { ratchet, hosts }).map(({ path, line, rule }) => `${path}:${line} ${rule}`);
}

const CORE = "packages/core/src/a.ts";
const CORE_TEST = "packages/core/src/a.test.ts";
const NODE = "packages/node/src/a.ts";
const lines = (count) => "//\n".repeat(count);

describe("import-directions", () => {
  it.each([
    [CORE, 'import type { A } from "@sojourn/node";'],
    [CORE, 'import { x } from "@sojourn/testkit";'],
    [CORE, 'import { x } from "node:fs";'],
    [NODE, 'import { x } from "@sojourn/adapters/memory";'],
    [NODE, 'import { x } from "../../core/src/names.js";'],
    [NODE, 'import { x } from "@sojourn/core/dist/names.js";'],
    [NODE, 'const x = await import("@sojourn/client");'],
    [NODE, 'let x: import("@sojourn/client").Client;'],
    [NODE, 'export { x } from "@sojourn/client";'],
    ["packages/adapters/src/disk/a.ts", 'import { x } from "@sojourn/node";'],
    ["packages/client/src/a.ts", 'import { x } from "@sojourn/node";'],
    ["packages/testkit/src/a.ts", 'import { x } from "@sojourn/node";'],
    ["packages/cli/src/a.ts", 'import { x } from "@sojourn/testkit";'],
    ["apps/dashboard/src/a.ts", 'import { x } from "@sojourn/core";'],
    ["packages/newcomer/src/a.ts", 'import { x } from "@sojourn/core";'],
    ["bench/src/a.ts", 'import { x } from "../../packages/core/src/names.js";'],
  ])("%s may not say %s", (path, text) => {
    expect(found({ [path]: text })).toEqual([`${path}:1 import-directions`]);
  });

  it.each([
    [NODE, 'import { x } from "@sojourn/core";'],
    [NODE, 'import { x } from "node:fs";'],
    [CORE_TEST, 'import { x } from "node:fs"; import { y } from "@sojourn/testkit";'],
    ["packages/node/src/a.test.ts", 'import { x } from "@sojourn/client";'],
    ["packages/client/test-support/a.ts", 'import { x } from "@sojourn/testkit";'],
    ["packages/testkit/src/sim/a.ts", 'import { x } from "@sojourn/node";'],
    ["packages/cli/src/a.ts", 'import { x } from "@sojourn/node"; import { y } from "@sojourn/adapters/disk";'],
    ["examples/roaming/src/a.ts", 'import { x } from "@sojourn/testkit";'],
    ["test/a.test.ts", 'import { x } from "@sojourn/cli";'],
  ])("%s may say %s", (path, text) => {
    expect(found({ [path]: text })).toEqual([]);
  });
});

describe("no-cycles", () => {
  it("sees a cycle of type-only imports once, and shows the way round", () => {
    const findings = check(
      Project.of({
        "packages/node/src/a.ts": 'import type { B } from "./b.js";',
        "packages/node/src/b.ts": 'import { c } from "./c.js";',
        "packages/node/src/c.ts": 'export type { A } from "./a.js";',
      }),
      { ratchet: {}, hosts: [] },
    );
    expect(findings).toHaveLength(1);
    expect(findings[0].message).toContain(
      "packages/node/src/a.ts -> packages/node/src/b.ts -> packages/node/src/c.ts -> packages/node/src/a.ts",
    );
  });

  it("sees a cycle through import types, dynamic imports and package names", () => {
    expect(found({ [NODE]: 'let x: import("./b.js").B;', "packages/node/src/b.ts": 'const a = import("./a.js");' })).toEqual([
      `${NODE}:1 no-cycles`,
    ]);
    const round = found({
      "packages/node/src/index.ts": 'export { a } from "./a.js";',
      "packages/node/src/a.ts": 'import { x } from "@sojourn/cli";',
      "packages/cli/src/index.ts": 'import { a } from "@sojourn/node";',
    });
    expect(round).toContain("packages/cli/src/index.ts:1 no-cycles");
    for (const entry of ["packages/adapters/src/disk/index.ts", "packages/adapters/src/disk.ts"]) {
      const throughSubpath = found({
        [NODE]: 'import { x } from "@sojourn/adapters/disk";',
        [entry]: 'import { x } from "@sojourn/node/a";',
      });
      expect(throughSubpath).toContain(`${entry}:1 no-cycles`);
    }
  });

  it("sees a file that imports itself, and leaves a diamond alone", () => {
    expect(found({ [NODE]: 'import { x } from "./a.js";' })).toEqual([`${NODE}:1 no-cycles`]);
    const diamond = {
      "bench/src/a.ts": 'import "./b.js"; import "./c.js";',
      "bench/src/b.ts": 'import "./d.js";',
      "bench/src/c.ts": 'import "./d.js";',
      "bench/src/d.ts": "",
    };
    expect(found(diamond)).toEqual([]);
  });

  it("shows the shortest way round a knot of several cycles", () => {
    const findings = check(
      Project.of({
        "bench/src/a.ts": 'import "./out.js"; import "./b.js"; import "./c.js";',
        "bench/src/b.ts": 'import "./c.js";',
        "bench/src/c.ts": 'import "./b.js"; import "./a.js";',
        "bench/src/out.ts": "",
      }),
      { ratchet: {}, hosts: [] },
    );
    expect(findings.map((finding) => finding.message.split(";")[0])).toEqual([
      "import cycle: bench/src/a.ts -> bench/src/c.ts -> bench/src/a.ts",
    ]);
  });
});

describe("no-own-index", () => {
  it("refuses the index by path and by name, in tests too", () => {
    const index = { "packages/core/src/index.ts": "" };
    expect(found({ ...index, [CORE]: '\nimport type { A } from "./index.js";' })).toEqual([`${CORE}:2 no-own-index`]);
    expect(found({ ...index, [CORE_TEST]: 'import { a } from "@sojourn/core";' })).toEqual([`${CORE_TEST}:1 no-own-index`]);
    expect(found({ ...index, "packages/core/src/index.test.ts": 'import { a } from "./index.js";' })).toEqual([]);
    expect(found({ ...index, [NODE]: 'import { a } from "@sojourn/core";' })).toEqual([]);
  });
});

describe("banned-calls", () => {
  it.each([
    "Date.now();",
    "new Date();",
    "Date();",
    "Math.random();",
    "setTimeout(f, 1);",
    "setInterval(f, 1);",
    "setImmediate(f);",
    "queueMicrotask(f);",
    "const env = process.env;",
    "Buffer.from(x);",
    'console.log("x");',
    "performance.now();",
    "globalThis.setTimeout(f, 1);",
    "const o = { console };",
    "const now = Date.now;",
    "class A { f = setTimeout; }",
  ])("core may not say %s", (text) => {
    expect(found({ [CORE]: `\n${text}` })).toEqual([`${CORE}:2 banned-calls`]);
  });

  it.each([
    "new Date(0);",
    "clock.setTimeout(f, 1);",
    "type T = { process: number; console: Date };",
    "const o = { setTimeout: 1, process() {} };",
    "function f(process: number) { return process; }",
    'import { process } from "./b.js"; process(1);',
    "const console = 1; f(console);",
    "function setTimeout() {} setTimeout();",
    "try { f(); } catch (process) { f(process); }",
    "const { process = 1, ...console } = f(); g(process, console);",
    "process: for (;;) break process;",
    "// Date.now() in a comment",
    'const s = "Math.random()";',
  ])("core may say %s", (text) => {
    expect(found({ [CORE]: text })).toEqual([]);
  });

  it("refuses console in every package but the command, and leaves tests and examples alone", () => {
    expect(found({ [NODE]: "console.log(1);" })).toEqual([`${NODE}:1 banned-calls`]);
    expect(found({ [NODE]: "Date.now();" })).toEqual([]);
    expect(found({ "packages/cli/src/a.ts": "console.log(1);", "bench/src/a.ts": "console.log(1);", [CORE_TEST]: "process.pid;" })).toEqual(
      [],
    );
  });
});

describe("no-any", () => {
  it.each([
    "let a: any;",
    "const a = b as any;",
    "const a = b!.c;",
    "const a = (b as Map<string, any>).size;",
    "// @ts-ignore",
    "/* @ts-nocheck */",
  ])("refuses %s", (text) => {
    expect(found({ [CORE_TEST]: text })).toEqual([`${CORE_TEST}:1 no-any`]);
  });

  it("lets a test excuse one with a reason, and only a test", () => {
    const text = "// biome-ignore lint/suspicious/noExplicitAny: tries what types refuse\ntype Loose = any;";
    expect(found({ [CORE_TEST]: text })).toEqual([]);
    expect(found({ [NODE]: text })).toEqual([`${NODE}:2 no-any`]);
    expect(found({ [CORE_TEST]: text.replace(/: tries.*/, "") })).toEqual([`${CORE_TEST}:2 no-any`]);
  });

  it("asks nothing of plain JavaScript", () => {
    expect(found({ "scripts/a.mjs": "// @ts-nocheck" })).toEqual([]);
  });

  it("lets words and other marks pass", () => {
    expect(found({ [NODE]: "// any @ts-ignored\nlet anyOf = !a; // @ts-expect-error\nlet b: unknown;" })).toEqual([]);
  });
});

describe("documented-exports", () => {
  it.each([
    "export const a = 1;",
    "export function a() {}",
    "export class A {}",
    "export type A = 1;",
    "export interface A {}",
    "export default 1;",
    "const a = 1;\nexport { a };",
    "// not a doc comment\nexport const a = 1;",
    "/* not one either */\nexport const a = 1;",
    "/** */\nexport const a = 1;",
    "/** of b */\nconst b = 1;\nexport const a = b;",
  ])("refuses %j", (text) => {
    expect(found({ [NODE]: text }).map((line) => line.split(" ")[1])).toEqual(["documented-exports"]);
  });

  it.each([
    "/** What a is. */\nexport const a = 1;",
    "/** What a is. */\n// biome-ignore lint: why\nexport const a = 1;",
    "/** What a is. */\nconst a = 1;\nexport { a as b };",
    "/** Doubles. */\nexport function a(x: 1): 2;\nexport function a(x: 2): 4;\nexport function a(x: number) { return x * 2; }",
    'export { a } from "./b.js";',
    "const a = 1;",
  ])("lets %j pass", (text) => {
    expect(found({ [NODE]: text })).toEqual([]);
  });

  it("asks nothing of tests, examples and scripts", () => {
    expect(found({ [CORE_TEST]: "export const a = 1;", "bench/src/a.ts": "export const a = 1;" })).toEqual([]);
  });
});

describe("explicit-exports", () => {
  it("refuses export * in a package", () => {
    const path = "packages/core/src/index.ts";
    expect(found({ [path]: 'export * from "./a.js";' })).toEqual([`${path}:1 explicit-exports`]);
    expect(found({ [path]: 'export * as a from "./a.js";' })).toEqual([`${path}:1 explicit-exports`]);
    expect(found({ [path]: 'export { a } from "./a.js";', "bench/src/index.ts": 'export * from "./a.js";' })).toEqual([]);
  });
});

describe("file-length", () => {
  const list = "scripts/tidy/long-files.json:1 file-length";

  it("refuses a file over the bound", () => {
    expect(found({ [NODE]: lines(MAX_LINES) })).toEqual([]);
    expect(found({ [NODE]: lines(MAX_LINES + 1) })).toEqual([`${NODE}:1 file-length`]);
  });

  it("lets a ratchet only go down", () => {
    const ratchet = { [NODE]: MAX_LINES + 10 };
    expect(found({ [NODE]: lines(MAX_LINES + 10) }, { ratchet })).toEqual([]);
    expect(found({ [NODE]: lines(MAX_LINES + 11) }, { ratchet })).toEqual([`${NODE}:1 file-length`]);
    expect(found({ [NODE]: lines(MAX_LINES + 9) }, { ratchet })).toEqual([list]);
    expect(found({ [NODE]: lines(10) }, { ratchet })).toEqual([list]);
    expect(found({}, { ratchet })).toEqual([list]);
  });
});

describe("test-discipline", () => {
  it.each([
    "it.only('x', f);",
    "describe.skip('x', f);",
    "test.skip.each([1])('x', f);",
    "test.concurrent.only('x', f);",
    "describe.runIf(x).only('x', f);",
    "it.todo('x');",
    "await new Promise((r) => setTimeout(r, 5));",
    "await new Promise<void>((resolve) => { setTimeout(resolve, 5); });",
    "await new Promise((r) => setTimeout(() => r(1), 5));",
    "await new Promise(function (r) { globalThis.setTimeout(() => { r(); }, 5); });",
    'import { setTimeout as sleep } from "node:timers/promises";',
    'import * as timers from "timers/promises";',
    "const sleep = promisify(setTimeout);",
    "const sleep = util.promisify(setTimeout);",
    "Atomics.wait(a, 0, 0, 5);",
  ])("refuses %s", (text) => {
    expect(found({ [CORE_TEST]: text })).toEqual([`${CORE_TEST}:1 test-discipline`]);
    expect(found({ "test/helper.ts": text })).toEqual(["test/helper.ts:1 test-discipline"]);
  });

  it.each([
    "it.skipIf(process.platform === 'win32')('x', f);",
    "array.only(1); thing.skip();",
    "await new Promise(() => setTimeout(f, 5));",
    "await new Promise((resolve, reject) => { socket.once('open', resolve); setTimeout(() => reject(new Error('late')), 5); });",
    'import { setImmediate } from "node:timers/promises";',
    "const t = setTimeout(f, 5);",
  ])("lets %s pass", (text) => {
    expect(found({ [CORE_TEST]: text })).toEqual([]);
  });

  it("asks nothing of what is not a test", () => {
    expect(found({ "bench/src/a.ts": "await new Promise((r) => setTimeout(r, 5));" })).toEqual([]);
  });
});

describe("banned-words", () => {
  const path = "docs/a.md";
  it.each([
    ["", "work", "main"].join("/"),
    ["", "root", "x"].join("/"),
    ["", "tmp", "bash_jobs.0"].join("/"),
    ["https:/", "registry.example.org", "x"].join("/"),
    ["..", "shared", "DESIGN.md"].join("/"),
  ])("refuses %s", (text) => {
    expect(found({ [path]: `a\nb ${text}` })).toEqual([`${path}:2 banned-words`]);
  });

  it("refuses the hosts it is given, and lets other paths pass", () => {
    expect(found({ [path]: "see npm.example.org" }, { hosts: ["npm.example.org"] })).toEqual([`${path}:1 banned-words`]);
    expect(found({ [path]: "see npmxexample.org, net/work/x, ./work/x" }, { hosts: ["npm.example.org"] })).toEqual([]);
  });
});

describe("parses", () => {
  it("says where a file does not parse instead of passing it", () => {
    expect(found({ [NODE]: "const a = 1;\nconst = ;" })).toContain(`${NODE}:2 parses`);
  });
});
