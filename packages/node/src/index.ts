export { connectDirectory, type DirectoryClientOptions } from "./directory/client.js";
export { type DirectoryServer, type DirectoryServerOptions, startDirectoryServer } from "./directory/server.js";
