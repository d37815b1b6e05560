/**
 * The metadata key under which a manager that is not the leader names the leader's address (host:port) beside its
 * Unavailable. Absent while no leader is known.
 */
export const LEADER_HINT_KEY = "muster-leader";
