import type { Directory, SessionDefinition } from "@sojourn/core";
import { createNode, type NodeOptions, type SojournNode } from "@sojourn/node";

/** Nodes of one cluster in this process. */
export interface LocalNodes {
  readonly nodes: readonly SojournNode[];
  node(id: string): SojournNode;
  /** The node that runs the session. */
  owner(session: string): SojournNode;
  close(): Promise<void>;
}

/** What each node is made of. */
export type LocalNodeOptions = Pick<NodeOptions, "id"> & Partial<Omit<NodeOptions, "directory" | "sessions">>;

/** Starts nodes over real sockets and waits until all are connected both ways. Each gets a handle of the directory from `open`. */
export async function startLocalNodes(
  specs: readonly LocalNodeOptions[],
  sessions: readonly SessionDefinition[],
  open: () => Directory,
): Promise<LocalNodes> {
  let missing = specs.length * (specs.length - 1);
  let allUp = () => {};
  const up = new Promise<void>((resolve) => {
    allUp = resolve;
  });
  const handles: Directory[] = [];
  const nodes = await Promise.all(
    specs.map((spec) => {
      const directory = open();
      handles.push(directory);
      const peerUp: NonNullable<NodeOptions["on"]>["peerUp"] = (peer) => {
        spec.on?.peerUp?.(peer);
        missing--;
        if (missing === 0) allUp();
      };
      return createNode({ ...spec, sessions, directory, on: { ...spec.on, peerUp } });
    }),
  );
  if (missing > 0) await up;
  const find = (what: string, wanted: (node: SojournNode) => boolean): SojournNode => {
    const found = nodes.find(wanted);
    if (found === undefined) throw new Error(`no node ${what}`);
    return found;
  };
  return {
    nodes,
    node: (id) => find(id, (node) => node.id === id),
    owner: (session) => find(`owns ${session}`, (node) => node.runtime.host?.ownedKeys().includes(session) === true),
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
      await Promise.all(handles.map((directory) => directory.close()));
    },
  };
}
