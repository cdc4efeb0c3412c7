import { ByteWriter, encodeClientFrame } from "@sojourn/core";
import type { PlannedEvent } from "./plan.js";
import type { SwarmClient } from "./swarm-client.js";
import type { World } from "./world.js";

/** Makes a planned event happen. What it needs and is not there (a node that is down, a session that nobody owns) leaves it out. */
export function perform(world: World, event: PlannedEvent): void {
  const { node = 0, other = 0, session = 0, forMs = 0, amount = 0 } = event;
  const { cluster, ids } = world;
  const count = ids.length;
  const id = ids[node % count] as string;
  const otherId = ids[other % count] as string;
  const later = (ms: number, task: () => void) => cluster.clock.schedule(ms, task);
  const done = (...detail: unknown[]) => {
    world.observers.happened(event.do, cluster.node(id));
    world.trace.add(13, event.do, id, forMs, amount);
    world.trace.say(() => `fault ${event.do} ${detail.join(" ")}`);
  };
  switch (event.do) {
    case "connectionReset":
      if (id === otherId) return;
      cluster.network.reset(cluster.node(id).address, cluster.node(otherId).address);
      done(id, otherId);
      return;
    case "cutOne":
      split(world, [id], forMs, amount < 0.3);
      done(id, forMs);
      return;
    case "cutMinority":
    case "cutMajority": {
      const size = event.do === "cutMinority" ? Math.floor((count - 1) / 2) : Math.floor(count / 2) + 1;
      const part = Array.from({ length: Math.max(1, size) }, (_, i) => ids[(node + i) % count] as string);
      split(world, part, forMs, amount < 0.3);
      done(part.join(), forMs);
      return;
    }
    case "cutRing":
      // Each reaches its neighbours only.
      for (let i = 0; i < count; i++) {
        for (let j = i + 2; j < count; j++) if (!(i === 0 && j === count - 1) || count === 3) cutPair(world, i, j, forMs, true);
      }
      if (count === 3) cutPair(world, 0, 2, forMs, true);
      done(forMs);
      return;
    case "cutOneWay":
      if (other === count) cutOut(world, id, forMs);
      else if (id === otherId) return;
      else cutPair(world, node, other, forMs, false);
      done(id, other === count ? "*" : otherId, forMs);
      return;
    case "cutFlapping": {
      if (id === otherId) return;
      const flap = (left: number) => {
        if (left <= 0 || !world.active) return;
        cutPair(world, node, other, amount / 2, true);
        later(amount, () => flap(left - amount));
      };
      flap(forMs);
      done(id, otherId, forMs, amount);
      return;
    }
    case "crash":
      if (world.busy.has(id)) return;
      if (world.crash(id, forMs)) done(id, forMs);
      return;
    case "crashPair":
      if (world.busy.has(id) || world.busy.has(otherId) || id === otherId) return;
      if (world.crash(id, forMs) && world.crash(otherId, forMs * 1.5)) done(id, otherId, forMs);
      return;
    case "crashAtStep":
      world.observers.setTrap({ moment: event.moment ?? "grant", who: amount, backAfterMs: forMs });
      return;
    case "pause": {
      const paused = cluster.node(id);
      if (paused.runtime === null || paused.clock.paused) return;
      paused.clock.pause();
      cluster.network.still(paused.address, true);
      done(id, forMs);
      later(forMs, () => {
        cluster.network.still(paused.address, false);
        if (!paused.clock.paused) return;
        world.observers.waking(paused);
        world.trace.say(() => `${id} wakes`);
        paused.clock.wake();
      });
      return;
    }
    case "sleep": {
      // One that owns something, if there is one.
      const from = ids.indexOf(id);
      const asleep = [...ids.slice(from), ...ids.slice(0, from)].find((one) => sleep(world, one, forMs, amount));
      if (asleep !== undefined) done(asleep, forMs);
      return;
    }
    case "diskFull": {
      const { disk } = cluster.directory;
      if (disk.full) return;
      disk.full = true;
      done(forMs);
      later(forMs, () => {
        disk.full = false;
      });
      return;
    }
    case "storeFull":
      cluster.store.full = true;
      done(forMs);
      later(forMs, () => {
        cluster.store.full = false;
      });
      return;
    case "oldAnswer":
      world.observers.wantOldAnswer();
      return;
    case "storeDown":
      for (const one of node === count ? ids : [id]) {
        const { storeFaults } = cluster.node(one);
        storeFaults.down = true;
        later(forMs, () => {
          storeFaults.down = false;
        });
      }
      done(node === count ? "*" : id, forMs);
      return;
    case "allDie":
      done(forMs);
      for (const one of ids) world.crash(one, forMs + world.dice.next() * 500);
      return;
    case "slowNode": {
      const slow = cluster.node(id);
      slow.clock.slow(amount);
      done(id, forMs, amount);
      later(forMs, () => slow.clock.slow(0));
      return;
    }
    case "directorySlow":
    case "casAnswerLost":
    case "casLate":
    case "directoryUnreachable": {
      const all = event.do.startsWith("cas") || node === count;
      for (const one of all ? ids : [id]) disturbDirectory(world, one, event);
      done(all ? "*" : id, forMs, amount);
      return;
    }
    case "directoryPause":
      if (cluster.directory.clock.paused || !cluster.directory.up) return;
      cluster.directory.clock.pause();
      done(forMs);
      later(forMs, () => cluster.directory.clock.wake());
      return;
    case "directoryRestart":
    case "directoryPowerLoss":
      if (!cluster.directory.up) return;
      stopDirectory(world, event);
      done(forMs);
      return;
    case "powerLoss":
      if (!cluster.directory.up) return;
      done(forMs);
      for (const one of ids) world.crash(one, forMs + world.dice.next() * 2_000);
      stopDirectory(world, event);
      return;
    case "accusation": {
      // Mostly of who owns a session, by who holds its copy; both live.
      const { owner, inSync } = cluster.directory.records.get(`swarm/s${session % world.plan.sessions.length}`) ?? {};
      const by = inSync?.[node % Math.max(1, inSync.length)];
      const accuser = by === undefined ? undefined : world.nodeOf(by)?.runtime?.host;
      if (owner === undefined || accuser == null) return;
      accuser.accuse(owner);
      done(by, owner);
      return;
    }
    case "wallJump":
      cluster.node(id).clock.jumpWall(amount);
      done(id, amount);
      return;
    case "wallStrobe": {
      const { clock } = cluster.node(id);
      const strobe = (left: number, sign: number) => {
        if (left <= 0) return;
        clock.jumpWall(sign * amount);
        later(20, () => strobe(left - 20, -sign));
      };
      strobe(forMs, 1);
      done(id, forMs, amount);
      return;
    }
    case "socketCut":
      for (let i = 0; i < amount; i++) cluster.sockets.cutOne();
      done(amount);
      return;
    case "socketHalfOpen":
      cluster.sockets.cutOne(forMs);
      done(forMs);
      return;
    case "stolenToken":
      if (useStolenToken(world, id, amount)) done(id);
      return;
    default:
      work(world, event);
  }
}

