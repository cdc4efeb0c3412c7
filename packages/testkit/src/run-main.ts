import { errorCodeOf } from "@sojourn/core";

const WRONG_USE = 2;
const FAILED = 1;

/** Runs a command to its end in this process: its exit code, or 2 for wrong use and 1 for any other error, with the reason. */
export async function runMain(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    const wrongUse = errorCodeOf(error) === "E_CONFIG_INVALID";
    process.stderr.write(`${error instanceof Error ? (wrongUse ? `E_CONFIG_INVALID: ${error.message}` : error.stack) : String(error)}\n`);
    process.exitCode = wrongUse ? WRONG_USE : FAILED;
  }
}
