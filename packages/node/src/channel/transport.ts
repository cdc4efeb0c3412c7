import { createServer as createTcpServer, isIP, type Server, type Socket, connect as tcpConnect } from "node:net";
import { createServer as createTlsServer, type PeerCertificate, TLSSocket, connect as tlsConnect } from "node:tls";
import { type ErrorCode, SojournError } from "@sojourn/core";

/** Mutual TLS: both sides show a certificate of `ca` that is for their node id (common name or DNS alternative name). */
export interface ChannelTls {
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** Replaces the comparison of names: whether a trusted certificate may speak for this node id. */
  readonly allow?: (nodeId: string, certificate: PeerCertificate) => boolean;
}

/** @throws SojournError `E_CONFIG_INVALID` when it is not `host:port` or `[ipv6]:port`. */
export function parseAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new SojournError("E_CONFIG_INVALID", `"${address.slice(0, 80)}" is not an address of a control channel; expected host:port`);
  }
  return { host, port };
}

/** `host:port`, with brackets where they are needed. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Opens a socket; `onReady` when it can be written to and, with TLS, the other side has shown `nodeId`'s certificate. */
export function openSocket(address: string, nodeId: string, tls: ChannelTls | undefined, onReady: () => void): Socket {
  const { host, port } = parseAddress(address);
  if (tls === undefined) return tcpConnect({ host, port, noDelay: true }, onReady);
  const socket = tlsConnect({
    host,
    port,
    ca: tls.ca,
    cert: tls.cert,
    key: tls.key,
    minVersion: "TLSv1.3",
    // An address is not allowed as a server name; the name is only a hint, what counts is the check below.
    servername: isIP(nodeId) === 0 ? nodeId : "",
    checkServerIdentity: (_host, certificate) =>
      maySpeakFor(nodeId, certificate, tls)
        ? undefined
        : new SojournError("E_PEER_IDENTITY", `the certificate is not for node "${nodeId}"`),
  });
  socket.setNoDelay(true);
  socket.once("secureConnect", onReady);
  return socket;
}

/** A server whose sockets are ready to talk. Whether they may is for `objectionTo` to say, so that the other side can be told why not. */
export function createListener(
  tls: ChannelTls | undefined,
  handshakeTimeout: number,
  onSocket: (socket: Socket) => void,
  onTlsError: (error: Error) => void,
): Server {
  if (tls === undefined) return createTcpServer({ noDelay: true }, onSocket);
  const server = createTlsServer(
    {
      ca: tls.ca,
      cert: tls.cert,
      key: tls.key,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
      noDelay: true,
      handshakeTimeout,
    },
    onSocket,
  );
  server.on("tlsClientError", onTlsError);
  return server;
}

/**
 * Why the other side of an accepted socket may not call itself `nodeId`; null when it may. Without TLS nothing is proven and all
 * may.
 */
export function objectionTo(nodeId: string, socket: Socket, tls: ChannelTls | undefined): string | null {
  if (tls === undefined) return null;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return "the certificate is missing or not trusted";
  return maySpeakFor(nodeId, socket.getPeerCertificate(), tls) ? null : `the certificate is not for node "${nodeId.slice(0, 64)}"`;
}

function maySpeakFor(nodeId: string, certificate: PeerCertificate, tls: ChannelTls): boolean {
  if (tls.allow !== undefined) return tls.allow(nodeId, certificate);
  if (certificate.subject?.CN === nodeId) return true;
  return certificate.subjectaltname?.split(", ").includes(`DNS:${nodeId}`) ?? false;
}

/** Tells refused certificates from lost connections. */
export function codeOfSocketError(error: Error | null): ErrorCode {
  if (error === null) return "E_PEER_UNREACHABLE";
  if (error instanceof SojournError) return error.code;
  const code = "code" in error ? String(error.code) : "";
  return /^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA)/.test(code) ? "E_PEER_IDENTITY" : "E_PEER_UNREACHABLE";
}

/** Whether the host at every address of a name has answered that nobody listens there. */
export function isRefusal(error: Error | null): boolean {
  if (error instanceof AggregateError)
    return error.errors.length > 0 && error.errors.every((one) => one instanceof Error && isRefusal(one));
  return error !== null && (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
}
