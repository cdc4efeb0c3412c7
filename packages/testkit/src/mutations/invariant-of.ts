/** The name of the invariant that a problem starts with. */
export function invariantOf(problem: string): string {
  return /^(I\d|liveness|rule \d+)\b/.exec(problem)?.[1] ?? "other";
}
