import type { LinkAddress, NodeRef } from "@sojourn/core";

/** Where the socket is that a message to this ingress is meant for. */
export function addressOf(message: { readonly link: string; readonly generation: number }, ingress: NodeRef): LinkAddress {
  return { id: message.link, generation: message.generation, ingress };
}
