import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "@sojourn/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dev, sojourn } from "./cli/command-line.js";
import type { counter } from "./cli/counter.js";

const fixture = (name: string) => fileURLToPath(new URL(`./cli/${name}`, import.meta.url));

interface DevNode {
  readonly id: string;
  readonly clientEndpoint: string;
  readonly adminEndpoint: string;
  readonly pid: number;
}

/** Calls one after another without a pause, until it is told to stop. */
class Caller {
  readonly replies: number[] = [];
  readonly #done: Promise<void>;
  #going = true;
  #calls: { at: number; resolve: () => void }[] = [];

  constructor(add: (tag: number) => Promise<number>) {
    this.#done = (async () => {
      for (let tag = 1; this.#going; tag++) {
        this.replies.push(await add(tag));
        for (const call of this.#calls) if (this.replies.length >= call.at) call.resolve();
      }
    })();
  }

  /** Resolves when so many more calls have been answered. */
  more(count: number): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#calls.push({ at: this.replies.length + count, resolve }));
    return Promise.race([answered, this.#done]);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }
}

describe("a cluster of sojourn dev", () => {
  let cwd: string;
  let dev: Dev;
  let nodes: readonly DevNode[];
  const json = async (...args: string[]) => {
    const { code, out, err } = await sojourn([...args, "--json"], cwd);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    return JSON.parse(out);
  };
  const nodeOf = (id: string): DevNode => {
    const node = nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  };

  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), "sojourn-cli-"));
    dev = new Dev([fixture("counter.ts")], cwd);
    const ready = await dev.event("ready");
    expect(ready.kinds).toEqual({ counter: ["add", "seen"] });
    nodes = ready.nodes as DevNode[];
  });
  afterAll(() => {
    dev.child.kill("SIGKILL");
    rmSync(cwd, { recursive: true, force: true });
  });

  test("shows its nodes, to people and to programs", async () => {
    expect(nodes.map(({ id }) => id)).toEqual(["node-1", "node-2", "node-3"]);
    const status = await json("status");
    expect(
      status.nodes.map(({ id, status: { nodes } }: { id: string; status: { nodes: { up: boolean }[] } }) => [id, nodes.length]),
    ).toEqual([
      ["node-1", 3],
      ["node-2", 3],
      ["node-3", 3],
    ]);
    const { out } = await sojourn(["status"], cwd);
    for (const { id, clientEndpoint } of nodes) expect(out).toMatch(new RegExp(`^${id} +up .*${clientEndpoint}$`, "m"));
  });

  test("moves a session, drains a node and lets one leave while a client goes on and loses nothing", async () => {
    const client = await connect<typeof counter>({ endpoints: nodes.map(({ clientEndpoint }) => clientEndpoint), session: "counter/busy" });
    const handovers: { from: string; to: string }[] = [];
    client.on("handover", ({ from, to }) => handovers.push({ from, to }));
    const resets: string[] = [];
    client.on("reset", ({ reason }) => resets.push(reason));
    const caller = new Caller((tag) => client.call.add(tag));
    await caller.more(20);

    const { owner: first } = await json("where", "counter/busy");
    const second = nodes.find(({ id }) => id !== first)?.id ?? "";
    const moved = await json("move", "counter/busy", second);
    expect(moved).toMatchObject({ session: "counter/busy", from: `${first}#1`, to: `${second}#1`, epoch: 2 });
    await caller.more(20);
    expect((await json("sessions")).sessions).toMatchObject([{ session: "counter/busy", owner: second, epoch: 2, links: 1 }]);

    expect(await json("strategy", "counter/busy", "replica")).toMatchObject({ owner: second, to: "replica", changed: false });
    expect((await sojourn(["strategy", "counter/busy", "hybrid"], cwd)).err).toContain("needs a session store");

    const third = nodes.find(({ id }) => id !== first && id !== second)?.id ?? "";
    expect(await json("drain", second, "--to", third)).toMatchObject({ node: second, moved: 1, left: [] });
    expect((await json("where", "counter/busy")).owner).toBe(third);
    await caller.more(20);
    expect(await json("uncordon", second)).toEqual({ node: second, cordoned: false });

    process.kill(nodeOf(third).pid, "SIGTERM");
    expect(await dev.event("evacuated", ({ node }) => node === third)).toMatchObject({ moved: 1, left: 0 });
    await dev.event("left", ({ id }) => id === third);
    await caller.more(20);
    await caller.stop();

    expect(caller.replies).toEqual(caller.replies.map((_, i) => i + 1));
    expect(await client.call.seen()).toEqual(caller.replies);
    expect(resets).toEqual([]);
    expect(handovers.slice(0, 2)).toEqual([
      { from: first, to: second },
      { from: second, to: third },
    ]);
    await client.close();
    expect((await json("status")).nodes).toHaveLength(2);
  });

  test("starts a node again that crashed, at the same endpoint", async () => {
    const { nodes: left } = JSON.parse(readFileSync(join(cwd, ".sojourn/cluster.json"), "utf8")) as { nodes: DevNode[] };
    const victim = left[0] as DevNode;
    process.kill(victim.pid, "SIGKILL");
    expect(await dev.event("crashed")).toMatchObject({ id: victim.id, exitCode: 137 });
    const restarted = await dev.event("restarted");
    expect(restarted).toMatchObject({ id: victim.id, clientEndpoint: victim.clientEndpoint });
    expect(restarted.pid).not.toBe(victim.pid);
    expect((await json("status")).nodes).toHaveLength(2);
  });

  test.each([
    { args: ["where", "counter/none"], code: "E_SESSION_UNKNOWN", says: "counter/none" },
    { args: ["where", "counter"], code: "E_SESSION_KEY_INVALID", says: "kind/id" },
    { args: ["move", "counter/busy", "mars"], code: "E_NODE_UNKNOWN", says: /there are: node-\d, node-\d/ },
    { args: ["drain", "mars"], code: "E_NODE_UNKNOWN", says: /there are: node-\d, node-\d/ },
    { args: ["status", "--admin", "http://127.0.0.1:1"], code: "E_CONNECT_FAILED", says: "sojourn dev" },
    { args: ["dev", fixture("counter.ts")], code: "E_CONFIG_INVALID", says: "runs from" },
  ])("$args is $code", async ({ args, code, says }) => {
    const { code: exitCode, out } = await sojourn([...args, "--json"], cwd);
    const { error } = JSON.parse(out);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(exitCode).toBe(1);
    const { err } = await sojourn(args, cwd);
    expect(err).toContain(`sojourn: ${code}: ${error.message}`);
  });

  test("Ctrl-C stops every process", async () => {
    const { nodes: left } = JSON.parse(readFileSync(join(cwd, ".sojourn/cluster.json"), "utf8")) as { nodes: DevNode[] };
    dev.child.kill("SIGINT");
    expect(await dev.ended).toBe(0);
    for (const { pid } of left) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    const { code, err } = await sojourn(["status"], cwd);
    expect({ code, err }).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^sojourn: E_CONNECT_FAILED: no cluster is known here; start one with/),
    });
  });
});

