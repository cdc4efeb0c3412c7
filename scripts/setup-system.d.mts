/** Each program of the tests with the Debian package that brings it. */
export const PROGRAMS: readonly { readonly program: string; readonly package: string }[];
/** What is missing, with how to get it, as a sentence. */
export function adviceOn(packages: readonly string[]): string;
