/** A step in the tree of known key sequences. Most nodes have one successor, which is compared by identity before any map is asked. */
interface Node {
  firstKey: string | null;
  firstNext: Node | null;
  others: Map<string, Node> | null;
  /** Position in the table, or -1. */
  id: number;
  hits: number;
  /** Some key on the way here looks like data, not like a field name: such a shape is never shared. */
  readonly data: boolean;
}

/** An object with more keys is taken for a dictionary: it is never shared. */
export const MAX_SHAPE_KEYS = 32;
const MAX_FIELD_NAME_LENGTH = 48;
/**
 * A key sequence enters the table when it has been written this often: at once for the elements of a collection, after a few
 * encodings for a lone object, and not at all for a dictionary whose keys keep changing.
 */
const SHARE_AFTER_HITS = 8;
/** Key sequences that never made it into the table are forgotten when the tree has this many nodes besides those of the table. */
const MAX_CANDIDATE_NODES = 8_192;

/**
 * The append-only table of key sequences ("shapes") of one encoder. A shape's number never changes, so a receiver that knows the
 * first n shapes can read everything that uses only those.
 */
export class ShapeTable {
  readonly shapes: (readonly string[])[] = [];
  readonly #maxShapes: number;
  #root = newNode(false);
  #candidateNodes = 0;

  constructor(maxShapes: number) {
    this.#maxShapes = maxShapes;
  }

  /** The number under which the receiver knows these keys, or -1: then they must be written out. */
  idOf(keys: readonly string[]): number {
    const count = keys.length;
    if (count === 0 || count > MAX_SHAPE_KEYS) return -1;
    let node = this.#root;
    for (let i = 0; i < count; i++) {
      const key = keys[i] as string;
      node = node.firstKey === key ? (node.firstNext as Node) : (node.others?.get(key) ?? this.#grow(node, key));
    }
    return node.id >= 0 ? node.id : this.#consider(node, keys);
  }

  #consider(node: Node, keys: readonly string[]): number {
    if (node.data || ++node.hits < SHARE_AFTER_HITS || this.shapes.length >= this.#maxShapes) {
      if (this.#candidateNodes > MAX_CANDIDATE_NODES) this.#forgetCandidates();
      return -1;
    }
    node.id = this.shapes.length;
    this.shapes.push(keys.slice());
    return node.id;
  }

  #grow(node: Node, key: string): Node {
    const next = newNode(node.data || looksLikeData(key));
    this.#candidateNodes++;
    if (node.firstKey === null) {
      node.firstKey = key;
      node.firstNext = next;
    } else {
      node.others ??= new Map();
      node.others.set(key, next);
    }
    return next;
  }

  #forgetCandidates(): void {
    this.#root = newNode(false);
    for (const [id, keys] of this.shapes.entries()) {
      let node = this.#root;
      for (const key of keys) node = node.firstKey === key ? (node.firstNext as Node) : (node.others?.get(key) ?? this.#grow(node, key));
      node.id = id;
    }
    this.#candidateNodes = 0;
  }
}

function newNode(data: boolean): Node {
  return { firstKey: null, firstNext: null, others: null, id: -1, hits: 0, data };
}

function looksLikeData(key: string): boolean {
  const first = key.charCodeAt(0);
  return key.length === 0 || key.length > MAX_FIELD_NAME_LENGTH || (first >= 0x30 && first <= 0x39);
}
