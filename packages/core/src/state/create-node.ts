import { SojournError } from "../errors/sojourn-error.js";
import { ArrayNode } from "./array-node.js";
import { DateNode } from "./date-node.js";
import { kindOf, type TypedArray } from "./kinds.js";
import { MapNode } from "./map-node.js";
import type { NodeHost, TrackedNode } from "./node.js";
import { ObjectNode } from "./object-node.js";
import { SetNode } from "./set-node.js";
import { TypedNode } from "./typed-node.js";

/** The node for a container of plain data. @throws SojournError `E_UNTRAVELLABLE` when it is not one */
export function createNode(host: NodeHost, raw: object, parent: TrackedNode | null, key: unknown): TrackedNode {
  switch (kindOf(raw)) {
    case "object":
      return new ObjectNode(host, raw as Record<string, unknown>, parent, key);
    case "array":
      return new ArrayNode(host, raw as unknown[], parent, key);
    case "map":
      return new MapNode(host, raw as Map<unknown, unknown>, parent, key);
    case "set":
      return new SetNode(host, raw as Set<unknown>, parent, key);
    case "date":
      return new DateNode(host, raw as Date, parent, key);
    case "typed":
      return new TypedNode(host, raw as TypedArray, parent, key);
    case null:
      throw new SojournError("E_UNTRAVELLABLE", "the state holds something that is not plain data");
  }
}
