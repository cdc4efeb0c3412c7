import { defineSession, InMemoryDirectory, type Limits, type SessionDefinition } from "@sojourn/core";
import { createNode, createSystemClock, type NodeOptions, type SojournNode } from "@sojourn/node";

/** A session that counts; clients call `add`. */
export const counter: SessionDefinition = defineSession({
  name: "counter",
  version: 1,
  state: () => ({ n: 0 }),
  actions: (action) => ({
    add: action(null, (ctx) => {
      ctx.state.n++;
      return ctx.state.n;
    }),
  }),
}) as SessionDefinition;

/** Nodes of one cluster in this process, over real sockets. */
export interface Nodes {
  readonly nodes: readonly SojournNode[];
  node(id: string): SojournNode;
  close(): Promise<void>;
}

/** Starts nodes and waits until all are connected both ways. */
export async function startNodes(ids: readonly string[], limits: Partial<Limits> = {}, extra: Partial<NodeOptions> = {}): Promise<Nodes> {
  const directory = new InMemoryDirectory(createSystemClock(), limits);
  let missing = ids.length * (ids.length - 1);
  let allUp = () => {};
  const up = new Promise<void>((resolve) => {
    allUp = resolve;
  });
  const nodes = await Promise.all(
    ids.map((id) =>
      createNode({
        id,
        sessions: [counter],
        directory: directory.open(),
        limits,
        admin: {},
        on: {
          peerUp() {
            missing--;
            if (missing === 0) allUp();
          },
        },
        ...extra,
      }),
    ),
  );
  if (missing > 0) await up;
  return {
    nodes,
    node(id) {
      const found = nodes.find((node) => node.id === id);
      if (found === undefined) throw new Error(`no node ${id}`);
      return found;
    },
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
      await directory.close();
    },
  };
}
