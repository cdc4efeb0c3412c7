export type { ConformanceCase } from "../directory-under-test.js";
export { barrier, bytesOf, History, type Shown, show, takeOver } from "./history.js";
export { storeConformance } from "./store-conformance.js";
export type { DamagedPart, StoreConformanceOptions, StoreUnderTest } from "./store-under-test.js";
