import { describe, expect, it } from "vitest";
import { Stage } from "./nasty-stage.js";
import { RawClient } from "./raw-client.js";

const LOST = { copies: 0, extraMs: 0 } as const;

describe("a link that ends", () => {
  it("in a turn that is not released yet is not called unknown: its client is told why it ended, and only then [12]", async () => {
    const stage = await Stage.open({ seed: 151, talkers: {}, limits: { maxOutboxMessages: 4 } });
    const { cluster, key, standby } = stage;
    const client = await RawClient.open(cluster, key, "a");
    client.hello("idle-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    await client.next("welcome");
    let cut = true;
    const held = stage.taps.onFrame(
      ({ message }) => cut && message.t === "ack",
      () => LOST,
      { times: 10_000, from: standby },
    );
    // Each brings two messages; none is confirmed.
    for (let seq = 1; seq <= 4; seq++) client.input(seq, "add", { who: "idle", n: seq });
    await stage.run(50);
    expect([held.times > 0, client.received]).toEqual([true, []]);
    cut = false;
    expect(await client.next("problem")).toMatchObject({ code: "E_LINK_OVERFLOW", fatal: true });
  });

  it("and is begun anew by a late copy of its last hello does not go on under its old numbers", async () => {
    const stage = await Stage.open({ seed: 152, talkers: {}, limits: { maxOutboxMessages: 4, linkGraceMs: 60_000 } });
    const { cluster, key, standby, target } = stage;
    const client = await RawClient.open(cluster, key, "a");
    client.hello("idle-0123456789abcdef", "token-0-of-the-link", "token-1-of-the-link");
    const { epoch, generation } = await client.next("welcome");
    let cut = true;
    stage.taps.onFrame(
      ({ message }) => cut && message.t === "ack",
      () => LOST,
      { times: 10_000, from: standby },
    );
    // It switches; its ingress asks again and again, while what it says over the old socket fills its outbox.
    const attach = stage.taps.onFrame("attach", () => undefined, { times: 10_000 });
    const switched = await RawClient.open(cluster, key, target);
    switched.hello("idle-0123456789abcdef", "token-1-of-the-link", "token-2-of-the-link", { epoch, generation });
    await stage.until("it is asked for", () => attach.times > 0, 100);
    for (let seq = 1; seq <= 4; seq++) client.input(seq, "add", { who: "idle", n: seq });
    await stage.until("it is asked for again", () => attach.times > 1, 2_000);
    await stage.run(20);
    cut = false;
    const welcome = await switched.next("welcome");
    expect(welcome).toMatchObject({ recovered: true, lastIn: 0 });
    const again = await RawClient.open(cluster, key, "a");
    const known = { epoch, generation: welcome.generation, sent: 4 };
    again.hello("idle-0123456789abcdef", "token-2-of-the-link", "token-3-of-the-link", known);
    expect(await again.next("welcome")).toMatchObject({ recovered: false, reason: "E_LINK_EXPIRED", lastIn: 0 });
  });
});
