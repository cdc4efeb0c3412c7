import { parseArgs } from "node:util";
import { type Command, type CommandInput, type OptionSpec, UsageError } from "./command.js";
import { nearest } from "./nearest.js";

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { summary: "print JSON, for programs" },
  help: { summary: "show this help", short: "h" },
};

/**
 * Reads what follows the command's name.
 * @throws UsageError
 */
export function parseInput(command: Command, args: readonly string[]): CommandInput {
  const specs = { ...command.options, ...COMMON_OPTIONS };
  const options: Record<string, { type: "boolean" | "string"; short?: string }> = {};
  for (const [name, { value, short }] of Object.entries(specs)) {
    options[name] = { type: value === undefined ? "boolean" : "string", ...(short !== undefined && { short }) };
  }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const positionals: string[] = [];
  const switches = new Set<string>();
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
    if (spec === undefined) throw unknownOption(command, token.rawName, Object.keys(specs));
    if (spec.value === undefined) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, but was given "${token.value}"`);
      switches.add(token.name);
    } else {
      if (token.value === undefined || token.value === "" || (token.inlineValue === false && token.value.startsWith("-"))) {
        throw new UsageError(`${token.rawName} needs a value: ${token.rawName} ${spec.value}`);
      }
      values.set(token.name, token.value);
    }
  }
  if (!switches.has("help")) checkPositionals(command, positionals);
  return { positionals, switches, values };
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const wanted = command.positionals;
  const missing = wanted.filter((name, i) => !name.startsWith("[") && given[i] === undefined);
  if (missing.length > 0) throw new UsageError(`${missing.join(" and ")} is missing`);
  const extra = given[wanted.length];
  if (extra !== undefined)
    throw new UsageError(`"${extra}" is too much: ${command.name} takes ${wanted.join(" ") || "nothing but options"}`);
}

function unknownOption(command: Command, given: string, names: readonly string[]): UsageError {
  const meant = nearest(given.replace(/^-+/, ""), names);
  return new UsageError(`${command.name} has no option ${given}${meant === null ? "" : `; did you mean --${meant}?`}`);
}

/** A whole number from an option. @throws UsageError */
export function wholeOption(input: CommandInput, name: string, fallback: number, min: number, max: number): number {
  const text = input.values.get(name);
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not "${text}"`);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time from an option, in milliseconds: `500ms`, `30s`, `2m`. @throws UsageError */
export function durationOption(input: CommandInput, name: string): number | undefined {
  const text = input.values.get(name);
  if (text === undefined) return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN));
  if (ms >= 1 && ms <= 3_600_000) return ms;
  throw new UsageError(`--${name} must be a time from 1ms to 1h, e.g. 30s, not "${text}"`);
}
