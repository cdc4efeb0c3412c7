import { describe, expect, it } from "vitest";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { ParkedInputs } from "./parked-inputs.js";

const input = (link: string, seq: number): PeerMessageOf<"input"> => ({
  t: "input",
  session: "counter/one",
  hops: 0,
  ingress: "a#1",
  link,
  generation: 1,
  seq,
  ack: 0,
  action: "add",
  payload: new Uint8Array(),
});

describe("parked inputs", () => {
  it("gives each input when its turn has come, per link", () => {
    const parked = new ParkedInputs(10);
    for (const seq of [5, 3, 4]) parked.park(input("x", seq));
    parked.park(input("y", 3));
    expect(parked.size).toBe(2);
    expect(parked.next("x", 2)).toBeNull();
    expect(parked.next("x", 3)?.seq).toBe(3);
    expect(parked.next("x", 3)).toBeNull();
    expect(parked.next("x", 4)?.seq).toBe(4);
    expect(parked.next("x", 5)?.seq).toBe(5);
    expect(parked.size).toBe(1);
  });

  it("forgets what came before the one that is taken out, and a link that has ended", () => {
    const parked = new ParkedInputs(10);
    for (const seq of [3, 4, 6]) parked.park(input("x", seq));
    expect(parked.next("x", 5)).toBeNull();
    expect(parked.takeAll().map(({ seq }) => seq)).toEqual([6]);
    parked.park(input("x", 3));
    parked.forget("x");
    expect(parked.size).toBe(0);
  });

  it("is bounded per link; what is over the bound is dropped, and sent again by its client", () => {
    const parked = new ParkedInputs(2);
    for (const seq of [3, 4, 5]) parked.park(input("x", seq));
    parked.park(input("y", 9));
    expect(parked.takeAll().map(({ link, seq }) => [link, seq])).toEqual([
      ["x", 3],
      ["x", 4],
      ["y", 9],
    ]);
  });

  it("takes all out in order of their numbers", () => {
    const parked = new ParkedInputs(10);
    for (const seq of [9, 3, 7]) parked.park(input("x", seq));
    expect(parked.takeAll().map(({ seq }) => seq)).toEqual([3, 7, 9]);
    expect(parked.takeAll()).toEqual([]);
  });
});
