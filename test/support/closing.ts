import { afterEach } from "vitest";

/** Gives a way to have things closed after the test that opened them, the latest first. Call it once, at the top of a test file. */
export function closingAfterEach(): <T>(thing: T, close: (thing: T) => unknown) => T {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  return (thing, close) => {
    closers.unshift(() => close(thing));
    return thing;
  };
}
