import { cpus } from "node:os";
import type { Failover } from "@sojourn/core";
import { percentile, round } from "../common/percentiles.js";
import { type Going, LEASE_MS, measureOutages, type Outages } from "./outage.js";

const ROUNDS = 4;

const KEYS =
  "Keys of --json: suspicion, lease, leaving: { clients, p50Ms, p99Ms, maxMs: from the owner's end to the first answer to what was said after it;\n" +
  "overLeaseP99: p99Ms / leaseMs; messages, lost, doubled, reordered: by the sessions' own books; failed: calls that were rejected }; leaseMs.\n" +
  "Not measured: distance, networks that swallow frames (a killed process says so by its host), TLS, more than three nodes. Absolute figures\n" +
  "follow the machine's load; what is lost or doubled does not.";

interface Figures {
  readonly clients: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly overLeaseP99: number;
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly failed: number;
}

function figuresOf({ servedAgainMs, messages, lost, doubled, reordered, failed }: Outages): Figures {
  const p99 = percentile(servedAgainMs, 99);
  return {
    clients: servedAgainMs.length,
    p50Ms: round(percentile(servedAgainMs, 50)),
    p99Ms: round(p99),
    maxMs: round(percentile(servedAgainMs, 100)),
    overLeaseP99: round(p99 / LEASE_MS),
    messages,
    lost,
    doubled,
    reordered,
    failed,
  };
}

/** The bench `failover`: owners killed under load by suspicion and by lease, and owners that leave on purpose. */
export async function runFailoverBench(json: boolean): Promise<void> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  say(
    `failover: durability strong, one standby, lease ${LEASE_MS} ms, 1,000 messages/s over 5 sessions, Node ${process.version}, ${cpus().length} cores`,
  );
  const measure = async (name: string, failover: Failover, going: Going): Promise<Figures> => {
    const figures = figuresOf(await measureOutages(failover, going, ROUNDS));
    const { clients, p50Ms, p99Ms, maxMs, overLeaseP99, messages, lost, doubled, reordered, failed } = figures;
    say(
      `${name.padEnd(30)} served again p50 ${p50Ms} ms   p99 ${p99Ms} ms (${overLeaseP99} × lease)   max ${maxMs} ms   (${clients} clients)   ` +
        `${messages} messages: lost ${lost} doubled ${doubled} reordered ${reordered} failed ${failed}`,
    );
    return figures;
  };
  const measured = {
    suspicion: await measure("kill -9, on suspicion", "suspicion", "killed"),
    lease: await measure("kill -9, when the lease ends", "lease", "killed"),
    leaving: await measure("leaves on purpose", "lease", "leaves"),
  };
  say(KEYS);
  if (json) say(JSON.stringify({ bench: "failover", leaseMs: LEASE_MS, ...measured }));
}
