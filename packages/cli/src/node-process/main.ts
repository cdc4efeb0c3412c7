// Entry of a node process that startLocalCluster forks. It is started and told to stop over the channel to its parent.
import { LEFT_SESSIONS_BEHIND, type NodeProcessConfig, type NodeProcessEvent, type ToNodeProcess } from "./messages.js";
import { failureOf, type NodeProcess, runNodeProcess } from "./run-node-process.js";

/** Exit codes of a node process besides 0 and LEFT_SESSIONS_BEHIND. */
const COULD_NOT_START = 1;
const COULD_NOT_STOP = 4;
/** Without a parent nobody else would end a process that hangs. */
const ORPHAN_PATIENCE_MS = 10_000;

let running: NodeProcess | null = null;
let leaving = false;

function tell(event: NodeProcessEvent): void {
  if (process.connected) process.send?.(event, undefined, {}, () => undefined); // a parent that goes away is noticed by "disconnect"
}

function exitAfter(work: Promise<number>): void {
  work.then(
    (code) => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(COULD_NOT_START);
    },
  );
}

function stop(): void {
  exitAfter((running?.stop() ?? Promise.resolve()).then(() => 0));
}

/** What is still owned fails over, or is lost. */
async function leaveNow(): Promise<number> {
  const owned = running?.node.status().sessions.owned ?? 0;
  await running?.stop();
  return owned === 0 ? 0 : LEFT_SESSIONS_BEHIND;
}

async function start(config: NodeProcessConfig): Promise<void> {
  try {
    running = await runNodeProcess(config, tell);
  } catch (error) {
    process.exitCode = COULD_NOT_START;
    process.send?.(failureOf(error), undefined, {}, () => process.exit(COULD_NOT_START));
  }
}

process.on("message", (message: ToNodeProcess) => {
  if (message.type === "start") void start(message.config);
  else stop();
});
process.once("disconnect", () => {
  setTimeout(() => process.exit(COULD_NOT_STOP), ORPHAN_PATIENCE_MS).unref();
  stop();
});
// Ctrl-C in a terminal reaches the whole group; the parent decides what becomes of its nodes.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => {
  if (leaving || running === null) return exitAfter(leaveNow());
  leaving = true;
  exitAfter(running.evacuate().then((whole) => (whole ? 0 : LEFT_SESSIONS_BEHIND)));
});
