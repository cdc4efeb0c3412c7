import { describe, expect, it } from "vitest";
import { action, defineSession } from "./define-session.js";
import type { SessionDefinition } from "./definition.js";
import { Driver, testEnv } from "./session.fixture.test.js";
import type { TurnResult } from "./types.js";

/** Counts how often a turn entered its scope. */
function counted(definition: SessionDefinition) {
  const { scope } = testEnv();
  let entered = 0;
  const env = testEnv({
    scope: {
      run: (turn, fn) => {
        entered++;
        return scope.run(turn, fn);
      },
      current: () => scope.current(),
    },
  });
  const driver = new Driver(definition, env);
  driver.attach("a");
  return { driver, entered: () => entered };
}

const kind = (actions: Parameters<typeof defineSession>[0]["actions"], rest: object = {}) =>
  defineSession({ name: "k", version: 1, state: () => ({ n: 0 }), actions, ...rest }) as SessionDefinition;

describe("turns enter their scope", () => {
  it("never, when nothing of the kind is asynchronous", () => {
    const { driver, entered } = counted(kind({ inc: action(null, (ctx) => ++(ctx.state as { n: number }).n) }));
    driver.call("a", "inc");
    expect([driver.last("a")?.value, entered()]).toEqual([1, 0]);
  });

  it.each([
    ["an action", { actions: { inc: action(null, () => 1), slow: action(null, async () => 2) } }],
    ["a hook", { actions: { inc: action(null, () => 1) }, onWake: async () => undefined }],
    ["a timer", { actions: { inc: action(null, () => 1) }, timers: { t: async () => undefined } }],
  ])("always, when %s is", (_, { actions, ...rest }) => {
    const { driver, entered } = counted(kind(actions as never, rest));
    const before = entered();
    driver.call("a", "inc");
    expect(entered()).toBe(before + 1);
  });

  it("from the second time on, when a plain function turns out to return a promise", async () => {
    let go: () => void = () => undefined;
    const { driver, entered } = counted(
      kind({
        sly: action(null, (ctx) =>
          new Promise<void>((resolve) => {
            go = resolve;
          }).then(() => ++(ctx.state as { n: number }).n),
        ),
      }),
    );
    for (const expected of [1, 2]) {
      const turn = driver.cell.run(driver.message("a", "sly"), true) as Promise<TurnResult>;
      go();
      await turn;
      expect(driver.last("a")).toMatchObject({ kind: "reply", value: expected });
    }
    expect(entered()).toBe(2); // its two steps the second time
  });
});
