import { bool, type Field, f64, list, nullable, oneOf, str, struct, uint } from "../bytes/layout.js";
import type { NodeEntry, NodeInfo, Place, RecordDraft, SessionRecord } from "../ports/directory.js";
import type { NodeLease } from "../ports/directory-store.js";
import type { Strategy } from "../strategy/strategy.js";

/** In the order of the wire; append only. */
export const strategy: Field<Strategy> = oneOf("replica", "snapshot", "hybrid");

const draftFields = {
  epoch: uint,
  owner: str,
  inSync: list(str),
  heir: nullable(str),
  ended: bool,
  strategy,
  stored: bool,
  writer: str,
} as const;

/** A record to be written. */
export const recordDraft: Field<RecordDraft> = struct(draftFields);

/** A record as it stands. */
export const sessionRecord: Field<SessionRecord> = struct({ revision: uint, ...draftFields });

const wirePlace = struct({
  region: nullable(str),
  zone: nullable(str),
  lat: nullable(f64),
  lon: nullable(f64),
});

/** Absent fields stay absent. */
const place: Field<Place> = {
  grammar: wirePlace.grammar,
  write: (w, { region, zone, lat, lon }) =>
    wirePlace.write(w, { region: region ?? null, zone: zone ?? null, lat: lat ?? null, lon: lon ?? null }),
  read(r) {
    const { region, zone, lat, lon } = wirePlace.read(r);
    return {
      ...(region === null ? {} : { region }),
      ...(zone === null ? {} : { zone }),
      ...(lat === null ? {} : { lat }),
      ...(lon === null ? {} : { lon }),
    };
  },
};

const kindVersions = list(struct({ kind: str, version: uint }));

const kinds: Field<NodeInfo["kinds"]> = {
  grammar: kindVersions.grammar,
  write(w, byKind) {
    kindVersions.write(
      w,
      Object.entries(byKind).map(([kind, version]) => ({ kind, version })),
    );
  },
  // fromEntries defines properties, so that a kind called __proto__ is a key like any other.
  read: (r) => Object.fromEntries(kindVersions.read(r).map(({ kind, version }) => [kind, version])),
};

/** What a node publishes of itself. */
export const nodeInfo: Field<NodeInfo> = struct({
  id: str,
  place,
  clientEndpoint: str,
  controlEndpoint: str,
  kinds,
  cordoned: bool,
});

/** A node as watchers see it. */
export const nodeEntry: Field<NodeEntry> = struct({ ref: str, info: nodeInfo, ended: bool });

/** A node as the store keeps it. */
export const nodeLease: Field<NodeLease> = struct({ ref: str, info: nodeInfo, ttlMs: uint, ended: bool });
