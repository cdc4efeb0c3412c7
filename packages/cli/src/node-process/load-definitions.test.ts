import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findModule } from "../dev/find-module.js";
import { loadDefinitions } from "./load-definitions.js";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
/** A definition as defineSession makes it; written out, so that the built package is not needed. */
const definition = (name: string) =>
  `{ name: "${name}", version: 1, durability: "strong", state: () => ({}), actions: new Map(), timers: new Map(), hooks: {}, upgrades: new Map(), cacheClasses: new Map() }`;

describe("definitions of a module", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(PACKAGE, ".definitions-"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(fileURLToPath(new URL("../../../../node_modules/zod", import.meta.url)), join(folder, "node_modules/zod"));
    // Without a package.json that says so, Node.js takes the files of a folder for CommonJS.
    writeFileSync(join(folder, "package.json"), "{}");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const names = async (path: string) => (await loadDefinitions(path)).map(({ name }) => name);

  test("every exported definition counts, once, the default one too; other exports do not", async () => {
    const path = write(
      "several.mjs",
      `export const a = ${definition("a")};\nexport default ${definition("b")};\nexport { a as again };\nexport const other = { name: "x" }, none = null;`,
    );
    expect(await names(path)).toEqual(["a", "b"]);
    expect(await names(pathToFileURL(path).href)).toEqual(["a", "b"]);
  });

  test("TypeScript is compiled, with what it imports, in a folder of CommonJS too, and leaves nothing behind", async () => {
    write("part.ts", "export enum Kind { A = 'counted' }");
    const path = write(
      "sojourn.ts",
      `import { z } from "zod";\nimport { Kind } from "./part.js";\nconst schema: z.ZodNumber = z.number();\nexport const a = { ...${definition("typed")}, name: Kind.A as string, schema };`,
    );
    const before = readdirSync(folder);
    expect(await names(path)).toEqual(["counted"]);
    expect(readdirSync(folder)).toEqual(before);
  });

  test.each([
    ["syntax.ts", "export const = 1;", "E_DEFINITION_INVALID", /does not compile: .*syntax\.ts:1:14/],
    ["missing.ts", 'import "./no-such-file.js";', "E_DEFINITION_INVALID", /no-such-file/],
    ["throws.ts", 'throw new RangeError("too far");', "E_DEFINITION_INVALID", /RangeError: too far/],
    ["throws.mjs", 'throw new RangeError("too far");', "E_DEFINITION_INVALID", /RangeError: too far/],
    ["none.mjs", "export const x = 1, y = 2;", "E_CONFIG_INVALID", /exports no session definition \(it exports: x, y\)/],
    ["empty.mjs", "", "E_CONFIG_INVALID", /it exports: nothing/],
    [
      "twice.mjs",
      `export const a = ${definition("a")}, b = ${definition("a")};`,
      "E_DEFINITION_INVALID",
      /two session definitions named "a"/,
    ],
  ])("%s is refused", async (name, text, code, message) => {
    await expect(loadDefinitions(write(name, text))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("a file that is not there is refused with its path", async () => {
    await expect(loadDefinitions(join(folder, "gone.ts"))).rejects.toMatchObject({ code: "E_CONFIG_INVALID", message: /gone\.ts/ });
  });

  test("the usual names are looked for in order", () => {
    expect(findModule(folder, undefined)).toBe(join(folder, "sojourn.ts"));
    expect(findModule(folder, "none.mjs")).toBe(join(folder, "none.mjs"));
    expect(() => findModule(folder, "gone.ts")).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
    expect(() => findModule(join(folder, "node_modules"), undefined)).toThrow("no session definitions found");
  });
});