describe("sojourn dev", () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), "sojourn-cli-"));
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  test.each([
    { args: ["throws.ts"], code: "E_DEFINITION_INVALID", says: "no disk, no fun" },
    { args: ["nothing.ts"], code: "E_CONFIG_INVALID", says: "it exports: nothing" },
    { args: ["gone.ts"], code: "E_CONFIG_INVALID", says: "there is no file" },
  ])("$args is $code", async ({ args, code, says }) => {
    const finished = await sojourn(["dev", fixture(args[0] ?? ""), "--nodes", "1", "--port", "0"], cwd);
    expect(finished).toMatchObject({ code: 1, err: expect.stringContaining(`sojourn: ${code}`) });
    expect(finished.err).toContain(says);
  });

  test("nodes do not outlive it", async () => {
    const dev = new Dev([fixture("counter.ts"), "--nodes", "2"], cwd);
    const ready = await dev.event("ready");
    const [node] = ready.nodes as DevNode[];
    const port = Number(new URL(node?.clientEndpoint ?? "").port);
    const socket = connectTcp(port, "127.0.0.1");
    const closed = new Promise<void>((resolve) => socket.on("error", () => undefined).once("close", () => resolve()));
    await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
    dev.child.kill("SIGKILL");
    await closed;
    const refused = await new Promise<string>((resolve) => {
      connectTcp(port, "127.0.0.1")
        .once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""))
        .once("connect", () => resolve("connected"));
    });
    expect(refused).toBe("ECONNREFUSED");
  });
});

describe("a wrong command line is exit code 2 with a hint", () => {
  test.each([
    { args: ["stauts"], says: 'did you mean "status"?' },
    { args: ["status", "--jsno"], says: "did you mean --json?" },
    { args: ["move", "counter/a"], says: "<node> is missing" },
    { args: ["where", "counter/a", "b"], says: '"b" is too much' },
    { args: ["dev", "--nodes", "none"], says: "--nodes must be a whole number from 1 to 32" },
    { args: ["drain", "a", "--deadline", "30"], says: "--deadline must be a time" },
    { args: ["status", "--admin"], says: "--admin needs a value" },
    { args: ["status", "--admin", "localhost"], says: "not the address of an admin API" },
  ])("$args", async ({ args, says }) => {
    const { code, err } = await sojourn(args, tmpdir());
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(says) });
    expect(err).toMatch(/^sojourn: E_CONFIG_INVALID: /);
    expect(err).toContain("--help` says how.");
  });
});
