import type { SessionKey } from "@sojourn/core";
import type { DrawOptions } from "./draw-options.js";
import { drawPlan } from "./draw-plan.js";
import { Observers } from "./observers.js";
import { perform } from "./perform.js";
import type { Fault, SeedPlan, Workload } from "./plan.js";
import type { SwarmClient } from "./swarm-client.js";
import { type Reading, TIMERS } from "./swarm-session.js";
import type { TimelineEntry } from "./trace.js";
import { type RunOptions, World } from "./world.js";

/** What came of one seed. `problems` is empty when every promise held. */
export interface SeedReport {
  readonly seed: number;
  readonly problems: readonly string[];
  /** The same for every run of the same plan by the same code. */
  readonly traceHash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly nodes: number;
  readonly handovers: number;
  readonly failovers: number;
  readonly messages: number;
  readonly faults: readonly Fault[];
  readonly workloads: readonly Workload[];
  /** How often each fault, and each case of the list of interleavings, was reached. */
  readonly reached: ReadonlyMap<string, number>;
  /** The end of what happened; empty unless asked for. */
  readonly timeline: readonly TimelineEntry[];
}

/** How a seed is run. */
export interface SeedOptions extends DrawOptions, RunOptions {}

/** Everything must have settled this long after the last fault, in virtual time. */
const SETTLE_MS = 120_000;

/** Draws a seed's plan and runs it, in virtual time only. */
export function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedReport> {
  return runPlan(drawPlan(seed, options), options);
}

/** Runs a plan: work and faults, then calm in which everything must settle, then the end in which nothing may be left. */
export async function runPlan(plan: SeedPlan, options: RunOptions = {}): Promise<SeedReport> {
  const world = new World(plan, options, (made) => new Observers(made));
  const { cluster } = world;
  try {
    await world.start();
    await disturb(world);
    if (!world.over) {
      world.calm();
      await settle(world);
      if (!world.over) await finish(world);
    }
  } catch (error) {
    world.problem(`the run ended with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  cluster.clock.afterTask = null;
  const { trace, problems, handovers, failovers } = world;
  return {
    seed: plan.seed,
    problems,
    traceHash: trace.hash,
    events: trace.events,
    virtualMs: world.nowMs,
    nodes: plan.nodes,
    handovers,
    failovers,
    messages: world.clients.reduce((sum, client) => sum + client.sent + client.former.reduce((all, { sent }) => all + sent, 0), 0),
    faults: plan.faults,
    workloads: plan.workloads,
    reached: world.reached.counts,
    timeline: trace.timeline,
  };
}

/** Work and faults, as planned. */
async function disturb(world: World): Promise<void> {
  const { plan, cluster } = world;
  for (const event of plan.events) {
    cluster.clock.schedule(event.atMs, () => {
      if (world.active) perform(world, event);
    });
  }
  plan.sessions.forEach(({ talkMs }, i) => {
    for (const client of world.clients.filter(({ model }) => model.key === `swarm/s${i}`)) talk(world, client, talkMs);
  });
  const stepMs = 1_000;
  for (let passed = 0; passed < plan.activeMs && !world.over; passed += stepMs) await cluster.clock.run(stepMs);
}

function talk(world: World, client: SwarmClient, meanMs: number): void {
  world.cluster.clock.schedule(meanMs * (0.2 + 1.6 * world.dice.next()), () => {
    if (!world.active) return;
    client.say();
    talk(world, client, meanMs);
  });
}

/** Runs until a condition holds, or says what was waited for. */
async function until(world: World, what: string, holds: () => boolean, maxMs: number, describe?: () => string): Promise<boolean> {
  const deadline = world.nowMs + maxMs;
  let stepMs = 20;
  while (!holds()) {
    if (world.over) return false;
    if (world.nowMs >= deadline) {
      world.problem(`liveness: not within ${Math.round(maxMs / 1_000)} s: ${what}${describe === undefined ? "" : `; ${describe()}`}`);
      return false;
    }
    await world.cluster.clock.run(stepMs);
    stepMs = Math.min(500, stepMs * 1.5);
  }
  return true;
}

async function settle(world: World): Promise<void> {
  const { cluster, clients, models, ids } = world;
  await until(
    world,
    "every node is part of the cluster",
    () => ids.every((id) => cluster.node(id).runtime?.host != null),
    SETTLE_MS,
    () => ids.filter((id) => cluster.node(id).runtime?.host == null).join(),
  );
  await until(
    world,
    "every client is connected",
    () => clients.every(({ client }) => client !== null && client.status === "live"),
    SETTLE_MS,
    () =>
      clients
        .filter(({ client }) => client?.status !== "live")
        .map(({ name }) => name)
        .join(),
  );
  for (const client of clients) client.say();
  await until(
    world,
    "every message is answered",
    () => clients.every((client) => client.open === 0 && client.answered === client.sent && client.client !== null),
    SETTLE_MS,
    () =>
      clients
        .filter(({ open }) => open > 0)
        .map(({ name, answered, sent, model }) => `${name} ${answered} of ${sent}, ${place(world, model.key)}`)
        .join(),
  );
  await until(
    world,
    "every hand-over has ended",
    () => world.moves.size === 0,
    SETTLE_MS,
    () => [...world.moves].map(({ session, from, to }) => `${session} from ${from} to ${to}, ${place(world, session)}`).join(),
  );
  await until(
    world,
    "every change of strategy has ended",
    () => world.changes.size === 0,
    SETTLE_MS,
    () => [...world.changes].map(({ session, to }) => `${session} to ${to}, ${place(world, session)}`).join(),
  );
  await until(
    world,
    "every session has one owner, its copies and no hand-over",
    () => [...models.keys()].every((key) => isSettled(world, key)),
    SETTLE_MS,
    () =>
      [...models.keys()]
        .filter((key) => !isSettled(world, key))
        .map((key) => place(world, key))
        .join("; "),
  );
  if (!world.over) compareCopies(world);
}

/** Two copies at the same position are equal: what a later owner needs of each link is the same in both [I2]. */
function compareCopies(world: World): void {
  const { cluster, ids, models } = world;
  for (const key of models.keys()) {
    const roles = ids.map((id) => cluster.slot(id, key)?.role);
    const owned = roles.find((role) => role?.kind === "owner")?.cell;
    for (const [i, role] of roles.entries()) {
      const copy = role?.kind === "standby" ? role.cell : null;
      if (copy == null || owned == null || copy.version !== owned.version) continue;
      // One that the record does not name may be of a former life that got as far.
      if (cluster.directory.records.get(key)?.inSync.includes(world.refOf(ids[i] ?? "")) !== true) continue;
      for (const link of owned.links.values()) {
        const there = copy.links.get(link.id);
        const differs = LINK_FIELDS.filter((field) => there?.[field] !== link[field]);
        if (differs.length > 0) world.problem(`I2: the copy of ${key} at ${ids[i]} differs from its owner's in ${differs} of a link`);
      }
    }
  }
}

