import { nodeIdOf } from "@sojourn/core";
import { asDefinition, type Journal, journalSession, Witness } from "./journal-session.js";
import { SeededRandom } from "./seeded-random.js";
import { SimCluster } from "./sim-cluster.js";

const KEY = "journal/one";
const IDS = ["a", "b", "c", "d"];

/** An `eventual` journal at node `a` with a copy and three clients at the other nodes. */
export async function openEventual(seed: number, spreadMs = 60_000) {
  const cluster = new SimCluster({
    seed,
    nodes: IDS,
    definitions: [asDefinition(journalSession("eventual"))],
    limits: { leaseTtlMs: 2_000, heirDeadlineMs: 800, directoryTimeoutMs: 400, peerTimeoutMs: 1_000, deltaGatherMs: 20 },
    clientLimits: { reconnectMaxMs: 300, switchSpreadMs: spreadMs },
  });
  await cluster.start();
  const join = async (name: string, first: string) => {
    const client = await cluster.until(cluster.connect<Journal>(KEY, [first, ...IDS.filter((id) => id !== first)]));
    return new Witness(name, client);
  };
  const ann = await join("ann", "a");
  await cluster.untilTrue("a copy is recorded", () => (cluster.slot("a", KEY)?.cas.record?.inSync.length ?? 0) > 0);
  const standby = nodeIdOf(cluster.slot("a", KEY)?.cas.record?.inSync[0] ?? "");
  const [other = "a", third = "a"] = IDS.filter((id) => id !== "a" && id !== standby);
  const witnesses = [ann, await join("bob", other), await join("cid", third)];
  return { cluster, witnesses, standby, key: KEY };
}

/** What one seeded scenario came to. */
export interface EventualReport {
  readonly problems: readonly string[];
  readonly resets: number;
  /** Nobody was left who held the session. */
  readonly sessionLost: boolean;
}

/**
 * Nodes die, links and sockets break and the session moves while its clients talk; in the end what each client was told since it was last
 * reset must stand in the history, at its place.
 */
export async function runEventual(seed: number): Promise<EventualReport> {
  const { cluster, witnesses } = await openEventual(seed, 500);
  const random = new SeededRandom(seed ^ 0xe7e7);
  cluster.network.plan = { ...cluster.network.plan, jitterMs: 3, loss: random.next() * 0.1, duplication: 0.05, reordering: 0.1 };
  const saying: Promise<void>[] = [];
  let down: string | null = null;
  for (let step = 0; step < 250; step++) {
    for (const witness of witnesses) if (random.chance(0.5) && witness.open < 20) saying.push(witness.say());
    const owner = cluster.ownerOf(KEY);
    if (random.chance(0.04)) {
      const [one, other] = [random.pick(IDS), random.pick(IDS)];
      cluster.network.cut(cluster.node(one).address, cluster.node(other).address);
      cluster.clock.schedule(random.next() * 4_000, () => cluster.network.heal());
    }
    if (random.chance(0.05)) cluster.sockets.cutOne();
    if (random.chance(0.05) && owner !== null) {
      const to = random.pick(IDS.filter((id) => id !== owner && id !== down));
      cluster
        .node(owner)
        .runtime?.move(KEY, to)
        .catch(() => undefined);
    }
    if (random.chance(0.02) && down === null) {
      const id = random.chance(0.7) && owner !== null ? owner : random.pick(IDS);
      down = id;
      cluster.crash(id);
      cluster.clock.schedule(3_000 + random.next() * 3_000, () => {
        void cluster.startNode(id).then(() => {
          down = null;
        });
      });
    }
    await cluster.clock.run(5 + random.next() * 30);
  }
  cluster.network.heal();
  cluster.network.plan = { latencyMs: 1, jitterMs: 0, loss: 0, duplication: 0, reordering: 0, corruption: 0 };
  await cluster.until(Promise.all(saying), 120_000);
  await cluster.clock.run(10_000);
  const read = await cluster.until((witnesses[0] as Witness).client.call.read(), 20_000);
  const sessionLost = cluster.incidents.some(({ code }) => code === "E_SESSION_LOST");
  const resets = witnesses.reduce((sum, witness) => sum + witness.resets.length, 0);
  return { problems: witnesses.flatMap((witness) => witness.check(read.lines)), resets, sessionLost };
}
