// Writes docs/errors.md and docs/limits.md from the catalogues of the built core. Usage: npm run docs
import { writeFileSync } from "node:fs";
import { ERRORS, LIMITS } from "@sojourn/core";
import { renderErrors, renderLimits } from "./docs/render.mjs";

const write = (name, text) => writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);

write("errors.md", renderErrors(ERRORS));
write("limits.md", renderLimits(LIMITS));
