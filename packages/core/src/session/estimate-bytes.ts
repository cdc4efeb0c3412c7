/** Roughly what a plain value costs to keep; for bounds, not for accounts. The value must be a checked tree. */
export function estimateBytes(value: unknown): number {
  switch (typeof value) {
    case "string":
      return 8 + value.length;
    case "object":
      return value === null ? 8 : 16 + contentBytes(value);
    default:
      return 8;
  }
}

function contentBytes(value: object): number {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = 0;
  if (value instanceof Map) {
    for (const [key, item] of value) bytes += estimateBytes(key) + estimateBytes(item);
  } else if (value instanceof Set || Array.isArray(value)) {
    for (const item of value) bytes += estimateBytes(item);
  } else {
    for (const [key, item] of Object.entries(value)) bytes += key.length + estimateBytes(item);
  }
  return bytes;
}