/** What every turn replicates. What clients confirm between turns reaches a copy with the next one. */
const LINK_FIELDS = ["generation", "ingress", "lastIn", "lastInVersion", "nextOut"] as const;

/** One recorded owner, as many copies as are wished for, no role left over from a hand-over [I5]. */
function isSettled(world: World, key: SessionKey): boolean {
  const { cluster, ids } = world;
  const record = cluster.directory.records.get(key);
  if (record === undefined) return !world.clients.some(({ model }) => model.key === key);
  if (record.ended || record.heir !== null) return false;
  let owners = 0;
  for (const id of ids) {
    const host = cluster.node(id).runtime?.host;
    const slot = host?.slots.get(key);
    if (host === undefined || host === null || slot === undefined) continue;
    if (slot.role.kind === "granted") return false;
    if (slot.role.kind !== "owner") continue;
    owners++;
    if (record.owner !== host.self || (slot.owner?.movingTo ?? null) !== null) return false;
  }
  if (record.strategy !== "replica") return owners === 1 && record.stored && record.inSync.length === 0;
  const live = record.inSync.filter((ref) => !world.observers.isEnded(ref)).length;
  return owners === 1 && live >= Math.min(cluster.limits.standbys, world.possibleStandbys(record.owner));
}

/** Where a session is, for people. */
function place(world: World, key: SessionKey): string {
  const { cluster, ids } = world;
  const record = cluster.directory.records.get(key);
  const roles = ids.map((id) => {
    const slot = cluster.slot(id, key);
    return slot === undefined
      ? `${id} -`
      : `${id} ${slot.role.kind} ${slot.fence}/${slot.role.cell?.version ?? "-"}${(slot.owner?.movingTo ?? null) !== null ? " moving" : ""}`;
  });
  const known =
    record === undefined ? "no record" : `epoch ${record.epoch} owner ${record.owner} in-sync [${record.inSync}] heir ${record.heir}`;
  return `${key}: ${known}; ${roles.join(", ")}`;
}

/** The final look at everything: what sessions contain, then that their end leaves nothing behind. */
async function finish(world: World): Promise<void> {
  // Longer than any timer is armed for.
  if (world.plan.workloads.includes("timers")) await world.cluster.clock.run(6_000);
  await read(world);
  // Copies must be as good as what they are copies of: each session goes on from one.
  for (const key of world.models.keys()) {
    const record = world.cluster.directory.records.get(key);
    const standby = record?.inSync.find((ref) => !world.observers.isEnded(ref));
    const node = standby === undefined ? undefined : world.nodeOf(standby);
    if (node !== undefined && !world.plan.newer.length) void world.move(key, node.id);
  }
  await until(world, "every last hand-over has ended", () => world.moves.size === 0, SETTLE_MS);
  if (world.plan.workloads.includes("strategies")) await keepAllInStore(world);
  if (world.plan.store !== undefined && !world.over) for (const id of world.ids) world.crash(id, 100);
  await read(world);
  if (world.over) return;
  await leaveNothing(world);
}

