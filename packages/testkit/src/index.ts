export { directoryConformance } from "./directory-conformance.js";
export type { ConformanceCase, DirectoryConformanceOptions, DirectoryUnderTest } from "./directory-under-test.js";
export { Recorder } from "./recorder.js";
export { VirtualClock, type VirtualClockOptions } from "./virtual-clock.js";
