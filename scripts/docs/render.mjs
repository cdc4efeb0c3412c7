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