/** So that all of it is there when everybody dies. */
async function keepAllInStore(world: World): Promise<void> {
  const records = world.cluster.directory.records;
  const keys = [...world.models.keys()].filter((key) => records.get(key)?.ended === false);
  const left = () => keys.filter((key) => records.get(key)?.stored !== true);
  await until(
    world,
    "every session is kept in the store",
    () => {
      if (world.changes.size === 0) for (const key of left()) world.changeStrategy(key, "hybrid");
      return left().length === 0 && world.changes.size === 0;
    },
    SETTLE_MS,
    () =>
      left()
        .map((key) => place(world, key))
        .join("; "),
  );
}

async function read(world: World): Promise<void> {
  for (const model of world.models.values()) {
    const clients = world.clients.filter((client) => client.model === model);
    const reader = clients[0];
    if (reader?.calls == null || world.over) continue;
    let reading: Awaited<ReturnType<NonNullable<SwarmClient["calls"]>["read"]>> | null = null;
    const ask = () => {
      const { resets } = reader;
      reader.calls?.read().then(
        (answer) => {
          reading = answer;
        },
        (error: unknown) => {
          // Its link was started anew, which has been judged: it asks over the new one.
          if (reader.resets > resets) ask();
          else world.problem(`liveness: ${reader.name} cannot read ${model.key}: ${String(error)}`);
        },
      );
    };
    ask();
    await until(
      world,
      `${model.key} is read`,
      () => reading !== null || world.over,
      SETTLE_MS,
      () => place(world, model.key),
    );
    if (reading === null) return;
    const { life, at, sum, seen, armed, fired } = reading as Reading;
    model.finally({ life, at, sum });
    for (let i = 0; i < TIMERS; i++) {
      if (armed[i] !== fired[i])
        world.problem(`I7: timer ${i} of ${model.key} has fired ${fired[i]} of ${armed[i]} times, long after it was due`);
    }
    for (const client of clients) {
      const there = seen[client.who] ?? 0;
      if (there !== client.sent) world.problem(`I2: ${model.key} has ${there} messages of ${client.who}, which sent ${client.sent}`);
      if (model.lost > 0 || model.ended > 0) continue;
      for (const { who, sent, answered } of client.former) {
        const former = seen[who] ?? 0;
        if (former < answered || former > sent)
          world.problem(`I2: ${model.key} has ${former} messages of ${who}, which sent ${sent} and got ${answered} answers`);
      }
    }
  }
}

/** Sessions end, clients leave: every node must be as empty as it was before them [I6]. */
async function leaveNothing(world: World): Promise<void> {
  const { cluster, clients, models, ids } = world;
  // Whose hello waits when a session ends has begun its next life, and nobody of us would end that.
  await until(world, "every thief has gone", () => cluster.sockets.openOfNobody === 0, SETTLE_MS);
  for (const model of models.values()) {
    model.ended++;
    clients.find((client) => client.model === model)?.do((calls) => calls.end());
  }
  for (const client of clients) client.wanted = false;
  await until(
    world,
    "every session has ended",
    () => [...models.keys()].every((key) => cluster.directory.records.get(key)?.ended !== false),
    SETTLE_MS,
  );
  for (const client of clients) client.leave();
  // Longer than anything is kept on purpose.
  await cluster.clock.run(cluster.limits.replicaRetentionMs + 35_000);
  for (const id of ids) {
    const { runtime, clock } = cluster.node(id);
    const host = runtime?.host;
    if (host === undefined || host === null) continue;
    if (host.slots.size > 0)
      world.problem(`I6: ${id} still holds ${[...host.slots.values()].map((slot) => `${slot.key} as ${slot.role.kind}`).join()}`);
    if (host.reservedRooms > 0) world.problem(`I6: room is still reserved at ${id}`);
    if (host.copyBytes > 0) world.problem(`I6: ${id} still counts ${host.copyBytes} bytes of copies`);
    if (host.promotionsInFlight > 0) world.problem(`I6: ${host.promotionsInFlight} take-overs have not ended at ${id}`);
    if (host.ingress.sockets.count > 0) world.problem(`I6: ${id} still knows ${host.ingress.sockets.count} client sockets`);
    // A renewal may be under way, which takes a moment.
    for (let i = 0; i < 20 && clock.tasks > IDLE_TASKS; i++) await cluster.clock.run(10);
    if (clock.tasks > IDLE_TASKS)
      world.problem(`I6: ${clock.tasks} tasks are still scheduled at ${id}, ${IDLE_TASKS} are there when it is idle`);
  }
  if (cluster.sockets.open > 0) world.problem(`I6: ${cluster.sockets.open} client sockets are still open`);
}

/** A node without sessions renews its lease, watches its end, and sweeps its store now and then. */
const IDLE_TASKS = 4;
