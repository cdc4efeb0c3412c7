import { createServer } from "node:net";

/** Whether a port can be listened on right now. */
function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/** The wished port if it is free, else 0 (the system will give one). */
export async function freePort(host: string, wished: number): Promise<number> {
  return wished !== 0 && (await isFree(host, wished)) ? wished : 0;
}
