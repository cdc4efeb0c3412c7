import { crc32 as zlibCrc32 } from "node:zlib";
import type { Crc32 } from "@sojourn/core";

/** CRC-32 of zlib. */
export const systemCrc32: Crc32 = (bytes, seed = 0) => zlibCrc32(bytes, seed);
