/**
 * Stands in for catalogue.ts in bundles for browsers (the `browser` field of package.json), where the texts would be an eighth of
 * the client: each code is its own text, and docs/errors.md has the long ones. Everything a node says carries its text anyway.
 */
export const ERRORS: Readonly<Record<string, string>> = /* @__PURE__ */ new Proxy<Record<string, string>>(
  {},
  {
    get: (_, code) => String(code),
    // For Object.hasOwn: a code that this build does not list may still be one.
    getOwnPropertyDescriptor: (_, code) => ({ value: String(code), configurable: true, enumerable: true }),
  },
);
