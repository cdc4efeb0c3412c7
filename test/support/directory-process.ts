import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ENTRY = fileURLToPath(new URL("./directory-child.mjs", import.meta.url));

/** A directory in a process of its own. */
export interface DirectoryProcess {
  readonly endpoint: string;
  /** As a crash would. */
  kill(): Promise<void>;
}

/** Starts a directory over what its folder holds. Port 0 takes a free one. */
export async function startDirectoryProcess(folder: string, port: number): Promise<DirectoryProcess> {
  const child = fork(ENTRY, [folder, String(port)], { execArgv: [] });
  const exited = once(child, "exit");
  const endpoint = await Promise.race([
    once(child, "message").then(([message]) => message as string),
    exited.then(([code]) => Promise.reject(new Error(`the directory ended with ${code}`))),
  ]);
  return {
    endpoint,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
