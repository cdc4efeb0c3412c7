const RULE = "parses";

/** A file that does not parse would slip past every other rule. */
export function parses(project) {
  return project.code.flatMap((file) =>
    file.parsed.errors.map((error) => file.finding(RULE, error.labels?.[0]?.start ?? 0, `does not parse: ${error.message}`)),
  );
}
