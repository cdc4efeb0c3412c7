/** One step of a path through the state: a property name, an array index or a Map key. */
export type PathKey = string | number | bigint | boolean | null | undefined;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const MAX_SHOWN_CHARACTERS = 60;

/** A primitive as it is shown in messages: strings quoted and cut, the rest as in source code. */
export function showPrimitive(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > MAX_SHOWN_CHARACTERS ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}…` : value);
  }
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** How the child `key` of `container` is written: `.pos`, `["odd key"]`, `[3]`, `.get("a")`. */
export function showStep(container: object, key: unknown): string {
  if (container instanceof Map) return `.get(${showPrimitive(key)})`;
  if (container instanceof Set) return `.add(${showPrimitive(key)})`;
  if (typeof key === "string" && !Array.isArray(container) && IDENTIFIER.test(key)) return `.${key}`;
  return `[${Array.isArray(container) || typeof key !== "string" ? String(key) : showPrimitive(key)}]`;
}
