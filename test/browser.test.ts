import { InMemoryDirectory, type SessionDefinition } from "@sojourn/core";
import { createSystemClock } from "@sojourn/node";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { adviceOn, PROGRAMS } from "../scripts/setup-system.mjs";
import { type CutWire, freePort, layWire } from "./support/cut-wire.js";
import { ledger } from "./support/ledger.js";
import { type LocalNodes, startLocalNodes } from "./support/local-nodes.js";
import { servePage } from "./support/page-server.js";
import { numbers } from "./support/talker.js";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const MOVES = 24;
/** What the page stops calling at. */
const MAX_OPEN_CALLS = 256;
/** A page that is offline may not even hear that its socket was closed: it notices the silence. */
const limits = { clientHeartbeatMs: 500 };

/** What the page counts; see support/browser-page.html. */
interface Books {
  readonly calls: number;
  readonly replies: readonly number[];
  readonly said: readonly number[];
  readonly handovers: readonly { readonly from: string; readonly to: string; readonly blackoutMs: number }[];
  readonly statuses: readonly string[];
  readonly troubles: readonly string[];
  readonly endpoint: string | null;
  readonly owner: string;
  readonly recovered: boolean;
}

let pages: Awaited<ReturnType<typeof servePage>>;
let browser: Browser;
let directory: InMemoryDirectory;
let cluster: LocalNodes;
/** Every client comes over one of these. */
let wires: readonly CutWire[] = [];
let context: BrowserContext;
let page: Page;
const pageErrors: string[] = [];

beforeAll(async () => {
  pages = await servePage();
  const executablePath = PROGRAMS.find((entry) => entry.package === "chromium")?.program ?? "";
  try {
    browser = await chromium.launch({ executablePath, args: ARGS });
  } catch (cause) {
    throw new Error(`${executablePath} does not start. ${adviceOn(["chromium"])}`, { cause });
  }
  directory = new InMemoryDirectory(createSystemClock(), limits);
  wires = await Promise.all([layWire(), layWire()]);
  const specs = await Promise.all(
    wires.map(async (wire, i) => {
      const port = await freePort();
      wire.lead(port);
      return { id: i === 0 ? "a" : "b", limits, listen: { client: { port, url: `ws://127.0.0.1:${wire.port}` } } };
    }),
  );
  cluster = await startLocalNodes(specs, [ledger as SessionDefinition], () => directory.open());
});
afterAll(async () => {
  await browser?.close();
  await cluster?.close();
  await directory?.close();
  await Promise.all(wires.map((wire) => wire.close()));
  await pages?.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  page.on("pageerror", (error) => pageErrors.push(error.message));
  await page.goto(pages.url);
  await page.waitForFunction("window.ready === true");
});
afterEach(async () => {
  await context.close();
  expect(pageErrors).toEqual([]);
});

const books = () => page.evaluate("window.books()") as Promise<Books>;
/** Waits in the page until a condition on its books holds. */
const until = async (condition: string) => {
  try {
    await page.waitForFunction(`(({ ${Object.keys(NAMES).join(", ")} }) => ${condition})(window.books())`, undefined, { timeout: 20_000 });
  } catch (cause) {
    const { replies, said, ...rest } = await books();
    throw new Error(`in vain: ${condition}; ${JSON.stringify({ ...rest, replies: replies.length, said: said.length })}`, { cause });
  }
};
const NAMES: Record<keyof Books, true> = {
  calls: true,
  replies: true,
  said: true,
  handovers: true,
  statuses: true,
  troubles: true,
  endpoint: true,
  owner: true,
  recovered: true,
};
const talk = (session: string) => {
  const endpoints = cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
  return page.evaluate(`window.talk(${JSON.stringify({ session, endpoints, limits: { reconnectMaxMs: 200 } })})`);
};
/** Stops talking, and compares the page's books with the session's. */
const settle = async () => {
  const session = await page.evaluate("window.hush()");
  await until("replies.length + troubles.length >= calls && said.length >= calls");
  const settled = await books();
  expect(settled.troubles).toEqual([]);
  expect(settled.replies).toEqual(numbers(settled.calls));
  expect(settled.said).toEqual(numbers(settled.calls));
  expect(session).toEqual({ count: settled.calls, wrong: [] });
  expect(settled.recovered).toBe(true);
  return settled;
};

test(`a page talks while its session moves ${MOVES} times: nothing is lost, doubled or reordered`, async () => {
  const session = "ledger/roaming";
  await talk(session);
  for (let i = 1; i <= MOVES; i++) {
    await until(`replies.length >= ${i * 5}`);
    const source = cluster.owner(session);
    const target = source.id === "a" ? "b" : "a";
    await source.move(session, target);
    await until(`handovers.length === ${i}`);
  }
  const last = cluster.owner(session);
  await until(`endpoint === ${JSON.stringify(last.clientEndpoint)} && owner === "${last.id}"`);
  const { handovers, statuses } = await settle();
  expect(handovers).toHaveLength(MOVES);
  expect(handovers.map(({ from, to }) => from + to)).toEqual(numbers(MOVES).map((i) => (i % 2 === 1 ? "ab" : "ba")));
  for (const { blackoutMs } of handovers) expect(blackoutMs).toBeGreaterThan(0);
  expect(statuses).toEqual([]);
});

test("a page that was offline resumes where it was, on the node that the session has moved to meanwhile", async () => {
  const session = "ledger/away";
  await talk(session);
  await until("replies.length >= 20");
  await context.setOffline(true);
  for (const wire of wires) wire.cut();
  await until('statuses.at(-1) === "reconnecting"');
  const { calls, replies } = await books();
  // On a machine that is slow to notice it, the page has as many open calls as it may have by now.
  await until(`calls >= ${Math.min(calls + 20, replies.length + MAX_OPEN_CALLS)}`);
  await cluster.owner(session).move(session, "b");

  for (const wire of wires) wire.mend();
  await context.setOffline(false);
  await until('statuses.at(-1) === "live"');
  await until(`replies.length >= ${calls + 40} && endpoint === ${JSON.stringify(cluster.node("b").clientEndpoint)}`);
  const { statuses, owner } = await settle();
  expect(statuses).toEqual(["reconnecting", "live"]);
  expect(owner).toBe("b");
});
