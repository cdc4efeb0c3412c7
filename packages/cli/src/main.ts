import { readFileSync } from "node:fs";
import { runCommandLine } from "./command-line/run.js";
import { accuse } from "./commands/accuse.js";
import { advise } from "./commands/advise.js";
import { cordon, uncordon } from "./commands/cordon.js";
import { dev } from "./commands/dev.js";
import { drain } from "./commands/drain.js";
import { move } from "./commands/move.js";
import { profile } from "./commands/profile.js";
import { sessions } from "./commands/sessions.js";
import { status } from "./commands/status.js";
import { strategy } from "./commands/strategy.js";
import { where } from "./commands/where.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };

process.exitCode = await runCommandLine(
  [dev, status, sessions, where, move, strategy, drain, cordon, uncordon, accuse, profile, advise],
  version,
  process.argv.slice(2),
  {
    out: (line) => process.stdout.write(`${line}\n`),
    err: (line) => process.stderr.write(`${line}\n`),
    env: process.env,
    // `npm run sojourn` changes to the package's folder and says where the user stands.
    cwd: (process.env.npm_lifecycle_event === "sojourn" && process.env.INIT_CWD) || process.cwd(),
  },
);
