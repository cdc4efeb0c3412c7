import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SojournError } from "@sojourn/core";

/** What `sojourn dev` writes down, so that the other commands find the cluster. */
export interface ClusterFile {
  /** The process that runs the cluster. */
  readonly pid: number;
  readonly directoryEndpoint: string;
  readonly nodes: readonly { readonly id: string; readonly clientEndpoint: string; readonly adminEndpoint: string; readonly pid: number }[];
}

/** The folder that `sojourn dev` keeps its data in unless told otherwise. */
export const DATA_FOLDER = ".sojourn";
const FILE = "cluster.json";

/** Replaces the file whole, so that nobody reads half of it. */
export function writeClusterFile(dataDir: string, cluster: ClusterFile): void {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(cluster, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Removes what `writeClusterFile` wrote. */
export function removeClusterFile(dataDir: string): void {
  rmSync(join(dataDir, FILE), { force: true });
}

/** The cluster that was started from this data folder; null when there is none. @throws SojournError `E_DISK` */
export function readClusterFile(dataDir: string): ClusterFile | null {
  const path = join(dataDir, FILE);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  try {
    const cluster = JSON.parse(text) as ClusterFile;
    if (Number.isInteger(cluster.pid) && Array.isArray(cluster.nodes)) return cluster;
  } catch {
    // told below
  }
  throw new SojournError("E_DISK", `${path} is not what sojourn dev writes; delete it`, { path });
}

/** The cluster of this folder or of the nearest one above it. */
export function findCluster(folder: string): ClusterFile | null {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const cluster = readClusterFile(join(at, DATA_FOLDER));
    if (cluster !== null || at === dirname(at)) return cluster;
  }
}

/** Whether a process runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
