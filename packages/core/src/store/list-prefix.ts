/** Whether a session's key lies under a prefix of whole path segments: `room/a` holds `room/a` and `room/a/b`, not `room/ab`. */
export function isUnder(session: string, prefix: string): boolean {
  const segments = prefix.endsWith("/") ? prefix.slice(0, -1) : prefix;
  return segments === "" || session === segments || session.startsWith(`${segments}/`);
}
