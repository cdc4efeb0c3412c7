import { ByteWriter, encodePeerMessage, type PeerMessage } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import { expect, it } from "vitest";
import { OldAnswers } from "./old-answers.js";

const encode = (message: PeerMessage) => encodePeerMessage(new ByteWriter(), systemCrc32, message).slice();
const taken = (session: string, epoch: number) => encode({ t: "taken", session, epoch, attempt: epoch, version: 1, blackoutMs: 1 });
/** Only the session matters of it. */
const granted = (session: string) => encode({ t: "fence", session, epoch: 9 });

it("brings the latest answer back that the granter has had from the same node for the same session", () => {
  const answers = new OldAnswers();
  answers.taken("b#1", "a#1", taken("x/1", 2));
  answers.taken("b#1", "a#1", taken("x/1", 4));
  answers.taken("c#1", "a#1", taken("x/1", 6));
  answers.taken("b#1", "a#1", taken("x/2", 8));
  expect(answers.granted("a#1", "b#1", granted("x/1")), "not wanted").toBeNull();
  answers.want();
  expect(answers.granted("a#1", "d#1", granted("x/1")), "never answered").toBeNull();
  expect(answers.granted("a#1", "b#1", granted("x/1"))).toEqual(taken("x/1", 4));
  expect(answers.granted("a#1", "b#1", granted("x/1")), "wanted once").toBeNull();
});

it("keeps nothing that is damaged", () => {
  const answers = new OldAnswers();
  answers.taken("b#1", "a#1", taken("x/1", 2).fill(0, 3, 5));
  answers.want();
  expect(answers.granted("a#1", "b#1", granted("x/1"))).toBeNull();
});
