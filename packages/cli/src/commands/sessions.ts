import type { SessionEntry } from "@sojourn/node";
import type { Command } from "../command-line/command.js";
import { wholeOption } from "../command-line/parse.js";
import { table } from "../command-line/table.js";
import { ask, TARGET_OPTIONS } from "../target.js";

/** `sojourn sessions` */
export const sessions: Command = {
  name: "sessions",
  summary: "List sessions and their owners",
  positionals: [],
  options: {
    reasons: { summary: "say why each has its strategy, where nodes choose it" },
    node: { value: "<node>", summary: "only those that this node owns" },
    limit: { value: "<count>", summary: "list at most so many (default 1000, up to 5000)" },
    ...TARGET_OPTIONS,
  },
  async run(input, io) {
    const node = input.values.get("node");
    const limit = wholeOption(input, "limit", 1_000, 1, 5_000);
    const answer = await ask(input, io, { command: "sessions", limit, ...(node !== undefined && { node }) });
    if (input.switches.has("json")) {
      io.out(JSON.stringify(answer));
      return 0;
    }
    const rows = answer.sessions.map((entry) => {
      const { session, owner, epoch, version, links, connected, moving, copies } = entry;
      return [session, owner, epoch, version, links, connected, strategyOf(entry), copies, storeOf(entry), moving ? "yes" : ""];
    });
    io.out(table(["SESSION", "OWNER", "EPOCH", "TURNS", "LINKS", "CONNECTED", "STRATEGY", "COPIES", "STORE", "MOVING"], rows));
    if (input.switches.has("reasons")) {
      for (const { session, strategy, reason } of answer.sessions) if (reason !== null) io.out(`\n${session} is ${strategy}: ${reason}`);
    }
    if (answer.total > rows.length) io.out(`\n${rows.length} of ${answer.total} sessions; --limit shows more`);
    for (const { node: silent, error } of answer.silent) io.out(`\n${silent} is missing: ${error.code}: ${error.message}`);
    return 0;
  },
};

function storeOf({ store, behindMs }: SessionEntry): string {
  if (store === "none") return "";
  return behindMs > 0 ? `${store} ${Math.ceil(behindMs)} ms` : store;
}

function strategyOf({ strategy, changingTo }: SessionEntry): string {
  return changingTo === null ? strategy : `${strategy} → ${changingTo}`;
}
