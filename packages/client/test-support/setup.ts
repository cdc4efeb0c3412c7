import { VirtualClock } from "@sojourn/testkit";
import { type ClientLimits, resolveClientLimits } from "../src/client-limits.js";
import type { AuthSource } from "../src/link.js";
import { SessionClient } from "../src/session-client.js";
import { FakeCluster } from "./fake-cluster.js";
import { seededRandom } from "./seeded-random.js";

/** A client, not yet connected, and the cluster it talks to, on one virtual clock. */
export function setup(options: { seed?: number; endpoints?: string[]; limits?: Partial<ClientLimits>; auth?: AuthSource } = {}) {
  const { seed = 1, endpoints = ["ws://a", "ws://b", "ws://c"], limits, auth = "secret" } = options;
  const clock = new VirtualClock();
  const random = seededRandom(seed);
  const cluster = new FakeCluster(clock, random, endpoints[0] as string);
  const env = { clock, random, openSocket: cluster.openSocket, limits: resolveClientLimits({ clientHeartbeatMs: 20_000, ...limits }) };
  const client = new SessionClient(env, { session: "room/1", endpoints, auth });
  const log: string[] = [];
  client.on("status", (status) => log.push(status));
  client.on("reset", ({ reason }) => log.push(`reset ${reason}`));
  client.on("handover", ({ from, to }) => log.push(`handover ${from}-${to}`));
  client.on("problem", ({ code }) => log.push(`problem ${code}`));
  client.on("close", (error) => log.push(`close ${error?.code ?? "null"}`));
  return { clock, random, cluster, client, env, log };
}
