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
});
