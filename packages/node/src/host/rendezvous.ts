/** How well a node suits a key, by nothing but their names: who weighs most has it, and another node that comes or goes changes that for few keys. */
export function weightOf(key: string, node: string): number {
  return mix(fnv1a(node, fnv1a(key, 0x811c9dc5)));
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** Spreads a difference in any bit over all of them; without it refs that end alike would order alike. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
