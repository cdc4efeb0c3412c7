import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Limits, SojournError } from "@sojourn/core";
import { parseCommand } from "./commands.js";
import { checkHostName, isLoopback, readJson, tokenCheck } from "./http-guard.js";
import { httpStatusOf } from "./http-problem.js";
import { MetricsText } from "./metrics-text.js";
import type { OperatedNode, Operator } from "./operator.js";
import { problemOf } from "./problems.js";

/** Where the admin API listens, and who may use it. */
export interface AdminOptions {
  /** Default `127.0.0.1`. Any other address than loopback needs a token. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** Callers must send it as `Authorization: Bearer …`; `/healthz` and `/readyz` are open. */
  readonly token?: string;
}

/** The admin API of one node. */
export interface AdminServer {
  /** `http://host:port`. */
  readonly endpoint: string;
  /** Lets requests under way end with their sockets cut. */
  close(): Promise<void>;
}

const RESOLUTION_MS = 20;

/** GET paths and POST paths with the command that each stands for; a query or a body supplies its fields. */
const GETS: Readonly<Record<string, string>> = {
  "/status": "status",
  "/cluster": "cluster",
  "/sessions": "sessions",
  "/where": "where",
  "/profile": "profile",
};
const POSTS: Readonly<Record<string, string>> = {
  "/move": "move",
  "/strategy": "strategy",
  "/drain": "drain",
  "/cordon": "cordon",
  "/accuse": "accuse",
};

/**
 * Serves the admin API as JSON over HTTP. Errors are `{ error: { code, message, details } }`.
 * @throws SojournError (rejects) `E_CONFIG_INVALID` when the address cannot be listened on, or would be open to others without a token
 */
export async function startAdminServer(
  options: AdminOptions,
  limits: Limits,
  node: OperatedNode,
  operator: Operator,
): Promise<AdminServer> {
  const { host = "127.0.0.1", port = 0, token } = options;
  if (token === "") throw new SojournError("E_CONFIG_INVALID", "the token of the admin API is empty");
  if (token === undefined && !isLoopback(host)) {
    throw new SojournError("E_CONFIG_INVALID", `the admin API on ${host} needs a token, because other machines can reach it`);
  }
  const guard = token === undefined ? checkHostName : tokenCheck(token);
  const loopDelay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const metrics = new MetricsText(node.id, loopDelay);

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://node");
    const { pathname } = url;
    const get = request.method === "GET" || request.method === "HEAD";
    if (get && pathname === "/healthz") return send(response, 200, { ok: true });
    if (get && pathname === "/readyz") {
      const { self, cordoned } = node.status();
      const ready = self !== null && !cordoned;
      return send(response, ready ? 200 : 503, { ready, joined: self !== null, cordoned });
    }
    guard(request);
    if (get && pathname === "/metrics") {
      const text = await metrics.write(node.status(), node.profile(null, 0).kinds);
      response.writeHead(200, { "content-type": metrics.contentType }).end(text);
      return;
    }
    const command = get ? GETS[pathname] : request.method === "POST" ? POSTS[pathname] : undefined;
    if (command === undefined || !Object.hasOwn(get ? GETS : POSTS, pathname)) throw unknownRoute(request.method ?? "", pathname);
    const fields = get ? queryFields(url) : await readJson(request, limits.maxAdminRequestBytes);
    send(response, 200, await operator.execute(parseCommand({ ...fields, command })));
  };

  const server = createServer((request, response) => {
    respond(request, response).catch((thrown: unknown) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const error = problemOf(thrown);
      // What is left of a body is not read: the connection ends with this answer.
      if (!request.complete) response.setHeader("connection", "close");
      if (error.code === "E_ADMIN_REFUSED" && token !== undefined) response.setHeader("www-authenticate", "Bearer");
      send(response, httpStatusOf(error.code), { error });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new SojournError("E_CONFIG_INVALID", `the admin API cannot listen on ${host}:${port}: ${cause.message}`, {}, cause)),
    );
    server.listen(port, host, resolve);
  });
  loopDelay.enable();
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    endpoint: `http://${family === "IPv6" ? `[${address}]` : address}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        loopDelay.disable();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(`${JSON.stringify(body)}\n`);
}

function queryFields(url: URL): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of url.searchParams) fields[name] = name === "limit" && /^\d+$/.test(value) ? Number(value) : value;
  return fields;
}

function unknownRoute(method: string, path: string): SojournError {
  const routes = [
    ...[...Object.keys(GETS), "/metrics", "/healthz", "/readyz"].map((at) => `GET ${at}`),
    ...Object.keys(POSTS).map((at) => `POST ${at}`),
  ];
  return new SojournError("E_ROUTE_UNKNOWN", `no ${method} ${path.slice(0, 80)}; there are: ${routes.join(", ")}`);
}