// ---- work ----

function work(world: World, event: PlannedEvent): void {
  const { node = 0, other = 0, session = 0, client = 0, forMs = 0, amount = 0 } = event;
  const { cluster, ids } = world;
  const count = ids.length;
  const id = ids[node % count] as string;
  const key = `swarm/s${session}`;
  world.trace.add(14, event.do, key, forMs, amount);
  switch (event.do) {
    case "move":
      void world.move(key, id);
      if (amount < 0.5) burst(world, key, 3);
      return;
    case "batch": {
      const to = ids[other % count] as string;
      const { runtime } = cluster.node(id);
      if (runtime?.host == null || id === to || !world.isUp(to)) return;
      const ended = runtime.host.ownedKeys().map((owned) => world.move(owned, to));
      void Promise.all(ended).then((moved) => world.observers.batchEnded(moved));
      world.reached.count("work batch");
      return;
    }
    case "cross": {
      const one = world.ownerOf(key);
      const two = world.ownerOf(`swarm/s${other}`);
      if (one === null || two === null || one === two) return;
      world.reached.count("work cross");
      void world.move(key, two);
      void world.move(`swarm/s${other}`, one);
      return;
    }
    case "drain":
      void drainNode(world, id, forMs);
      return;
    case "rolling":
      void rollingRestart(world, forMs);
      return;
    case "burst":
      burst(world, key, amount);
      return;
    case "arm":
      clientOf(world, key, client)?.do((calls) => calls.arm({ i: amount, ms: forMs }));
      return;
    case "strategy":
      world.changeStrategy(key, amount === 0 ? "replica" : "hybrid");
      return;
    case "fill":
      clientOf(world, key, client)?.do((calls) => calls.fill({ bytes: amount }));
      return;
    case "io":
      clientOf(world, key, client)?.say(forMs);
      return;
    case "away":
    case "linkEnd": {
      const leaving = clientOf(world, key, client);
      if (leaving === undefined || !leaving.wanted) return;
      world.reached.count(`work ${event.do}`);
      if (event.do === "linkEnd") {
        leaving.wanted = false;
        leaving.leave();
        cluster.clock.schedule(forMs, () => {
          if (!world.active) return; // everybody is back already
          leaving.wanted = true;
          leaving.connect();
        });
      } else {
        cluster.sockets.reception(leaving.name, false);
        cluster.clock.schedule(forMs, () => cluster.sockets.reception(leaving.name, true));
      }
      return;
    }
    case "sessionEnd":
      if (amount < 0.5) void world.move(key, id);
      clientOf(world, key, client)?.do((calls) => calls.end());
      world.reached.count("work sessionEnd");
      return;
    default:
      return;
  }
}

