import { describe, expect, it } from "vitest";
import { commandsOf } from "./readme-commands.mjs";

const page = (...lines) => ["# Title", "```sh", ...lines, "```", "", "npm run prose-is-not-a-command"].join("\n");
const npm = (script, argument = null) => ({ kind: "npm", script, argument });

describe("commandsOf", () => {
  it.each([
    ["npm start", [npm("start")]],
    ["npm test", [npm("test")]],
    ["npm run-script lint", [npm("lint")]],
    ["npm ci && npm test", [npm("test")]],
    ["npm run bench -- handover --json", [npm("bench", "handover")]],
    ["npm start -- --for 30s  # half a minute", [npm("start")]],
    ["$ CI=1 npm run tidy", [npm("tidy")]],
    ["npx sojourn dev game.mjs", [{ kind: "cli", command: "dev" }]],
    ["sojourn move \\\n  room/lobby-7 fra-1", [{ kind: "cli", command: "move" }]],
    ["sojourn --help", [{ kind: "cli", command: null }]],
    ["node examples/roaming/dist/main.js --json", [{ kind: "node", file: "examples/roaming/dist/main.js" }]],
    ["cd sojourn; git clone x; npm install; curl y | sh", []],
    ["# npm run commented-out", []],
  ])("reads %j", (text, commands) => {
    expect(commandsOf(page(text))).toEqual(commands);
  });

  it("names each command once, over several blocks, and skips other languages", () => {
    expect(commandsOf(`${page("npm start", "npm start")}\n${page("npm start")}`)).toEqual([npm("start")]);
    expect(commandsOf("```ts\nnpm start\n```\n")).toEqual([]);
  });
});
