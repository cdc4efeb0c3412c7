export { type Audit, Companion, type CompanionCalls, type CompanionCounts, type CompanionOptions, type ReportReply } from "./companion.js";
export { type DurationSummary, Durations } from "./durations.js";
export { inTime } from "./in-time.js";
export { lostOf, newTally, observe, type Tally } from "./tally.js";
