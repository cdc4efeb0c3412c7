import type { ClientFrame } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { resolveClientLimits } from "./client-limits.js";
import { Inputs } from "./inputs.js";
import type { ClientEnv } from "./ports.js";

const NOTHING = new Uint8Array();

function inputsOf() {
  const sent: number[] = [];
  const env = {
    limits: resolveClientLimits(),
    clock: { now: () => 0, wallNow: () => 0, schedule: () => ({ cancel: () => undefined }) },
  } as unknown as ClientEnv;
  const inputs = new Inputs(env, {
    send: (frame: ClientFrame) => {
      if (frame.t === "input") sent.push(frame.seq);
    },
    takeAck: () => 0,
    deaf: () => undefined,
  });
  return { inputs, sent, push: (count: number) => Array.from({ length: count }, () => inputs.push("say", NOTHING)) };
}

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("the inputs of a client", () => {
  it("go out at once on a channel that stands, however many", () => {
    const { inputs, sent, push } = inputsOf();
    inputs.resume();
    push(300);
    expect(sent).toEqual(upTo(300));
  });

  it("that waited for a channel go out in bursts that follow what is acknowledged, and grow", () => {
    const { inputs, sent, push } = inputsOf();
    push(600);
    inputs.resume();
    expect(sent).toEqual(upTo(64));
    push(1); // behind the backlog
    expect(sent.length).toBe(64);
    inputs.ack(64);
    expect(sent).toEqual(upTo(192));
    inputs.ack(192);
    expect(sent).toEqual(upTo(448));
    inputs.ack(448);
    expect(sent).toEqual(upTo(601));
    push(2);
    expect(sent).toEqual(upTo(603));
  });

  it("that were handled before the channel was lost are not sent again, and what follows them is", () => {
    const { inputs, sent, push } = inputsOf();
    push(100);
    inputs.ack(90);
    inputs.resume();
    expect(sent).toEqual(upTo(100, 91));
    push(1);
    expect(sent.at(-1)).toBe(101);
  });

  it("are sent from the first unacknowledged one on every new channel", () => {
    const { inputs, sent, push } = inputsOf();
    push(70);
    inputs.resume();
    inputs.pause();
    push(1);
    sent.length = 0;
    inputs.resume();
    inputs.ack(10);
    expect(sent).toEqual(upTo(71));
  });

  it("begin with the number that the session says", () => {
    const { inputs, sent, push } = inputsOf();
    inputs.resume();
    push(3);
    inputs.reset(10);
    sent.length = 0;
    push(2);
    expect(sent).toEqual([10, 11]);
  });
});
