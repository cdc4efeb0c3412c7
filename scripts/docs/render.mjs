const NOTE = "<!-- Written by `npm run docs` from the catalogue in packages/core; edit the catalogue, not this page. -->";

/** The page of all error codes. */
export function renderErrors(errors) {
  const rows = Object.entries(errors).map(([code, meaning]) => `| \`${code}\` | ${cell(meaning)} |`);
  return page(
    "Errors",
    "Every error of Sojourn is a `SojournError`. Its `code` is stable and stands in this table; its `message` is for people and may change; its `details` hold names, paths and numbers, never payloads or secrets. A code that was given out once is never used again for something else.",
    ["| code | meaning |", "|---|---|", ...rows],
  );
}

/** The page of all bounds. */
export function renderLimits(limits) {
  const rows = Object.entries(limits).map(
    ([name, bound]) =>
      `| \`${name}\` | ${unitOf(name)} | ${number(bound.default)} | ${number(bound.min)} – ${number(bound.max)} | ${cell(bound.doc)} |`,
  );
  return page(
    "Limits",
    "Everything in Sojourn is bounded, and every bound is an option in `limits`. A value that is not a whole number inside the range is refused with `E_LIMIT_INVALID`.",
    ["| name | unit | default | range | meaning |", "|---|---|---|---|---|", ...rows],
  );
}

/** The page of all frames on all wires. */
export function renderWire(client, peer, directory) {
  const table = (rows) => [
    "| type | name | fields in order |",
    "|---|---|---|",
    ...rows.map(({ code, name, fields }) => `| ${code} | \`${name}\` | \`${cell(fields)}\` |`),
  ];
  const intro = [
    "All frames are a type byte and then their fields in a fixed order, without names or tags.",
    "`uint` is an unsigned LEB128 integer below 2^53; `u32` four bytes and `f64` eight, little-endian; `str` is a `uint` of bytes and UTF-8; `bytes` a `uint` and that many bytes; `bool` one byte, 0 or 1; `x?` one byte, 0 for null or 1 and then x; `x[]` a `uint` and that many x; `(a \\| b)` one byte, the position of the word.",
    "Types are only ever appended. What is cut short, left over or out of range is `E_FRAME_MALFORMED`.",
  ].join(" ");
  const sections = [
    ["## Client ↔ node", "", "One frame per binary WebSocket message.", "", ...table(client)],
    ["## Node ↔ node", "", "Each message is followed by its CRC-32 (IEEE 802.3, little-endian) over type and fields.", "", ...table(peer)],
    ["## Node → directory", "", ...table(directory.requests)],
    ["## Directory → node", "", ...table(directory.replies)],
  ];
  return page(
    "The wire",
    intro,
    sections.flatMap((section, i) => (i === 0 ? section : ["", ...section])),
  );
}

const UNITS = { Ms: "ms", Bytes: "bytes" };

/** The unit is the last word of a bound's name; what is neither a time nor a size is a count. */
export function unitOf(name) {
  const last = /[A-Z][a-z]*$/.exec(name)?.[0] ?? "";
  return UNITS[last] ?? "count";
}

function page(title, intro, table) {
  return [`# ${title}`, "", NOTE, "", intro, "", ...table, ""].join("\n");
}

function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function cell(text) {
  return text.replaceAll("|", "\\|");
}
