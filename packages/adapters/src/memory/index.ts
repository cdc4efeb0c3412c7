export { createMemoryDirectoryStore } from "./directory-store.js";
export { createMemorySessionStore, type MemorySessionStoreOptions, MemoryStoreContents } from "./session-store.js";
