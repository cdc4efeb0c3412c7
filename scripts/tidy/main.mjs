// The house rules that neither the compiler nor Biome knows. Usage: npm run tidy [-- path-prefix …]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, RATCHET_PATH } from "./check.mjs";
import { readProject } from "./files.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const prefixes = process.argv.slice(2);
const project = readProject(root);
const ratchet = JSON.parse(readFileSync(join(root, RATCHET_PATH), "utf8"));
const findings = check(project, { ratchet, hosts: configuredHosts() }).filter(
  (finding) => prefixes.length === 0 || prefixes.some((prefix) => finding.path.startsWith(prefix)),
);

for (const { path, line, rule, message } of findings) console.log(`${path}:${line} ${rule}: ${message}`);
console.log(findings.length === 0 ? `tidy: ${project.files.length} files, nothing to mend` : `tidy: ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;

/** The registry npm is set up with here, so that its name is refused without standing in this repository. */
function configuredHosts() {
  const address = process.env.npm_config_registry;
  if (address === undefined || !URL.canParse(address)) return [];
  const { host, hostname } = new URL(address);
  return hostname === "" || /^(localhost|127\.|\[::1\])/.test(hostname) ? [] : [host];
}
