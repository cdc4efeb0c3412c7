import type { NodeRef } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { Stage } from "./nasty-stage.js";
import { RawClient } from "./raw-client.js";
import type { Frame } from "./taps.js";

const LOST = { copies: 0, extraMs: 0 } as const;
const ALWAYS = { times: 10_000 } as const;
const FIRST = "token-1-of-the-link";

/** A client's hello at c is followed by a copy of it that an earlier socket, at d, had sent; both answers wait for a copy of the session. */
async function overtaken() {
  const stage = await Stage.open({ seed: 143, nodes: ["a", "b", "c", "d"], limits: { standbys: 1 }, talkers: { ann: "a" } });
  const { cluster, key, standby } = stage;
  let held = true;
  const heard = new Set<NodeRef>();
  // Both say it again while nobody answers; the last that is heard is to be the earlier one.
  const repeated = ({ from, message }: Frame): boolean => message.t === "attach" && message.nextToken === FIRST && heard.has(from);
  stage.taps.onFrame("attach", (frame) => (repeated(frame) ? LOST : void heard.add(frame.from)), ALWAYS);
  stage.taps.onFrame(
    ({ message }) => message.t === "ack" && held,
    () => LOST,
    { ...ALWAYS, from: standby },
  );
  const ingresses = ["b", "c", "d"].filter((id) => id !== standby);
  const [client, earlier] = await Promise.all(ingresses.map((id) => RawClient.open(cluster, key, id)));
  if (client === undefined || earlier === undefined) throw new Error("two other nodes are there");
  for (const [i, socket] of [client, earlier].entries()) {
    socket.hello("late-0123456789abcdef", "token-0-of-the-link", FIRST);
    await cluster.untilTrue("the attach is under way", () => heard.size > i, 100);
  }
  await cluster.clock.run(20);
  earlier.close();
  await cluster.clock.run(20);
  return {
    stage,
    client,
    release: () => {
      held = false;
    },
  };
}

describe("a late copy of an earlier hello is handled after a client's newest one", () => {
  it("which is told to say hello again, and is served then", async () => {
    const { stage, client, release } = await overtaken();
    release();
    await client.next("welcome");
    expect(await client.next("problem")).toMatchObject({ code: "E_LINK_REPLACED", fatal: false });
    client.hello("late-0123456789abcdef", FIRST, "token-2-of-the-link", { epoch: 1, generation: 1 });
    await client.next("welcome");
    client.input(1, "add", 1);
    await client.next("output");
    expect(await stage.settle()).toEqual([]);
  });

  it("also when the first word of that is lost: its next message says that it waits", async () => {
    const { stage, client, release } = await overtaken();
    const unlinked = stage.taps.onFrame("unlink", () => LOST);
    release();
    await client.next("welcome");
    await stage.cluster.clock.run(50);
    expect(unlinked.times).toBe(1);
    client.input(1, "add", 1);
    expect(await client.next("problem")).toMatchObject({ code: "E_LINK_REPLACED", fatal: false });
    expect(await stage.settle()).toEqual([]);
  });
});
