/**
 * @typedef {{ kind: "npm", script: string, argument: string | null } | { kind: "cli", command: string | null } | { kind: "node", file: string }} Command
 */

const FENCE = /^```(?:sh|bash|shell|console|text)?[ \t]*\n([\s\S]*?)^```/gm;

/** The commands of the project that a Markdown page tells its reader to run, each once. Foreign commands are left out. */
export function commandsOf(markdown) {
  const seen = new Map();
  for (const block of markdown.matchAll(FENCE)) {
    for (const line of block[1].replaceAll("\\\n", " ").split("\n")) {
      for (const part of line.replace(/(^|\s)#.*$/, "").split(/&&|\|\||[;|]/)) {
        const command = parse(part);
        if (command !== null) seen.set(JSON.stringify(command), command);
      }
    }
  }
  return [...seen.values()];
}

/** @returns {Command | null} */
function parse(text) {
  const words = text
    .trim()
    .replace(/^\$\s+/, "")
    .split(/\s+/);
  while (/^[A-Z_][A-Z0-9_]*=/.test(words[0])) words.shift();
  if (words[0] === "npm") return parseNpm(words.slice(1));
  if (words[0] === "npx" && words[1] === "sojourn") words.shift();
  if (words[0] === "sojourn") return { kind: "cli", command: word(words[1]) };
  if (words[0] === "node" && /\.m?js$/.test(words[1] ?? "")) return { kind: "node", file: words[1] };
  return null;
}

function parseNpm(words) {
  const named = words[0] === "run" || words[0] === "run-script";
  const script = named ? words[1] : /^(start|test|t)$/.test(words[0] ?? "") ? words[0].replace(/^t$/, "test") : undefined;
  if (script === undefined) return null;
  const dashes = words.indexOf("--");
  return { kind: "npm", script, argument: dashes < 0 ? null : word(words[dashes + 1]) };
}

/** A literal word: no option, no placeholder. */
function word(text) {
  return text !== undefined && /^[a-z][a-z0-9-]*$/.test(text) ? text : null;
}