function clientsOf(world: World, key: string): SwarmClient[] {
  return world.clients.filter((client) => client.model.key === key);
}

function clientOf(world: World, key: string, n: number): SwarmClient | undefined {
  const clients = clientsOf(world, key);
  return clients[n % clients.length];
}

function burst(world: World, key: string, messages: number): void {
  const clients = clientsOf(world, key);
  for (let i = 0; i < messages; i++) {
    world.cluster.clock.schedule(world.dice.next() * 60, () => world.dice.pick(clients)?.say());
  }
}

async function drainNode(world: World, id: string, deadlineMs: number): Promise<boolean> {
  const node = world.cluster.node(id);
  const { runtime } = node;
  if (runtime?.host == null || world.busy.has(id) || world.busy.size > 0) return false;
  world.busy.add(id);
  world.reached.count("work drain");
  world.trace.say(() => `${id} is drained`);
  try {
    await runtime.drain({ deadlineMs });
    return true;
  } catch {
    return false; // it lost its lease meanwhile, or the directory is away
  } finally {
    world.busy.delete(id);
    const back = () => {
      if (node.runtime !== runtime || world.cluster.node(id) !== node) return;
      runtime.cordon(false).catch(() => world.cluster.clock.schedule(500, back));
    };
    world.cluster.clock.schedule(500, back);
  }
}

async function rollingRestart(world: World, pauseMs: number): Promise<void> {
  const { cluster } = world;
  const pause = (ms: number) => new Promise<void>((resolve) => cluster.clock.schedule(ms, resolve));
  world.reached.count("work rolling");
  for (const id of world.ids) {
    if (!world.active) return;
    const node = cluster.node(id);
    const drained = await drainNode(world, id, 4_000);
    const { runtime } = node;
    if (!world.active || cluster.node(id) !== node || runtime === null) continue;
    if (!drained && runtime.host === null) continue;
    world.trace.say(() => `${id} stops`);
    const stopped = runtime.stop();
    await Promise.race([stopped, pause(2_000)]);
    if (cluster.node(id) !== node || node.runtime === null) continue;
    cluster.crash(id);
    world.boot(id);
    await pause(pauseMs);
  }
}

// ---- faults ----

/** Cuts between two sets of nodes; with `directory` the smaller one from the directory as well. */
function split(world: World, part: readonly string[], forMs: number, directory: boolean): void {
  const { ids } = world;
  for (let i = 0; i < ids.length; i++) {
    for (let j = i + 1; j < ids.length; j++) {
      if (part.includes(ids[i] as string) !== part.includes(ids[j] as string)) cutPair(world, i, j, forMs, true);
    }
  }
  if (!directory) return;
  const fewer = part.length * 2 <= ids.length ? part : ids.filter((id) => !part.includes(id));
  for (const id of fewer) cutDirectory(world, id, forMs);
}

