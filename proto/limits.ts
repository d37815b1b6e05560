/**
 * Encoded bytes of any one message between nodes at most (FAILURES R17). gRPC takes 4 MiB; whoever builds messages from
 * lists or data of any length keeps below this. What bounds each: docs/design/streams.md.
 */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/** Encoded bytes of a part of a list or a set; only an item that is larger goes beyond it, alone. */
export const CHUNK_BYTES_MAX = 256 * 1024;

/** Task statuses in one report of a worker; with their texts at their longest it stays below MESSAGE_BYTES_MAX. */
export const STATUS_BATCH_MAX = 100;

/** Endpoint tables a worker says it has when a session begins; of others it is told the whole. */
export const ENDPOINT_VERSIONS_MAX = 32_768;

/** Bytes of a config's data at most. Source: swarmkit, manager/controlapi/config.go, MaxConfigSize. */
export const CONFIG_BYTES_MAX = 1000 * 1024;

/** Bytes of a secret's data are fewer than this. Source: swarmkit, api/validation/secrets.go, MaxSecretSize. */
export const SECRET_BYTES_LIMIT = 500 * 1024;

/** Bytes of a config's or secret's data in one piece of an assignment: it shares a chunk with what is small. */
export const PAYLOAD_PIECE_BYTES = 128 * 1024;
