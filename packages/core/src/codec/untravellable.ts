/** Names a value for an error message. */
export function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) return "an array with holes";
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" ? `an instance of ${name}` : "an object without Object.prototype";
}

/** Where `wanted` stands inside the tree `root`, as `a.b[2]`; empty when it is the root or is not found. Only for error messages. */
export function pathTo(root: unknown, wanted: unknown): string {
  return find(root, wanted, "") ?? "";
}

function find(value: unknown, wanted: unknown, path: string): string | null {
  if (Object.is(value, wanted)) return path;
  if (typeof value !== "object" || value === null) return null;
  let at = 0;
  if (value instanceof Map || value instanceof Set) {
    for (const item of value instanceof Map ? [...value].flat() : value) {
      const label = value instanceof Map ? `<entry ${at >> 1}>` : `<member ${at}>`;
      at++;
      const found = find(item, wanted, path + label);
      if (found !== null) return found;
    }
    return null;
  }
  if (ArrayBuffer.isView(value)) return null;
  for (const key of Object.keys(value)) {
    const step = Array.isArray(value) ? `[${key}]` : path === "" ? key : `.${key}`;
    const found = find((value as Record<string, unknown>)[key], wanted, path + step);
    if (found !== null) return found;
  }
  return null;
}
