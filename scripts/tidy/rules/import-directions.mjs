const RULE = "import-directions";

/** Who may import whom. `tests` are added for test files, `folders` for one folder of the package. */
const MAY_IMPORT = {
  core: { source: [], tests: ["testkit"] },
  node: { source: ["core"], tests: ["adapters", "client", "testkit"] },
  adapters: { source: ["core"], tests: ["testkit"] },
  testkit: {
    source: ["core"],
    tests: ["adapters", "client", "node"],
    folders: {
      "packages/testkit/src/sim/": ["adapters", "client", "node"],
      "packages/testkit/src/stores/": ["adapters"],
      "packages/testkit/src/chaos/": ["adapters", "cli", "client", "node"],
    },
  },
  client: { source: ["core"], tests: ["adapters", "node", "testkit"] },
  cli: { source: ["adapters", "client", "core", "node"], tests: ["testkit"] },
  dashboard: { source: [], tests: [] },
};

/** Packages whose sources run anywhere, so they may not name a built-in of Node.js. */
const NO_BUILTINS = new Set(["core"]);

/** Packages import each other by name, only along the arrows of ARCHITECTURE.md. */
export function importDirections(project) {
  return project.code.flatMap((file) => file.imports.flatMap((entry) => judge(project, file, entry)));
}

function judge(project, file, entry) {
  const say = (message) => [file.finding(RULE, entry.offset, message)];
  const target = project.relativeTarget(file, entry.specifier);
  if (target !== null) return judgeRelative(file, entry, target, say);
  if (NO_BUILTINS.has(file.package) && !file.isTest && entry.specifier.startsWith("node:")) {
    return say(`packages/${file.package} imports "${entry.specifier}"; put what it needs behind a port and bind it in packages/node`);
  }
  const ours = /^@sojourn\/([^/]+)(\/.*)?$/.exec(entry.specifier);
  if (ours === null) return [];
  const [, name, subpath] = ours;
  if (subpath !== undefined && /\/(src|dist)\b/.test(subpath)) {
    return say(`"${entry.specifier}" reaches inside a package; export the name from its index.ts and import "@sojourn/${name}"`);
  }
  if (file.package === null || name === file.package) return []; // a package's own name is the business of no-own-index
  const allowed = allowedFor(file);
  if (allowed.includes(name)) return [];
  return say(
    `${file.package} may not import ${name} (allowed: ${allowed.join(", ") || "nothing of ours"}); move the code or go through a port of core`,
  );
}

function judgeRelative(file, entry, target, say) {
  const home = /^(packages|apps)\/[^/]+\//.exec(file.path)?.[0];
  if (home !== undefined && !target.startsWith(home)) {
    return say(`"${entry.specifier}" leaves ${home}; import the other package by its name`);
  }
  const reached = /^packages\/([^/]+)\/src\//.exec(target);
  if (home === undefined && reached !== null) {
    return say(`"${entry.specifier}" reaches into packages/${reached[1]}/src; import "@sojourn/${reached[1]}"`);
  }
  return [];
}

function allowedFor(file) {
  const row = MAY_IMPORT[file.package];
  if (row === undefined) return [];
  const folder = Object.entries(row.folders ?? {}).find(([prefix]) => file.path.startsWith(prefix));
  return [...row.source, ...(file.isTest ? row.tests : []), ...(folder?.[1] ?? [])];
}
