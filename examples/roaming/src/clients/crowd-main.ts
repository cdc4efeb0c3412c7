// Entry of a process of clients. It is told what to do over the channel to its parent, and ends with it.
import { Crowd } from "./crowd.js";
import type { FromCrowd, ToCrowd } from "./messages.js";

let crowd: Crowd | null = null;

function tell(message: FromCrowd): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

process.on("message", (message: ToCrowd) => {
  switch (message.type) {
    case "start":
      crowd = new Crowd(message.config, tell);
      crowd.connect().catch(fail);
      return;
    case "positions":
      crowd?.moveTo(message.flat);
      return;
    case "go":
      crowd?.go();
      return;
    case "finish":
      crowd?.finish().catch(fail);
  }
});
process.once("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole group of processes; the parent ends the run in order.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
