import { walk } from "../walk.mjs";

const RULE = "no-any";

/** A test may write what types would refuse, when the line above says so to the linter, with the reason. */
function excused(file, at) {
  return file.parsed.comments.some(
    ({ value, end }) => /biome-ignore lint\/suspicious\/noExplicitAny: \S/.test(value) && end < at && at - end < 120,
  );
}

/** The type checker is never switched off: no `any`, no non-null `!`, no comment that silences it. */
export function noAny(project) {
  return project.code.flatMap((file) => {
    if (!/\.(ts|tsx|mts)$/.test(file.path)) return [];
    const findings = [];
    walk(file.program, (node) => {
      if (node.type === "TSAnyKeyword" && !(file.isTest && excused(file, node.start)))
        findings.push(file.finding(RULE, node.start, "`any`; use `unknown` and narrow it, or a type parameter"));
      if (node.type === "TSNonNullExpression") {
        findings.push(file.finding(RULE, node.end - 1, "non-null `!`; test for undefined and handle it"));
      }
    });
    for (const comment of file.parsed.comments) {
      if (/^[\s*/]*@ts-(ignore|nocheck)\b/.test(comment.value)) {
        findings.push(
          file.finding(RULE, comment.start, "the type checker is switched off; mend the type (a test of types may use @ts-expect-error)"),
        );
      }
    }
    return findings;
  });
}
