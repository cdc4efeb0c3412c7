import { SojournError } from "@sojourn/core";
import { type AdminAnswers, type AdminCommand, type AdminProblem, errorOf } from "@sojourn/node";

const POSTED = new Set<AdminCommand["command"]>(["move", "strategy", "drain", "cordon", "accuse"]);

/**
 * Asks a node's admin API to carry out a command.
 * @throws SojournError (rejects) of whoever refused it; `E_CONNECT_FAILED` when nothing that is a node answers there
 */
export async function askAdmin<C extends AdminCommand>(endpoint: string, command: C, token?: string): Promise<AdminAnswers[C["command"]]> {
  const { command: name, ...fields } = command;
  const url = new URL(`/${name}`, endpoint);
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  let init: RequestInit = { headers };
  if (POSTED.has(name)) {
    init = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(fields) };
  } else {
    for (const [field, value] of Object.entries(fields)) url.searchParams.set(field, String(value));
  }
  let answer: { readonly error?: AdminProblem };
  let ok: boolean;
  try {
    const response = await fetch(url, init);
    ok = response.ok;
    answer = (await response.json()) as typeof answer;
  } catch (cause) {
    throw new SojournError("E_CONNECT_FAILED", `no node's admin API answers at ${endpoint}`, { endpoint }, cause);
  }
  if (ok) return answer as AdminAnswers[C["command"]];
  if (answer.error === undefined) throw new SojournError("E_CONNECT_FAILED", `what answers at ${endpoint} is not a node`, { endpoint });
  throw errorOf(answer.error);
}
