export type { Fencing } from "./detect-fencing.js";
export { openS3SessionStore, type S3SessionStoreOptions } from "./session-store.js";
