export { type DiskDirectoryStoreOptions, openDiskDirectoryStore } from "./directory-store.js";
