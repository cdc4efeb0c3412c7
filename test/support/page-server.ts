import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

const FILES: Readonly<Record<string, readonly [type: string, path: string]>> = {
  "/": ["text/html", "./browser-page.html"],
  "/browser.js": ["text/javascript", "../../packages/client/dist/browser.js"],
};

/** Serves the page of the browser tests and the client's bundle, as it was built. */
export async function servePage(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const [type, path] = FILES[request.url ?? ""] ?? [];
    response.writeHead(path === undefined ? 404 : 200, { "content-type": type ?? "text/plain", connection: "close" });
    response.end(path === undefined ? "" : readFileSync(fileURLToPath(new URL(path, import.meta.url))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
