import { join } from "node:path";

/** The oldest Node.js that Sojourn runs on; the same as `engines` in package.json. */
export const MIN_NODE = [20, 19];

/**
 * What keeps the scripts from working here, as a sentence with its remedy, or null.
 * @param {string} root of the checkout
 * @param {(path: string) => boolean} exists
 * @param {string} version of Node.js
 */
export function environmentProblem(root, exists, version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
    return `Sojourn needs Node.js ${MIN_NODE.join(".")} or newer, this is ${version}. Install a newer one from https://nodejs.org and try again.`;
  }
  if (!exists(join(root, "node_modules/typescript/package.json")) || !exists(join(root, "node_modules/@sojourn/core/package.json"))) {
    return "The dependencies are not installed. Run `npm ci` first.";
  }
  return null;
}
