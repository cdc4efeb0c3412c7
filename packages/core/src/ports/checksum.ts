/** CRC-32 (IEEE 802.3) of `bytes`, continued from `seed`; unsigned. Integrity against accidents, not against attackers. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;
