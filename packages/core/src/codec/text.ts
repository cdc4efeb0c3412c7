/** The two Web-standard coders that every supported runtime has; core compiles without any runtime's types. */
declare const TextEncoder: new () => { encodeInto(text: string, target: Uint8Array): { written: number } };
declare const TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => { decode(bytes: Uint8Array): string };

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Above this a string is written by the runtime's encoder, and above `SHORT_READ` read by its decoder: measured break-even. */
const SHORT_WRITE = 64;
const SHORT_READ = 12;
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Writes UTF-8 at `at`, where at least three bytes for each code unit are free.
 * @returns the number of bytes, or -1 when the string has a lone surrogate, which UTF-8 cannot carry
 */
export function writeUtf8(text: string, target: Uint8Array, at: number): number {
  const count = text.length;
  if (count > SHORT_WRITE) {
    return LONE_SURROGATE.test(text) ? -1 : encoder.encodeInto(text, target.subarray(at)).written;
  }
  let to = at;
  for (let i = 0; i < count; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      target[to++] = unit;
      continue;
    }
    if (unit < 0x800) {
      target[to++] = (unit >> 6) | 0xc0;
    } else {
      if ((unit & 0xf800) === 0xd800) {
        const low = text.charCodeAt(++i);
        if (unit >= 0xdc00 || (low & 0xfc00) !== 0xdc00) return -1;
        unit = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        target[to++] = (unit >> 18) | 0xf0;
        target[to++] = ((unit >> 12) & 0x3f) | 0x80;
      } else {
        target[to++] = (unit >> 12) | 0xe0;
      }
      target[to++] = ((unit >> 6) & 0x3f) | 0x80;
    }
    target[to++] = (unit & 0x3f) | 0x80;
  }
  return to - at;
}

/**
 * Reads `count` bytes of UTF-8, which lie inside `bytes`.
 * @throws TypeError when they are not UTF-8
 */
export function readUtf8(bytes: Uint8Array, at: number, count: number): string {
  if (count <= SHORT_READ) {
    let text = "";
    let i = at;
    const end = at + count;
    for (; i + 4 <= end; i += 4) {
      const a = bytes[i] as number;
      const b = bytes[i + 1] as number;
      const c = bytes[i + 2] as number;
      const d = bytes[i + 3] as number;
      if ((a | b | c | d) > 0x7f) break;
      text += String.fromCharCode(a, b, c, d);
    }
    for (; i < end; i++) {
      const a = bytes[i] as number;
      if (a > 0x7f) break;
      text += String.fromCharCode(a);
    }
    if (i === end) return text;
  }
  return decoder.decode(bytes.subarray(at, at + count));
}
