export { askAdmin } from "./admin-client.js";
export {
  type LocalCluster,
  type LocalClusterOptions,
  type LocalNodeSpec,
  type NodeWiring,
  startLocalCluster,
} from "./cluster/local-cluster.js";
export type { LocalNode } from "./cluster/node-handle.js";
export type { ControlWiring, NodeProcessConfig, NodeProcessEvent } from "./node-process/messages.js";
export { type NodeProcess, runNodeProcess } from "./node-process/run-node-process.js";
