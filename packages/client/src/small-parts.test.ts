import { LIMITS } from "@sojourn/core";
import { expect, test, vi } from "vitest";
import { setup } from "../test-support/setup.js";
import { CLIENT_LIMITS, resolveClientLimits } from "./client-limits.js";
import { connect } from "./connect.js";
import { Emitter } from "./emitter.js";
import { Endpoints } from "./endpoints.js";
import { SessionClient } from "./session-client.js";
import { verdictOn } from "./verdict.js";

test("the client's limits are those of the catalogue", () => {
  for (const [name, row] of Object.entries(CLIENT_LIMITS)) {
    const bound = LIMITS[name as keyof typeof CLIENT_LIMITS];
    expect([name, ...row]).toEqual([name, bound.default, bound.min, bound.max]);
  }
});

test.each([[{ nonsense: 1 }], [{ ackDelayMs: -1 }], [{ ackDelayMs: 1.5 }], [{ toString: 1 }]])("limits %o are refused", (limits) => {
  expect(() => resolveClientLimits(limits as object)).toThrow(expect.objectContaining({ code: "E_LIMIT_INVALID" }));
});

test("verdicts", () => {
  const verdict = (code: string, retryAfterMs = 0) => verdictOn({ t: "problem", code, message: "", fatal: true, retryAfterMs });
  for (const code of ["E_AUTH_REFUSED", "E_KIND_UNKNOWN", "E_SESSION_KEY_INVALID", "E_PROTOCOL_VERSION", "E_SESSION_ENDED"]) {
    expect([code, verdict(code), verdict(code, 100)]).toEqual([code, "final", "final"]);
  }
  for (const code of ["E_LINK_TOKEN", "E_LINK_UNKNOWN", "E_SEQUENCE_INVALID"]) expect([code, verdict(code)]).toEqual([code, "renew"]);
  for (const code of [
    "E_LINK_REPLACED",
    "E_LINK_OVERFLOW",
    "E_LINK_EXPIRED",
    "E_QUEUE_FULL",
    "E_SESSION_BUSY",
    "E_NODE_STOPPING",
    "E_NOT_OWNER",
  ]) {
    expect([code, verdict(code)]).toEqual([code, "again"]);
  }
  expect([verdict("E_FROM_THE_FUTURE"), verdict("E_FROM_THE_FUTURE", 10)]).toEqual(["final", "again"]);
});

test("endpoints are tried in turn, a preferred one next, and the oldest learned one makes room", () => {
  const endpoints = new Endpoints(["a", "b"], 3);
  const take = (count: number) => Array.from({ length: count }, () => endpoints.take()).join("");
  expect(take(3)).toBe("aba");
  endpoints.prefer("c");
  expect(take(4)).toBe("cabc");
  endpoints.prefer("d");
  expect(take(4)).toBe("dabd");
  endpoints.prefer("a", true);
  expect(take(3)).toBe("bda");
});

test("a listener that throws harms no other, and its error is reported", () => {
  const report = vi.fn();
  const emitter = new Emitter(report);
  const heard: number[] = [];
  emitter.on("x", () => {
    throw new Error("bug");
  });
  const second = (value: number) => heard.push(value);
  emitter.on("x", second);
  emitter.emit("x", 1);
  emitter.off("x", second);
  emitter.emit("x", 2);
  expect(heard).toEqual([1]);
  expect(report).toHaveBeenCalledTimes(2);
});

test("on, once and off", () => {
  const { clock, cluster, client } = setup();
  clock.advance(50);
  const heard: string[] = [];
  const stop = client.on("tick", () => heard.push("on"));
  client.once("tick", () => heard.push("once"));
  cluster.broadcast("tick", 1);
  clock.advance(10);
  cluster.broadcast("tick", 2);
  clock.advance(10);
  stop();
  cluster.broadcast("tick", 3);
  clock.advance(10);
  expect(heard).toEqual(["on", "once", "on"]);
});

test("open resolves when live, and rejects with what refused the client", async () => {
  const good = setup();
  const opening = SessionClient.open(good.env, { session: "room/1", endpoints: ["ws://a"], auth: null });
  good.clock.advance(50);
  expect((await opening).status).toBe("live");

  const bad = setup();
  bad.cluster.refusal = { code: "E_KIND_UNKNOWN", message: "no such kind", fatal: true, retryAfterMs: 0 };
  const refused = SessionClient.open(bad.env, { session: "nope/1", endpoints: ["ws://a"], auth: null });
  bad.clock.advance(50);
  await expect(refused).rejects.toMatchObject({ code: "E_KIND_UNKNOWN", message: "no such kind" });
});

test("open gives up in time, and says what stood in the way", async () => {
  const { clock, cluster, env, client } = setup({ limits: { connectTimeoutMs: 5_000 } });
  client.close();
  cluster.refusal = { code: "E_SESSION_BUSY", message: "busy", fatal: true, retryAfterMs: 10 };
  const opening = SessionClient.open(env, { session: "room/1", endpoints: ["ws://a"], auth: null });
  clock.advance(5_100);
  await expect(opening).rejects.toMatchObject({ code: "E_CONNECT_FAILED", cause: { code: "E_SESSION_BUSY" } });
  clock.advance(100);
  expect(clock.pending).toBe(0);
});

test.each([
  [{ endpoints: [], session: "room/1" }, "E_CONFIG_INVALID"],
  [{ endpoints: ["http://x"], session: "room/1" }, "E_CONFIG_INVALID"],
  [{ endpoints: ["ws://x"], session: "room" }, "E_SESSION_KEY_INVALID"],
  [{ endpoints: ["ws://x"], session: "room/1", limits: { ackDelayMs: -1 } }, "E_LIMIT_INVALID"],
])("connect refuses %o with %s", async (options, code) => {
  const webSocket = () => {
    throw new Error("not reached");
  };
  await expect(connect({ webSocket, ...options })).rejects.toMatchObject({ code });
});
