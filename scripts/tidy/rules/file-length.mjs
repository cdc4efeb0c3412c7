const RULE = "file-length";

/** The most lines a source file may have. */
export const MAX_LINES = 650;

/**
 * No source file outgrows its room. `ratchet` maps the few that did to the lines they have now: the number must be lowered
 * when the file shrinks and may not be passed, so it can only go down.
 */
export function fileLength(project, ratchet, ratchetPath) {
  const findings = [];
  const aboutList = (message) => findings.push({ rule: RULE, path: ratchetPath, line: 1, message });
  for (const file of project.code) {
    const lines = linesOf(file);
    const allowed = ratchet[file.path];
    if (allowed === undefined && lines > MAX_LINES) {
      findings.push(file.finding(RULE, 0, `${lines} lines, the most is ${MAX_LINES}; split it by job`));
    } else if (allowed !== undefined && lines > allowed) {
      findings.push(file.finding(RULE, 0, `grew to ${lines} lines, its ratchet is ${allowed}; split it by job`));
    } else if (allowed !== undefined && lines <= MAX_LINES) {
      aboutList(`${file.path} has ${lines} lines now; remove it from the list`);
    } else if (allowed !== undefined && lines < allowed) {
      aboutList(`${file.path} shrank to ${lines} lines; lower its number from ${allowed}`);
    }
  }
  for (const path of Object.keys(ratchet)) {
    if (project.get(path) === undefined) aboutList(`${path} is gone; remove it from the list`);
  }
  return findings;
}

function linesOf(file) {
  return file.text.split("\n").length - (file.text.endsWith("\n") ? 1 : 0);
}
