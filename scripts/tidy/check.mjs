import { bannedCalls } from "./rules/banned-calls.mjs";
import { bannedWords } from "./rules/banned-words.mjs";
import { documentedExports } from "./rules/documented-exports.mjs";
import { explicitExports } from "./rules/explicit-exports.mjs";
import { fileLength } from "./rules/file-length.mjs";
import { importDirections } from "./rules/import-directions.mjs";
import { noAny } from "./rules/no-any.mjs";
import { noCycles } from "./rules/no-cycles.mjs";
import { noOwnIndex } from "./rules/no-own-index.mjs";
import { parses } from "./rules/parses.mjs";
import { testDiscipline } from "./rules/test-discipline.mjs";

/** Where the ratchet of file-length stands. */
export const RATCHET_PATH = "scripts/tidy/long-files.json";

/**
 * Runs every rule.
 * @param {import("./source.mjs").Project} project
 * @param {{ ratchet: Record<string, number>, hosts: readonly string[] }} options
 * @returns {import("./source.mjs").Finding[]} sorted by place
 */
export function check(project, { ratchet, hosts }) {
  const findings = [
    ...parses(project),
    ...importDirections(project),
    ...noCycles(project),
    ...noOwnIndex(project),
    ...bannedCalls(project),
    ...noAny(project),
    ...documentedExports(project),
    ...explicitExports(project),
    ...fileLength(project, ratchet, RATCHET_PATH),
    ...testDiscipline(project),
    ...bannedWords(project, hosts),
  ];
  return findings.sort((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1));
}
