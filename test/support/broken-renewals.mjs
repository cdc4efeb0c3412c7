// A way to the directory that cannot be opened.
export function open() {
  throw new Error("no way there");
}
