// Writes docs/errors.md, docs/limits.md and docs/wire.md from the catalogues and layouts of the built core. Usage: npm run docs
import { writeFileSync } from "node:fs";
import { clientGrammar, directoryGrammar, ERRORS, LIMITS, peerGrammar } from "@sojourn/core";
import { renderErrors, renderLimits, renderWire } from "./docs/render.mjs";

const write = (name, text) => writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);

write("errors.md", renderErrors(ERRORS));
write("limits.md", renderLimits(LIMITS));
write("wire.md", renderWire(clientGrammar(), peerGrammar(), directoryGrammar()));
