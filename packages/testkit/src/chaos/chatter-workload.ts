import { fileURLToPath } from "node:url";
import { connect } from "@sojourn/client/node";
import { errorCodeOf, type Failover } from "@sojourn/core";
import { Companion } from "../books/companion.js";
import { type ChatterReport, type chatter, mixReport } from "./chatter.js";
import type { JoinOptions, Participant, Workload } from "./participant.js";

/** The kit's own workload: each client has a session of its own, and both number everything that they say. */
export function chatterWorkload(failover: Failover): Workload {
  const module = failover === "suspicion" ? "./swift-chatter.js" : "./chatter.js";
  return { module: fileURLToPath(new URL(module, import.meta.url)), join };
}

async function join({ number, endpoints, limits, answered, trouble }: JoinOptions): Promise<Participant> {
  const session = `chatter/${number}`;
  const client = await connect<typeof chatter>({ session, endpoints, limits });
  const companion = new Companion<Omit<ChatterReport, "n">>({
    calls: { report: (report) => client.call.report(report), audit: () => client.call.audit() },
    mix: mixReport,
    now: () => performance.now(),
    onReply: answered,
    onFailure: (code) => trouble(`a call failed with ${code}`),
  });
  client.on("news", ({ k }) => companion.news(k));
  client.on("reset", ({ reason }) => trouble(`the link was started anew: ${reason}`));
  client.on("close", (error) => error !== null && trouble(`the client ended: ${errorCodeOf(error)}`));
  let said = 0;
  return {
    session,
    get open() {
      return companion.open;
    },
    say: () => companion.report({ text: `what client ${number} says as number ${++said}` }),
    counts: () => companion.counts(),
    audit: () => companion.audit(),
    unaudited: () => companion.unaudited(),
    close: () => client.close(),
  };
}
