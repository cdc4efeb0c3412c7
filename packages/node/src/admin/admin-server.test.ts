import { request as httpRequest } from "node:http";
import { connect, type SessionClient } from "@sojourn/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Nodes, startNodes } from "../../test-support/node-trio.js";

const MAX_BODY_BYTES = 1_024;

describe("the admin API", () => {
  let cluster: Nodes;
  let client: SessionClient<unknown>;
  beforeAll(async () => {
    cluster = await startNodes(["a", "b"], { maxAdminRequestBytes: MAX_BODY_BYTES });
    client = await connect({ endpoints: [cluster.node("a").clientEndpoint], session: "counter/x" });
  });
  afterAll(async () => {
    await client.close();
    await cluster.close();
  });
  const at = (path: string) => new URL(path, cluster.node("a").adminEndpoint ?? "");
  const get = (path: string) => fetch(at(path));
  const post = (path: string, body: string, type = "application/json") =>
    fetch(at(path), { method: "POST", headers: { "content-type": type }, body });

  test("listens on loopback", () => {
    expect(cluster.node("a").adminEndpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test.each([
    ["/status", { id: "a", self: "a#1" }],
    ["/cluster", { asked: "a", nodes: [{ id: "a" }, { id: "b" }] }],
    ["/sessions", { total: 1, sessions: [{ session: "counter/x", owner: "a" }] }],
    ["/sessions?node=b&limit=3", { total: 0 }],
    ["/where?session=counter%2Fx", { owner: "a" }],
    ["/profile", { kinds: [{ kind: "counter", durability: "strong", sessions: 1 }], sessions: [], silent: [] }],
    ["/profile?node=b&kind=counter&limit=3", { kinds: [{ kind: "counter", sessions: 0, turns: 0 }] }],
    ["/healthz", { ok: true }],
    ["/readyz", { ready: true }],
  ])("GET %s", async (path, answer) => {
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toMatchObject(answer);
  });

  test("POST moves, drains and cordons; a cordoned node is alive but not ready", async () => {
    const moved = await post("/move", JSON.stringify({ session: "counter/x", to: "b" }));
    expect([moved.status, await moved.json()]).toMatchObject([200, { from: "a#1", to: "b#1" }]);
    const drained = await post("/drain", JSON.stringify({ node: "b", to: "a", deadlineMs: 5_000 }));
    expect([drained.status, await drained.json()]).toMatchObject([200, { node: "b", moved: 1, left: [] }]);
    await post("/cordon", "{}");
    const ready = await get("/readyz");
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, joined: true, cordoned: true }]);
    expect((await get("/healthz")).status).toBe(200);
    for (const node of ["a", "b"]) await post("/cordon", JSON.stringify({ node, cordoned: false }));
    expect((await get("/readyz")).status).toBe(200);
  });

  test.each([
    ["GET", "/nothing", undefined, 404, "E_ROUTE_UNKNOWN", "there are: GET /status"],
    ["GET", "/constructor", undefined, 404, "E_ROUTE_UNKNOWN", "no GET /constructor"],
    ["GET", "/move", undefined, 404, "E_ROUTE_UNKNOWN", "no GET /move"],
    ["DELETE", "/status", undefined, 404, "E_ROUTE_UNKNOWN", "no DELETE /status"],
    ["GET", "/where", undefined, 400, "E_CONFIG_INVALID", '"session" is missing'],
    ["GET", "/where?session=x", undefined, 400, "E_SESSION_KEY_INVALID", "kind/id"],
    ["GET", "/where?session=counter/none", undefined, 404, "E_SESSION_UNKNOWN", "counter/none"],
    ["GET", "/profile?kind=none", undefined, 409, "E_KIND_UNKNOWN", "none"],
    ["GET", "/profile?limit=1001", undefined, 400, "E_CONFIG_INVALID", '"limit" must be a whole number from 0 to 200'],
    ["GET", "/sessions?limit=many", undefined, 400, "E_CONFIG_INVALID", '"limit"'],
    ["POST", "/move", "{", 400, "E_CONFIG_INVALID", "not JSON"],
    ["POST", "/move", "[]", 400, "E_CONFIG_INVALID", "JSON object"],
    ["POST", "/move", '{"session":"counter/x","to":"mars"}', 404, "E_NODE_UNKNOWN", "there are: a, b"],
    ["POST", "/drain", '{"speed":1}', 400, "E_CONFIG_INVALID", 'no "speed"'],
    ["POST", "/drain", `{"node":"${"a".repeat(MAX_BODY_BYTES)}"}`, 413, "E_FRAME_TOO_LARGE", "1024"],
  ])("%s %s %s is %i %s", async (method, path, body, status, code, says) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(at(path), { method, headers, ...(body !== undefined && { body }) });
    const { error } = (await response.json()) as { error: unknown };
    expect(response.status).toBe(status);
    expect(error).toEqual({ code, message: expect.stringContaining(says), details: expect.any(Object) });
  });

  test("the details of an error come along", async () => {
    const response = await post("/drain", '{"node":"mars"}');
    expect(await response.json()).toMatchObject({ error: { code: "E_NODE_UNKNOWN", details: { node: "mars", known: "a, b" } } });
  });

  test("a body that a page in a browser could send without asking is refused", async () => {
    const response = await post("/drain", "{}", "text/plain");
    expect(response.status).toBe(400);
    expect(cluster.node("a").status().cordoned).toBe(false);
  });

  test("a body that never ends is answered before it does", async () => {
    const request = httpRequest(at("/drain"), { method: "POST", headers: { "content-type": "application/json" } });
    request.on("error", () => undefined); // the server ends the connection
    request.write(" ".repeat(MAX_BODY_BYTES + 1));
    const status = await new Promise((resolve) => request.once("response", (response) => resolve(response.statusCode)));
    expect(status).toBe(413);
    request.destroy();
  });

  test("a name that was pointed at this machine does not open it", async () => {
    const ask = (host: string) =>
      new Promise((resolve) => {
        httpRequest(at("/status"), { headers: { host } }, (response) => resolve(response.resume().statusCode)).end();
      });
    expect(await ask("evil.example:80")).toBe(401);
    expect(await ask("localhost:7500")).toBe(200);
    expect(await ask("[::1]:7500")).toBe(200);
  });

  test("metrics are what the node counts", async () => {
    const before = cluster.node("a").status().moves.moved;
    await post("/move", JSON.stringify({ session: "counter/x", to: "b" }));
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain(`sojourn_moves_total{outcome="moved",node="a"} ${before + 1}\n`);
    expect(text).toContain('sojourn_sessions{role="owner",node="a"} 0\n');
    expect(text).toContain('sojourn_joined{node="a"} 1\n');
    expect(text).toContain('sojourn_peers_up{node="a"} 1\n');
    expect(Number(/^sojourn_move_blackout_seconds\{quantile="0.5",node="a"\} (.*)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(Number(/^sojourn_memory_bytes\{kind="resident",node="a"\} (.*)$/m.exec(text)?.[1])).toBeGreaterThan(1e6);
    expect(text).toContain('sojourn_event_loop_delay_seconds{quantile="0.99",node="a"}');
    expect(Number(/^sojourn_turns_total\{kind="counter",node="a"\} (.*)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(text).toContain(`sojourn_kind_moves_total{kind="counter",node="a"} ${before + 1}\n`);
    // Scraping again adds nothing.
    expect(await (await get("/metrics")).text()).toContain(`sojourn_moves_total{outcome="moved",node="a"} ${before + 1}\n`);
  });
});

describe("a token", () => {
  let cluster: Nodes;
  beforeAll(async () => {
    cluster = await startNodes(["a"], {}, { admin: { host: "0.0.0.0", token: "s3cret" } });
  });
  afterAll(() => cluster.close());
  const ask = async (path: string, authorization?: string) => {
    const url = (cluster.node("a").adminEndpoint ?? "").replace("0.0.0.0", "127.0.0.1");
    return fetch(url + path, { headers: authorization === undefined ? {} : { authorization } });
  };

  test.each([undefined, "s3cret", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret"])("%s is refused", async (authorization) => {
    const response = await ask("/status", authorization);
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    expect(await response.json()).toMatchObject({ error: { code: "E_ADMIN_REFUSED" } });
    expect((await ask("/metrics", authorization)).status).toBe(401);
  });

  test("the right one opens, and probes need none", async () => {
    expect((await ask("/status", "Bearer s3cret")).status).toBe(200);
    expect((await ask("/healthz")).status).toBe(200);
    expect((await ask("/readyz")).status).toBe(200);
  });

  test("is needed where other machines can reach the API, and may not be empty", async () => {
    await expect(startNodes(["x"], {}, { admin: { host: "0.0.0.0" } })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
    await expect(startNodes(["x"], {}, { admin: { token: "" } })).rejects.toMatchObject({ code: "E_CONFIG_INVALID" });
  });

  test("a port that is taken is named", async () => {
    const port = Number(new URL(cluster.node("a").adminEndpoint ?? "").port);
    await expect(startNodes(["x"], {}, { admin: { port } })).rejects.toMatchObject({
      code: "E_CONFIG_INVALID",
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
  });
});
