import { describe, expect, test } from "vitest";
import { parseCommand } from "./commands.js";

describe("parseCommand", () => {
  test.each([
    [{ command: "status" }, { command: "status" }],
    [{ command: "sessions" }, { command: "sessions", limit: 1_000 }],
    [
      { command: "sessions", node: "a", limit: 5 },
      { command: "sessions", node: "a", limit: 5 },
    ],
    [{ command: "profile" }, { command: "profile", limit: 20 }],
    [
      { command: "profile", node: "a", kind: "room", limit: 0 },
      { command: "profile", node: "a", kind: "room", limit: 0 },
    ],
    [
      { command: "where", session: "room/1" },
      { command: "where", session: "room/1" },
    ],
    [
      { command: "move", session: "room/1", to: "b" },
      { command: "move", session: "room/1", to: "b" },
    ],
    [{ command: "drain" }, { command: "drain" }],
    [
      { command: "drain", node: "a", deadlineMs: 5, to: "b" },
      { command: "drain", node: "a", deadlineMs: 5, to: "b" },
    ],
    [{ command: "cordon" }, { command: "cordon", cordoned: true }],
    [
      { command: "cordon", node: "a", cordoned: false },
      { command: "cordon", node: "a", cordoned: false },
    ],
    [
      { command: "accuse", node: "a" },
      { command: "accuse", node: "a", ended: false },
    ],
    [
      { command: "accuse", node: "a#17", ended: true },
      { command: "accuse", node: "a#17", ended: true },
    ],
  ])("takes %o", (given, command) => {
    expect(parseCommand(given)).toEqual(command);
  });

  test.each([
    [null, "JSON object"],
    [[], "JSON object"],
    [{}, "unknown command (none); there are: status, cluster"],
    [{ command: "reboot" }, 'unknown command "reboot"'],
    [{ command: "constructor" }, "unknown command"],
    [{ command: "status", session: "room/1" }, 'status takes no "session"; it takes: nothing'],
    [{ command: "sessions", limit: 0 }, '"limit" must be a whole number from 1 to 5000'],
    [{ command: "sessions", limit: "5" }, '"limit" must be a whole number'],
    [{ command: "profile", kind: 5 }, '"kind" must be the name'],
    [{ command: "where" }, '"session" is missing'],
    [{ command: "move", session: "room/1" }, 'move needs "to"'],
    [{ command: "strategy", session: "room/1", strategy: "auto" }, '"strategy" must be one of replica, hybrid, snapshot'],
    [{ command: "move", session: "room/1", to: "a b" }, '"to" must be the id of a node'],
    [{ command: "drain", deadlineMs: 0.5 }, '"deadlineMs" must be a whole number'],
    [{ command: "cordon", cordoned: "yes" }, '"cordoned" must be true or false'],
    [{ command: "accuse" }, 'accuse needs "node"'],
    [{ command: "accuse", node: "a#" }, 'accuse needs "node"'],
    [{ command: "accuse", node: "a#x" }, 'accuse needs "node"'],
    [{ command: "accuse", node: "a#NaN" }, 'accuse needs "node"'],
    [{ command: "accuse", node: "a b#1" }, 'accuse needs "node"'],
    [{ command: "accuse", node: "a", ended: "yes" }, '"ended" must be true or false'],
  ])("refuses %o", (given, message) => {
    expect(() => parseCommand(given)).toThrow(message);
    expect(() => parseCommand(given)).toThrow(expect.objectContaining({ code: "E_CONFIG_INVALID" }));
  });

  test("refuses what is not a session key by its own code", () => {
    expect(() => parseCommand({ command: "where", session: "room" })).toThrow(expect.objectContaining({ code: "E_SESSION_KEY_INVALID" }));
  });
});
