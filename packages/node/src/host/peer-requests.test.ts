import { expect, it } from "vitest";
import { createSystemClock } from "../system/clock.js";
import { PeerRequests } from "./peer-requests.js";

/** A clock whose time limits run out when the test says so. */
function stage() {
  const due: (() => void)[] = [];
  const clock = {
    ...createSystemClock(),
    schedule: (_delayMs: number, task: () => void) => {
      due.push(task);
      return { cancel: () => due.splice(due.indexOf(task), 1) };
    },
  };
  const sent: number[] = [];
  const requests = new PeerRequests<string>(clock, 100, "who knows");
  const ask = (to: string) => requests.ask(to, (request) => sent.push(request) > 0);
  return { requests, ask, sent, due };
}

it("gives each question its answer, only from who was asked, and holds no time limit afterwards", async () => {
  const { requests, ask, sent, due } = stage();
  const [first, second] = [ask("b#1"), ask("c#1")];
  requests.answered("b#1", sent[1] as number, "not from b");
  requests.answered("c#1", sent[1] as number, "two");
  requests.answered("b#1", sent[0] as number, "one");
  requests.answered("b#1", sent[0] as number, "again");
  expect(await Promise.all([first, second])).toEqual(["one", "two"]);
  expect(due).toHaveLength(0);
});

it("ends in a named error when nobody can be reached, nobody answers, or this life is over", async () => {
  const { requests, ask, due } = stage();
  const unreachable = { code: "E_PEER_UNREACHABLE" };
  await expect(requests.ask("b#1", () => false)).rejects.toMatchObject(unreachable);
  const late = ask("b#1");
  due[0]?.();
  await expect(late).rejects.toMatchObject({ ...unreachable, message: "node b#1 did not answer; who knows" });
  const [ended, other] = [ask("b#1"), ask("c#1")];
  requests.ended("b#1");
  await expect(ended).rejects.toMatchObject({ ...unreachable, message: "the lease of node b#1 has ended; who knows" });
  requests.answered("c#1", 4, "still there");
  expect(await other).toBe("still there");
  const cut = ask("b#1");
  requests.stop();
  await expect(cut).rejects.toMatchObject({ code: "E_LEASE_ENDED" });
});
