import type { ClientLimits } from "@sojourn/client/node";
import { InMemoryDirectory, type SessionDefinition } from "@sojourn/core";
import { createNode, createSystemClock, type SojournNode } from "@sojourn/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Authority, type Credentials } from "./support/authority.js";
import { ledger } from "./support/ledger.js";
import { type LocalNodes, startLocalNodes } from "./support/local-nodes.js";
import { Talker } from "./support/talker.js";

const SESSION = "ledger/secret";
/** A target that cannot be reached is given up soon. */
const limits = { offerTimeoutMs: 500, copyTimeoutMs: 1_000 };

let authority: Authority;
let foreign: Authority;
let directory: InMemoryDirectory;
let cluster: LocalNodes;
const incidents: { readonly node: string; readonly code: string; readonly message: string }[] = [];
let told = () => {};

const options = (id: string, control: Credentials, client: Credentials) => ({
  id,
  limits,
  listen: { client: { tls: client }, control: { tls: control } },
  on: {
    incident(_: string, code: string, message: string) {
      incidents.push({ node: id, code, message });
      told();
    },
  },
});
/** Resolves when the incidents are as wanted. */
const incident = (wanted: () => boolean) =>
  new Promise<void>((resolve) => {
    told = () => wanted() && resolve();
    told();
  });
const trusting = (ca: string) => (url: string) => new WebSocket(url, { ca, perMessageDeflate: false });

beforeAll(async () => {
  authority = new Authority();
  foreign = new Authority();
  directory = new InMemoryDirectory(createSystemClock(), limits);
  const specs = ["a", "b", "c"].map((id) => {
    const own = authority.issue(id);
    return options(id, own, own);
  });
  cluster = await startLocalNodes(specs, [ledger as SessionDefinition], () => directory.open());
});
afterAll(async () => {
  await cluster?.close();
  await directory?.close();
  authority?.remove();
  foreign?.remove();
});

const endpoints = () => cluster.nodes.map(({ clientEndpoint }) => clientEndpoint);
const talk = (ca: string, session: string, limits: Partial<ClientLimits> = {}) =>
  Talker.start({ endpoints: endpoints(), session, webSocket: trusting(ca) as never, limits });

test("three nodes of one process move a session under mutual TLS, and its client follows over wss", async () => {
  const { ca } = authority.issue("client");
  const talker = await talk(ca, SESSION);
  expect(talker.client.endpoint).toMatch(/^wss:/);
  for (const [from, to] of [
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
  ] as const) {
    await talker.more(20);
    expect(cluster.owner(SESSION).id).toBe(from);
    await cluster.node(from).move(SESSION, to);
    await talker.until(() => talker.client.endpoint === cluster.node(to).clientEndpoint);
  }
  expect(talker.handovers.map(({ from, to }) => [from, to])).toEqual([
    ["a", "b"],
    ["b", "c"],
    ["c", "a"],
  ]);
  for (const { blackoutMs } of talker.handovers) expect(blackoutMs).toBeGreaterThan(0);
  await talker.finish();
  expect(incidents).toEqual([]);
});

test("a client that does not trust the nodes' authority gets nowhere", async () => {
  await expect(talk(foreign.issue("client").ca, SESSION, { connectTimeoutMs: 500 })).rejects.toMatchObject({ code: "E_CONNECT_FAILED" });
});

test.each([
  ["of a foreign authority", "d", () => foreign.issue("d")],
  ["for another name", "e", () => authority.issue("somebody")],
])("a node with a certificate %s is refused by name, and sessions do not go there", async (_, id, issue) => {
  const { ca } = authority.issue("client");
  const talker = await talk(ca, `ledger/${id}`);
  const since = incidents.length;
  const intruder: SojournNode = await createNode({
    ...options(id, issue(), authority.issue(id)),
    sessions: [ledger as SessionDefinition],
    directory: directory.open(),
  });
  try {
    const refusedBy = (node: string) => incidents.slice(since).some((one) => one.node === node && one.code === "E_PEER_IDENTITY");
    await incident(() => ["a", "b", "c"].every(refusedBy));
    await expect(cluster.node("a").move(`ledger/${id}`, id)).rejects.toMatchObject({
      code: /^E_(MOVE_REFUSED|MOVE_FAILED|PEER_UNREACHABLE)$/,
    });
    expect(cluster.owner(`ledger/${id}`).id).toBe("a");
    await talker.more(20);
    await talker.finish();
  } finally {
    await intruder.close();
  }
});
