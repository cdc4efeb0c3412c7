import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import { InMemoryDirectory, type SessionDefinition, type SessionStore, SojournError } from "@sojourn/core";
import { createSystemClock, type SessionEntry } from "@sojourn/node";
import { expect, test } from "vitest";
import { closingAfterEach } from "./support/closing.js";
import { ledger } from "./support/ledger.js";
import { type LocalNodes, startLocalNodes } from "./support/local-nodes.js";
import { Talker } from "./support/talker.js";

const SESSION = "ledger/busy";
const IDS = ["a", "b", "c"];
const closing = closingAfterEach();

/** A store that can be made to refuse everything. */
function refusable(store: SessionStore): { readonly store: SessionStore; down: boolean } {
  const way = {
    down: false,
    store: new Proxy(store, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) =>
          way.down && name !== "close"
            ? Promise.reject(new SojournError("E_STORE_UNAVAILABLE", "as tested"))
            : (member as (...args: unknown[]) => unknown).apply(target, args);
      },
    }),
  };
  return way;
}

/** What its owner says of the session. */
type Entry = Pick<SessionEntry, "owner" | "strategy" | "store" | "copies" | "reason">;

interface Running {
  readonly cluster: LocalNodes;
  readonly talker: Talker;
  readonly ways: readonly { down: boolean }[];
  readonly codes: string[];
  entry(): Promise<Entry>;
}

async function start(definition: SessionDefinition): Promise<Running> {
  const folder = closing(mkdtempSync(join(tmpdir(), "sojourn-strategies-")), (path) => rmSync(path, { recursive: true, force: true }));
  const limits = { storePatienceMs: 300, storeRetryMs: 20, profileWindowMs: 100, strategySettleMs: 100, leaseTtlMs: 5_000 };
  const directory = closing(new InMemoryDirectory(createSystemClock(), limits), (open) => open.close());
  const codes: string[] = [];
  const stores = await Promise.all(IDS.map(() => openDiskSessionStore({ path: join(folder, "store") })));
  for (const store of stores) closing(store, (open) => open.close());
  const ways = stores.map(refusable);
  const specs = IDS.map((id, i) => ({
    id,
    limits,
    store: (ways[i] as { readonly store: SessionStore }).store,
    on: { incident: (_session: string, code: string) => codes.push(code) },
  }));
  const cluster = closing(await startLocalNodes(specs, [definition], () => directory.open()), (running) => running.close());
  const endpoints = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
  const talker = closing(await Talker.start({ endpoints, session: SESSION }), (talking) => talking.finished || talking.abandon());
  const entry = async (): Promise<Entry> => {
    const { sessions } = await cluster.node("c").command({ command: "sessions" });
    const found = sessions.find(({ session }) => session === SESSION);
    if (found === undefined) throw new Error("nobody owns it");
    return found;
  };
  return { cluster, talker, ways, codes, entry };
}

/** Looks again after every few answers, until it is so. */
async function until(running: Running, wanted: (entry: Entry) => boolean): Promise<void> {
  while (!wanted(await running.entry())) await running.talker.more(3);
}

test("a session goes from memory to the store and back, moves in between, and its client loses nothing", async () => {
  const running = await start(ledger as SessionDefinition);
  const { cluster, talker } = running;
  for (let round = 0; round < 4; round++) {
    const there = await cluster.node("b").command({ command: "strategy", session: SESSION, strategy: "hybrid" });
    expect(there).toMatchObject({ session: SESSION, from: "replica", to: "hybrid", changed: true });
    await talker.more(20);
    const to = IDS.find((id) => id !== there.owner) ?? "";
    await cluster.node("a").command({ command: "move", session: SESSION, to });
    await talker.more(20);
    expect(await running.entry()).toMatchObject({ owner: to, strategy: "hybrid", reason: null });
    const back = await cluster.node("c").command({ command: "strategy", session: SESSION, strategy: "replica" });
    expect(back).toMatchObject({ owner: to, from: "hybrid", changed: true });
    expect(await running.entry()).toMatchObject({ strategy: "replica", store: "none", copies: 1 });
    await talker.more(20);
  }
  talker.expectNoTrouble();
  await talker.finish();
});

test("a session whose store fails goes on over a copy, and comes back to the store", async () => {
  const running = await start({ ...(ledger as SessionDefinition), strategy: "hybrid" });
  const { cluster, talker, ways, codes } = running;
  await talker.more(20);
  for (const way of ways) way.down = true;
  await talker.until(() => codes.includes("E_STORE_AWAY"));
  await talker.more(20);
  expect(await running.entry()).toMatchObject({ strategy: "hybrid", store: "away", copies: 1 });
  expect(cluster.owner(SESSION).status().store.away).toBe(1);
  for (const way of ways) way.down = false;
  await until(running, ({ store, copies }) => store !== "away" && copies === 0);
  talker.expectNoTrouble();
  await talker.finish();
});

test("a session of a kind that lets nodes choose says why it is kept as it is", async () => {
  const running = await start({ ...(ledger as SessionDefinition), auto: true });
  await until(running, ({ reason }) => reason?.includes("checklist") === true);
  running.talker.expectNoTrouble();
  await running.talker.finish();
});
