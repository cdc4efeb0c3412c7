import { InMemoryDirectory } from "@sojourn/core";

import { expect, it } from "vitest";
import { counter } from "../test-support/node-trio.js";
import { createNode } from "./create-node.js";
import { createSystemClock } from "./system/clock.js";

it("says who it is from the first handshake on, though it hears of others before it has wholly joined", async () => {
  const directory = new InMemoryDirectory(createSystemClock());
  const incidents: string[] = [];
  const up: string[] = [];
  let connected = () => {};
  const bothUp = new Promise<void>((resolve) => {
    connected = resolve;
  });
  const start = (id: string) =>
    createNode({
      id,
      sessions: [counter],
      directory: directory.open(),
      on: {
        incident: (_, code, message) => incidents.push(`${id}: ${code} ${message}`),
        peerUp: (peer) => up.push(peer) === 2 && connected(),
      },
    });
  const nodes = [await start("a"), await start("b")];
  await bothUp;
  expect(up.sort()).toEqual(["a#1", "b#1"]);
  expect(incidents).toEqual([]);
  await Promise.all(nodes.map((node) => node.close()));
  await directory.close();
});
