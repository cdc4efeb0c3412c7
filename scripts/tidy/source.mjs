import { posix } from "node:path";
import { parseSync } from "oxc-parser";
import { walk } from "./walk.mjs";

/**
 * @typedef {{ specifier: string, offset: number, typeOnly: boolean }} Import
 * @typedef {{ rule: string, path: string, line: number, message: string }} Finding
 */

const CODE = /\.(ts|tsx|mts|mjs|js|jsx)$/;
const TEST = /(\.test\.[a-z]+$)|(^test\/)|(\/test-support\/)/;
const PACKAGE = /^(?:packages|apps)\/([^/]+)\//;

/** One committed text file; its syntax tree is made when a rule first asks for it. */
export class SourceFile {
  #parsed;
  #imports;
  #lineStarts;

  constructor(path, text) {
    this.path = path;
    this.text = text;
    this.isCode = CODE.test(path);
    this.isTest = TEST.test(path);
    /** The folder under packages/ or apps/ that holds the file, or null. */
    this.package = PACKAGE.exec(path)?.[1] ?? null;
    this.isPackageSource = /^packages\/[^/]+\/src\//.test(path);
  }

  get parsed() {
    this.#parsed ??= parseSync(this.path, this.text);
    return this.#parsed;
  }

  get program() {
    return this.parsed.program;
  }

  /** Everything the file loads or names a type from: static, dynamic, re-exported and `import("…").T`. */
  get imports() {
    this.#imports ??= importsOf(this.program);
    return this.#imports;
  }

  lineAt(offset) {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map((match) => match.index + 1)];
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** @returns {Finding} */
  finding(rule, offset, message) {
    return { rule, path: this.path, line: this.lineAt(offset), message };
  }
}

function importsOf(program) {
  /** @type {Import[]} */
  const imports = [];
  const add = (source, node) => {
    if (source?.type === "Literal" && typeof source.value === "string") {
      imports.push({ specifier: source.value, offset: node.start, typeOnly: node.importKind === "type" || node.type === "TSImportType" });
    }
  };
  walk(program, (node) => {
    if (/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration|ImportExpression|TSImportType)$/.test(node.type))
      add(node.source, node);
  });
  return imports;
}

/** The files a rule looks at. Built from git for the check, from literal text in the rules' tests. */
export class Project {
  #byPath;

  constructor(files) {
    this.files = files;
    this.code = files.filter((file) => file.isCode);
    this.#byPath = new Map(files.map((file) => [file.path, file]));
  }

  static of(texts) {
    return new Project(Object.entries(texts).map(([path, text]) => new SourceFile(path, text)));
  }

  get(path) {
    return this.#byPath.get(path);
  }

  /** The path a relative import means, whether or not the file is known. */
  relativeTarget(file, specifier) {
    if (!specifier.startsWith(".")) return null;
    return posix.normalize(posix.join(posix.dirname(file.path), specifier));
  }

  /** The known file an import leads to, or null: `./x.js` is `x.ts`, `@sojourn/x` is that package's index. */
  resolve(file, specifier) {
    const target = this.relativeTarget(file, specifier) ?? packageEntry(specifier);
    if (target === null) return null;
    const stem = target.replace(/\.(m?)js$/, "");
    for (const candidate of [target, `${stem}.ts`, `${stem}.tsx`, `${stem}.mts`, `${stem}/index.ts`]) {
      const found = this.#byPath.get(candidate);
      if (found !== undefined) return found;
    }
    return null;
  }
}

function packageEntry(specifier) {
  const match = /^@sojourn\/([^/]+)(?:\/(.+))?$/.exec(specifier);
  if (match === null) return null;
  return `packages/${match[1]}/src/${match[2] ?? "index"}`;
}
