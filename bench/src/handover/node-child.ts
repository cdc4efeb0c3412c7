import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Failover, type Limits, resolveLimits, type SessionDefinition } from "@sojourn/core";
import { connectDirectory, createNode, createSystemClock, createSystemRandom, type SojournNode, systemCrc32 } from "@sojourn/node";
import { answerCommands } from "../common/child.js";
import { ioBytes } from "../common/io-bytes.js";
import { KindStores } from "../strategies/kind-stores.js";
import { defineSizedKind, type SizedKind } from "../strategies/sized-kind.js";
import { type DriveOptions, Driver } from "./driver.js";
import { bench } from "./session.js";

/** What a node runs. */
export interface NodeStart {
  readonly id: string;
  readonly directory: string;
  readonly limits: Partial<Limits>;
  /** Of the 5 KB kind. */
  readonly failover: Failover;
  /** Kinds besides that one. */
  readonly kinds: readonly SizedKind[];
  /** Where the stores of those lie. */
  readonly stores: string;
}

const driver = new Driver();
let node: SojournNode | null = null;
let stores: KindStores | null = null;

const running = (): SojournNode => {
  if (node === null) throw new Error("the node has not been started");
  return node;
};

async function start({ id, directory: endpoint, limits: some, failover, kinds, stores: folder }: NodeStart): Promise<string> {
  const limits = resolveLimits(some);
  const directory = connectDirectory({
    endpoint,
    limits,
    clock: createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
  });
  const stored = kinds.filter(({ strategy }) => strategy !== "replica").map(({ name }) => name);
  if (stored.length > 0) stores = await KindStores.open(folder, stored);
  const sized: SessionDefinition[] = kinds.map((kind) => defineSizedKind(kind, (session) => stores?.woken(session)));
  node = await createNode({
    id,
    sessions: [{ ...bench, failover }, ...sized],
    directory,
    ...(stores !== null && { store: stores.store }),
    limits: some,
    on: { moved: (report) => driver.moved(report) },
  });
  return node.clientEndpoint;
}

/** Live bytes, on the heap and outside of it. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

answerCommands({
  start,
  drive: (options: DriveOptions) => driver.drive(running(), options),
  driveAll: (parts: readonly DriveOptions[]) => driver.driveAll(running(), parts),
  moveOne: ({ session, to }: { session: string; to: string }) => driver.moveOne(running(), session, to),
  owned: () => running().runtime.host?.ownedKeys() ?? [],
  /** What keeps each session that is owned here. */
  strategies: () =>
    [...(running().runtime.host?.slots ?? [])]
      .filter(([, slot]) => slot.owner !== null)
      .map(([key, slot]) => [key, slot.cas.record?.strategy]),
  status: () => ({ ...running().status(), failures: driver.failures }),
  cpu: () => process.cpuUsage(),
  memory,
  writtenBytes: () => ioBytes("wchar"),
  restores: () => stores?.restores ?? [],
  /** What a node does when it is asked to end (SIGTERM). */
  leave: async () => {
    await running().drain();
    await running().close();
  },
  close: async () => {
    await running().close();
    await stores?.store.close();
  },
});