/** Nothing of what the node sends to others arrives. */
function cutOut(world: World, id: string, forMs: number): void {
  for (const other of world.ids) if (other !== id) cutPair(world, world.ids.indexOf(id), world.ids.indexOf(other), forMs, false);
}

function cutPair(world: World, one: number, two: number, forMs: number, both: boolean): void {
  const { cluster, ids } = world;
  const a = cluster.node(ids[one % ids.length] as string).address;
  const b = cluster.node(ids[two % ids.length] as string).address;
  if (a === b || a === "" || b === "") return;
  cluster.network.cut(a, b);
  if (both) cluster.network.cut(b, a);
  cluster.clock.schedule(forMs, () => {
    cluster.network.mend(a, b);
    if (both) cluster.network.mend(b, a);
  });
}

function cutDirectory(world: World, id: string, forMs: number): void {
  const { faults } = world.cluster.node(id).directory;
  faults.down = true;
  world.cluster.clock.schedule(forMs, () => {
    faults.down = false;
  });
}

function disturbDirectory(world: World, id: string, event: PlannedEvent): void {
  const { forMs = 0, amount = 0 } = event;
  const { faults } = world.cluster.node(id).directory;
  if (event.do === "directoryUnreachable") {
    cutDirectory(world, id, forMs);
    return;
  }
  const name = event.do === "directorySlow" ? "delayMs" : event.do === "casLate" ? "lateWrites" : "lostAnswers";
  faults[name] = amount;
  world.cluster.clock.schedule(forMs, () => {
    if (world.active) faults[name] = world.plan.directory[name];
  });
}

function stopDirectory(world: World, event: PlannedEvent): void {
  const { directory, clock } = world.cluster;
  const { forMs = 0, amount = 0 } = event;
  directory.stop(event.do === "directoryRestart" ? null : Math.floor(amount * (directory.disk.unflushed + 1)));
  clock.schedule(forMs, () => void directory.start());
}

/**
 * A machine is suspended, and its monotonic clock with it: when it wakes it may not know that its lease has ended. What it owns must be
 * protected by acknowledgements, so nothing happens to a node that is waited for by nobody. With `blindMs` its connection to the directory
 * is gone as well, and comes back so long after it has woken.
 */
function sleep(world: World, id: string, forMs: number, blindMs: number): boolean {
  const { cluster } = world;
  const node = cluster.node(id);
  const host = node.runtime?.host;
  if (host === null || host === undefined || node.clock.paused) return false;
  const owned = host.ownedKeys();
  if (owned.length === 0) return false;
  // One that it is about to be given is nobody's to wait for yet.
  for (const { cas } of host.slots.values()) if (cas.pending) return false;
  for (const key of owned) {
    const owner = host.slots.get(key)?.owner ?? null;
    if (owner !== null && owner.store.bound !== null) continue;
    const feeds = owner?.feeds.values() ?? [];
    if (![...feeds].some(({ waited }) => waited)) return false;
  }
  // It may be given more in the moment between its waking and its next renewal.
  for (const model of world.models.values()) model.suspicion = true;
  node.clock.sleep();
  if (blindMs > 0) cutDirectory(world, id, forMs + blindMs);
  cluster.network.still(node.address, true);
  cluster.clock.schedule(forMs, () => {
    cluster.network.still(node.address, false);
    if (!node.clock.asleep) return;
    world.observers.waking(node);
    world.trace.say(() => `${id} wakes from its sleep`);
    node.clock.wake();
  });
  return true;
}

/** Somebody who has overheard an old hello uses it at some node. */
function useStolenToken(world: World, id: string, amount: number): boolean {
  const { hellos, cluster } = world;
  const stolen = hellos[Math.floor(amount * hellos.length)];
  if (stolen === undefined) return false;
  const bytes = encodeClientFrame(new ByteWriter(), stolen);
  const socket = cluster.sockets.openSocket(cluster.node(id).endpoint, {
    onOpen: () => socket.send(bytes),
    onMessage: () => undefined,
    onClose: () => undefined,
  });
  cluster.clock.schedule(1_500, () => socket.close());
  return true;
}
