import { SessionClient } from "@sojourn/client";
import { type Failover, type Limits, nodeIdOf, type SessionDefinition } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { counter } from "./counter-session.js";
import { SimCluster } from "./sim-cluster.js";

const OWNER = "a";
const NODES = [OWNER, "b", "c"];
const SESSIONS = 150;
/** What follows the end of a lease: a take-over, a fence, a hello. */
const AFTER_LEASE_MS = 300;
const SAY_EVERY_MS = 97;
const LIMITS: Partial<Limits> = { standbys: 1 };

/** Where a client's socket is: at the owner, or at another node that relays for it and does or does not hold the copy. */
type Place = "at the owner" | "relayed by the standby" | "relayed by another node";
const PLACES: readonly Place[] = ["at the owner", "relayed by the standby", "relayed by another node"];

interface Subject {
  readonly session: string;
  readonly place: Place;
  readonly client: SessionClient<typeof counter>;
  said: number;
  /** From the kill to the first answer to what was said after it. */
  servedAgainMs: number | null;
}

/** A client with default options that lands on one node; `stays`: no socket of it reaches the owner, so that it is relayed. */
function join(cluster: SimCluster, session: string, through: string, stays: boolean): Promise<SessionClient<typeof counter>> {
  const env = cluster.clientEnv(session);
  const endpointOf = (id: string) => cluster.node(id).endpoint;
  const openSocket: typeof env.openSocket = (endpoint, events) =>
    env.openSocket(stays && endpoint === endpointOf(OWNER) ? "sim://nowhere" : endpoint, events);
  const endpoints = [through, ...NODES.filter((id) => id !== through)].map(endpointOf);
  return cluster.until(SessionClient.open<typeof counter>({ ...env, openSocket }, { session, endpoints, auth: null }));
}

/** All sessions are owned by one node, which is killed just after a renewal: no lease of it ends later. */
async function killOwner(seed: number, failover: Failover, leaseTtlMs: number, watchMs: number): Promise<readonly Subject[]> {
  const definition: SessionDefinition = { ...counter, failover };
  const cluster = new SimCluster({ seed, nodes: NODES, definitions: [definition], limits: { ...LIMITS, leaseTtlMs } });
  await cluster.start();
  const { clock, directory, random } = cluster;
  const subjects: Subject[] = [];
  const standbyOf = (session: string) => nodeIdOf(directory.records.get(session)?.inSync[0] ?? "");
  for (let i = 0; i < SESSIONS; i++) {
    const session = `counter/s${i}`;
    // It begins where its first client lands.
    const first = await join(cluster, session, OWNER, false);
    await cluster.untilTrue("it has a copy", () => standbyOf(session) !== "");
    const place = PLACES[i % PLACES.length] as Place;
    const relay = NODES.find((id) => id !== OWNER && (id === standbyOf(session)) === (place === "relayed by the standby")) as string;
    if (place !== "at the owner") first.close();
    const client = place === "at the owner" ? first : await join(cluster, session, relay, true);
    subjects.push({ session, place, client, said: 0, servedAgainMs: null });
  }
  let killedAtMs: number | null = null;
  const say = (subject: Subject): void => {
    subject.said++;
    const afterMs = killedAtMs;
    subject.client.call.add({ who: subject.session, n: subject.said }).then(
      () => {
        if (afterMs !== null) subject.servedAgainMs ??= clock.now() - afterMs;
      },
      () => undefined, // not answered when the test ends
    );
    clock.schedule(SAY_EVERY_MS, () => say(subject));
  };
  for (const subject of subjects) clock.schedule(random.next() * SAY_EVERY_MS, () => say(subject));
  await clock.run(1_000);
  const renewed = new Promise<void>((resolve) => {
    cluster.node(OWNER).directory.observer = { fault: () => undefined, answered: (kind) => kind === "renew" && resolve() };
  });
  await cluster.until(renewed);
  killedAtMs = clock.now();
  cluster.crash(OWNER);
  await clock.run(watchMs);
  for (const { client } of subjects) client.detach();
  return subjects;
}

/** The longest outage by where clients were. */
function worstMs(subjects: readonly Subject[]): Record<Place, number> {
  const worst = { "at the owner": 0, "relayed by the standby": 0, "relayed by another node": 0 };
  for (const { place, servedAgainMs } of subjects) worst[place] = Math.max(worst[place], servedAgainMs ?? Number.POSITIVE_INFINITY);
  return worst;
}

describe("how soon clients of a killed node are served again", () => {
  it.each([2_000, 10_000])(
    "when its lease of %d ms ends: within 300 ms from then, wherever they are",
    async (leaseTtlMs) => {
      const worst = worstMs(await killOwner(11, "lease", leaseTtlMs, leaseTtlMs + AFTER_LEASE_MS + 200));
      for (const place of PLACES) expect(worst[place], place).toBeLessThanOrEqual(leaseTtlMs + AFTER_LEASE_MS);
    },
    60_000,
  );

  it("on suspicion: within half a second, however long the lease", async () => {
    const worst = worstMs(await killOwner(12, "suspicion", 30_000, 700));
    for (const place of PLACES) expect(worst[place], place).toBeLessThanOrEqual(500);
  }, 60_000);
});
