export { CHAOS_USAGE, parseChaosOptions } from "./command-line.js";
export { FAULT_KINDS, type FaultKind } from "./faults.js";
export type { JoinOptions, Participant, Workload } from "./participant.js";
export { type ChaosReport, describeReport } from "./report.js";
export { type ChaosOptions, runChaos } from "./run-chaos.js";
export { type Carrier, Link, type LinkFaults, Switchboard } from "./switchboard.js";
export { betweenNodes, type Identify, layWire, type Parties, type Wire } from "./wire.js";
