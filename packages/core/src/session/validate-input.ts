import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SojournError } from "../errors/sojourn-error.js";
import { decodePayload } from "../wire/payload.js";

/** Issues listed in an error; the rest is counted. */
const MAX_LISTED_ISSUES = 10;

/** What a schema says to an encoded argument: its result, or a promise of it. @throws SojournError `E_INPUT_INVALID` for damaged bytes */
export function startValidation(schema: StandardSchemaV1, payload: Uint8Array): unknown {
  let value: unknown;
  try {
    value = decodePayload(payload);
  } catch (cause) {
    throw new SojournError("E_INPUT_INVALID", "the argument's bytes are damaged", {}, cause);
  }
  return schema["~standard"].validate(value);
}

/** The validated (and transformed) argument. @throws SojournError `E_INPUT_INVALID` with the issues */
export function validatedValue(result: StandardSchemaV1.Result<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  const lines = result.issues.slice(0, MAX_LISTED_ISSUES).map((issue) => {
    const path = pathOf(issue);
    return path === "" ? issue.message : `${path}: ${issue.message}`;
  });
  const first = result.issues[0];
  throw new SojournError("E_INPUT_INVALID", lines.join("\n"), {
    issues: result.issues.length,
    path: first === undefined ? "" : pathOf(first),
  });
}

function pathOf(issue: StandardSchemaV1.Issue): string {
  return (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join(".");
}
