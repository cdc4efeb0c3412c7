import { readFileSync } from "node:fs";

/** Bytes that this process has read (`rchar`) from, or given (`wchar`) to, sockets and files so far, as Linux counts them. */
export function ioBytes(which: "rchar" | "wchar"): number {
  const count = new RegExp(`^${which}: (\\d+)$`, "m").exec(readFileSync("/proc/self/io", "utf8"))?.[1];
  return Number(count);
}
