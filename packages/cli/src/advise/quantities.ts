import { UsageError } from "../command-line/command.js";
import { nearest } from "../command-line/nearest.js";

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3_600, d: 86_400 };
const MULTIPLES: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, b: 1e9 };

const NUMBER = String.raw`(\d[\d_,]*(?:\.\d+)?|\.\d+)`;

/** A size in bytes: `5kb`, `64GB`, `1.5MiB`. @throws UsageError */
export function parseSize(option: string, text: string): number {
  const [, digits = "", unit = ""] = new RegExp(`^${NUMBER}\\s*([a-z]*)$`, "i").exec(text.trim()) ?? [];
  if (digits === "") throw wrong(option, text, "a size, e.g. 5kb");
  if (unit === "") throw wrong(option, text, "a size with its unit", `${text}b?`);
  const factor = BYTES[unit.toLowerCase()];
  if (factor === undefined) throw wrongUnit(option, text, "a size, e.g. 5kb", digits, unit.toLowerCase(), Object.keys(BYTES));
  return numberOf(digits) * factor;
}

/** How often something happens. */
export interface Rate {
  readonly perSec: number;
  /** `/session` stood behind it. */
  readonly perSession: boolean;
}

/** A rate: `120/s`, `2.5k/s`, `30/min`, `2/h/session`. @throws UsageError */
export function parseRate(option: string, text: string): Rate {
  const [, digits = "", multiple = "", unit = "", each = ""] =
    new RegExp(`^${NUMBER}\\s*([km]?)\\s*(?:/\\s*([a-z]+))?\\s*(/\\s*session)?$`, "i").exec(text.trim()) ?? [];
  if (digits === "") throw wrong(option, text, "a rate, e.g. 20/s");
  if (unit === "") throw wrong(option, text, "a rate with its unit", `${text}/s?`);
  const seconds = SECONDS[unit.toLowerCase()];
  if (seconds === undefined) {
    throw wrongUnit(option, text, "a rate, e.g. 20/s, 30/min, 2/h", `${digits}${multiple}/`, unit.toLowerCase(), Object.keys(SECONDS));
  }
  return { perSec: (numberOf(digits) * (MULTIPLES[multiple.toLowerCase()] ?? 1)) / seconds, perSession: each !== "" };
}

/** A count: `250`, `1M`, `10k`. @throws UsageError */
export function parseCount(option: string, text: string): number {
  const [, digits = "", multiple = ""] = new RegExp(`^${NUMBER}\\s*([kmb]?)$`, "i").exec(text.trim()) ?? [];
  const value = digits === "" ? Number.NaN : Math.round(numberOf(digits) * (MULTIPLES[multiple.toLowerCase()] ?? 1));
  if (!(value >= 1)) throw wrong(option, text, "a count, e.g. 1000, 10k, 1M");
  return value;
}

/** One of some words. @throws UsageError */
export function parseWord<W extends string>(option: string, text: string, words: readonly W[]): W {
  const word = words.find((candidate) => candidate === text.toLowerCase());
  if (word !== undefined) return word;
  const meant = nearest(text.toLowerCase(), words);
  throw wrong(option, text, words.join(" or "), meant === null ? undefined : `${meant}?`);
}

function numberOf(digits: string): number {
  return Number(digits.replace(/[_,]/g, ""));
}

function wrong(option: string, text: string, expected: string, meant?: string): UsageError {
  return new UsageError(`--${option} must be ${expected}, not "${text}"${meant === undefined ? "" : `; did you mean ${meant}`}`);
}

function wrongUnit(option: string, text: string, expected: string, digits: string, unit: string, units: readonly string[]): UsageError {
  const meant = nearest(unit, units);
  return wrong(option, text, `${expected} (units: ${units.join(", ")})`, meant === null ? undefined : `${digits}${meant}?`);
}
