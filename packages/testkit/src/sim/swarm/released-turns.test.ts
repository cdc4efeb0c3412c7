import { expect, it } from "vitest";
import { ReleasedTurns, type ReleaseVerdict } from "./released-turns.js";

/** An owner whose session has the same hash at each version; `turn` tells two chains apart. */
function release(turns: ReleasedTurns, epoch: number, version: number, chain = 0): ReleaseVerdict {
  return turns.release({ epoch, version, hashAt: (at) => at * 10 + chain });
}

it("takes what goes on from what was released, and what a successor has released already", () => {
  const turns = new ReleasedTurns();
  expect(release(turns, 1, 3)).toBe("fine");
  expect(release(turns, 2, 5)).toBe("fine");
  expect(release(turns, 1, 4)).toBe("fine");
  expect([turns.version, turns.epoch]).toEqual([5, 2]);
});

it("tells of an old owner that releases more than its successor, and of turns that contradict or go on from others", () => {
  const turns = new ReleasedTurns();
  release(turns, 2, 5);
  expect(release(turns, 1, 6)).toBe("late");
  expect(release(turns, 1, 4, 1)).toBe("otherTurn");
  expect(release(turns, 3, 7, 1)).toBe("continuesOther");
});

it("judges an owner by the life that its epoch belongs to, up to where that life has ended", () => {
  const turns = new ReleasedTurns();
  release(turns, 17, 29);
  release(turns, 18, 32);
  turns.ending(18, 33);
  turns.begin(18, false);
  expect(release(turns, 19, 5)).toBe("fine");
  expect(release(turns, 17, 30)).toBe("fine");
  expect(release(turns, 18, 33)).toBe("fine");
  expect([turns.version, turns.epoch]).toEqual([5, 19]);
  expect(release(turns, 17, 34)).toBe("late");
  expect(release(turns, 17, 31, 1)).toBe("otherTurn");
  turns.begin(19, true);
  expect(release(turns, 19, 6)).toBe("ofLostLife");
  expect(release(turns, 17, 30)).toBe("fine");
  expect(release(turns, 21, 1)).toBe("fine");
});
