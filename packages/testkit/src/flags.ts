import { type ParseArgsConfig, parseArgs } from "node:util";
import { SojournError } from "@sojourn/core";

/** Which flags a command takes. */
export type Flags = NonNullable<ParseArgsConfig["options"]>;

/** What the flags were given. */
export type FlagValues<F extends Flags> = ReturnType<typeof parseArgs<{ options: F; strict: true; allowPositionals: false }>>["values"];

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const MAX_DURATION_MS = 86_400_000;

/**
 * Reads a command line that consists of flags only.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function parseFlags<const F extends Flags>(args: readonly string[], options: F): FlagValues<F> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new SojournError("E_CONFIG_INVALID", `${said.split(". ")[0]}; see --help`, {}, cause);
  }
}

/**
 * The whole number that a flag was given, or `otherwise` when it was not.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function wholeFlag(flag: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new SojournError("E_CONFIG_INVALID", `${flag} must be a whole number from ${min} to ${max}, got "${text}"`);
}

/**
 * The duration that a flag was given (`500ms`, `30s`, `5m`, `1h`), from `minMs` to a day, in ms.
 * @param range the bounds in the words of the error
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function durationFlag(flag: string, text: string, minMs: number, range: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * (UNITS_MS[match[2] ?? ""] ?? 0);
  if (ms >= minMs && ms <= MAX_DURATION_MS) return ms;
  throw new SojournError("E_CONFIG_INVALID", `${flag} must be a duration such as 500ms, 30s or 5m, ${range}, got "${text}"`);
}
