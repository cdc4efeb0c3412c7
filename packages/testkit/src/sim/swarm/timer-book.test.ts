import { expect, it } from "vitest";
import { TimerBook } from "./timer-book.js";

it("tells of a timer that fires early or was never armed, by the earliest of the turns that armed it", () => {
  let nowMs = 0;
  const told: string[] = [];
  const book = new TimerBook(
    () => nowMs,
    1.25,
    (text) => told.push(text),
  );
  book.armed("late", 100);
  book.armed("early", 100);
  nowMs = 50;
  book.armed("late", 100);
  book.fired("early");
  nowMs = 80;
  book.fired("late");
  book.fired("never");
  expect(told).toEqual(["I7: timer early fires 30.0 ms early", "I7: timer never fires although it was never armed"]);
});
