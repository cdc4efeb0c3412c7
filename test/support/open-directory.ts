import { type Directory, resolveLimits } from "@sojourn/core";
import { connectDirectory, createSystemClock, createSystemRandom, type DirectoryClientOptions, systemCrc32 } from "@sojourn/node";

/** A client of a directory process, as a node has one. */
export function openDirectory(endpoint: string, more: Partial<DirectoryClientOptions> = {}): Directory {
  return connectDirectory({
    endpoint,
    limits: resolveLimits(),
    clock: createSystemClock(),
    random: createSystemRandom(),
    crc32: systemCrc32,
    ...more,
  });
}
