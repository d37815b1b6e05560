/*
 * What a manager's port takes of those who connect to it. Who has shown no valid certificate of the swarm is a stranger:
 * all that strangers may do is ask for the CA's certificate and for one of their own.
 */

/** Connections altogether; past it new ones are refused. */
export const CONNECTIONS_MAX = 16_384;
/** Connections of one node; past it the one that is open longest gives way. */
export const CONNECTIONS_PER_NODE_MAX = 64;
/** Connections of strangers, those still shaking hands among them; past it the one that is open longest gives way. */
export const STRANGERS_MAX = 1_024;
/** As many of them from one address (of IPv6: one /64). */
export const STRANGERS_PER_ADDRESS_MAX = 128;

/** How long a TLS handshake may take. */
export const HANDSHAKE_MS = 10_000;
/** How long a stranger may stay connected, and how long more for a call that is under way then. */
export const STRANGER_MS = 10_000;
export const STRANGER_GRACE_MS = 20_000;
/** A node that lets a ping go unanswered for so long is no longer there; it is pinged as often. */
export const KEEPALIVE_MS = 60_000;

/** When a root is given up, nodes that came in by it have so long to end what they ask, and come again. */
export const FAREWELL_MS = 5_000;

/** Calls one connection may have open at once: sessions, raft and logs take a few each. */
export const STREAMS_MAX = 1_000;
export const STRANGER_STREAMS_MAX = 8;

/** Bytes of a message that is taken: our own keep below MESSAGE_BYTES_MAX, which leaves a newer version some room. */
export const RECEIVED_BYTES_MAX = 4 * 1024 * 1024;
/** Of a stranger's: a request for a certificate and an expired one with its chain have 32 KiB. */
export const STRANGER_RECEIVED_BYTES_MAX = 64 * 1024;
/** Megabytes Node may hold for one connection of a stranger: headers, frames and what waits to be sent. */
export const STRANGER_MEMORY_MB = 2;

/** Requests for a certificate, of a stranger's network or of one node: secrets cannot be guessed fast, nor the CA kept busy. */
export const JOIN_RATE = { burst: 20, perSecond: 2 } as const;
/** Sessions one node may open: each is written down and begins with all it has to run. */
export const SESSION_RATE = { burst: 20, perSecond: 1 } as const;
/** What one node may say in its session; past it, it is read from no more for a while. */
export const MESSAGE_RATE = { burst: 2_000, perSecond: 500 } as const;
export const SLOWED_MS = 100;
