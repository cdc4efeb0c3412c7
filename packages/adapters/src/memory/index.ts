export { createMemoryDirectoryStore } from "./directory-store.js";
