// Bundles the client for browsers into packages/client/dist/browser.js and holds it to its size budget.
// Usage: npx tsc -b packages/client && node scripts/build-client.mjs [--explain]
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const BUDGET_BYTES = 12 * 1024;
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

// From what is published, as anybody's bundler does it. The platform "browser" refuses Node's built-ins.
const { outputFiles, metafile } = await build({
  entryPoints: [path("packages/client/dist/index.js")],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  legalComments: "none",
  metafile: true,
  write: false,
});
const [bundle] = outputFiles;
const gzipped = gzipSync(bundle.contents, { level: 9 }).length;
writeFileSync(path("packages/client/dist/browser.js"), bundle.contents);
console.log(`packages/client/dist/browser.js: ${bundle.contents.length} bytes, ${gzipped} gzipped (budget ${BUDGET_BYTES})`);
if (gzipped > BUDGET_BYTES || process.argv.includes("--explain")) {
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output.inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput);
  for (const [name, { bytesInOutput }] of inputs.slice(0, 25)) console.log(`${String(bytesInOutput).padStart(8)}  ${name}`);
}
if (gzipped > BUDGET_BYTES) {
  console.error("the client is larger than its budget");
  process.exitCode = 1;
}
