export { counter } from "./counter-session.js";
export { CALM, type FaultPlan, type Interceptor, type Verdict } from "./faults.js";
export { runScenario, type ScenarioOptions, type ScenarioReport } from "./scenario.js";
export { SeededRandom } from "./seeded-random.js";
export { type Incident, SimCluster, type SimNode, type SimOptions } from "./sim-cluster.js";
export { Talker, type TalkerReport } from "./talker.js";
export { type DirectoryFaults, VirtualDirectory, type WriteInterceptor, type WriteVerdict } from "./virtual-directory.js";
export { VirtualNetwork } from "./virtual-network.js";
export { VirtualSockets } from "./virtual-sockets.js";
