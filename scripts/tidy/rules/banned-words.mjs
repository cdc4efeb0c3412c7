const RULE = "banned-words";

const WORDS = [
  { pattern: /(?<![\w.-])\/(?:work|root)\//g, remedy: "a path of one machine; use a path relative to the repository" },
  { pattern: /\/tmp\/bash_jobs/g, remedy: "a path of one machine; use os.tmpdir() and mkdtemp" },
  {
    pattern: /https?:\/\/[^\s/"']*(?:registry|artifactory|nexus|verdaccio)[^\s/"']*/gi,
    remedy: "the address of a registry; leave it to the reader's npm configuration",
  },
  {
    pattern: /\bshared\/(?:DESIGN|PROTOCOL|STYLE|PEERS|REPORTS|INTERLEAVINGS)\.md/g,
    remedy: "a page outside the repository; name ARCHITECTURE.md, PROTOCOL.md or docs/",
  },
];

/** Committed text names no machine, no registry and no page a reader cannot open. `hosts` are more names to refuse. */
export function bannedWords(project, hosts = []) {
  const words = [
    ...WORDS,
    ...hosts.map((host) => ({ pattern: new RegExp(escaped(host), "g"), remedy: "the address of a registry; leave it out" })),
  ];
  return project.files.flatMap((file) =>
    words.flatMap(({ pattern, remedy }) =>
      [...file.text.matchAll(pattern)].map((hit) => file.finding(RULE, hit.index, `"${hit[0]}" is ${remedy}`)),
    ),
  );
}

function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
