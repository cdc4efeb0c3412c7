export type { IoredisClient, NodeRedisClient, RedisClient } from "./client.js";
export { openRedisSessionStore, type RedisSessionStoreOptions } from "./session-store.js";
