/** Accepts a whole number; the benches measure Sojourn, not a schema library. */
export const WHOLE_NUMBER = {
  "~standard": {
    version: 1,
    vendor: "sojourn-bench",
    validate: (value: unknown) => (Number.isInteger(value) ? { value: value as number } : { issues: [{ message: "expected a number" }] }),
    types: undefined as unknown as { readonly input: number; readonly output: number },
  },
} as const;
