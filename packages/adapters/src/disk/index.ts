export { type DiskDirectoryStoreOptions, openDiskDirectoryStore } from "./directory-store.js";
export { type DiskSessionStoreOptions, openDiskSessionStore } from "./session-store.js";
