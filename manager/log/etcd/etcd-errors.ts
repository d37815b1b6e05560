import { ClusterError, type ErrorCode, errorMessage } from "../../../core/errors.ts";

/** What etcd says, and what its words mean to us; the first that fits. Source: etcd, etcdserver/api/v3rpc/rpctypes. */
const REFUSALS: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [
    /database space exceeded/,
    "ResourceExhausted",
    "etcd is full: compact and defragment it, and let it compact by itself (--auto-compaction-retention)",
  ],
  [
    /request is too large|received message larger than max/,
    "ResourceExhausted",
    "its --max-request-bytes is below the default of 1.5 MiB: start it without that flag",
  ],
  [/too many requests/, "Unavailable", "etcd has too much to do"],
  [/requested lease not found/, "NotFound", "the lease has ended"],
  [
    /authentication failed|user name is empty|invalid auth token/,
    "Unauthenticated",
    "etcd knows no such user and password: check --etcd-user-file",
  ],
  [
    /permission denied/,
    "PermissionDenied",
    "the user may not read and write below --etcd-prefix there",
  ],
  [/required revision has been compacted/, "FailedPrecondition", "etcd has compacted its history"],
];

/**
 * The one place where what `etcd3` throws becomes an error of ours.
 *
 * Whatever is no refusal we know may have happened: `Unavailable`, outcome unknown.
 */
export function errorOfEtcd(cause: unknown): ClusterError {
  if (cause instanceof ClusterError) return cause;
  const said = errorMessage(cause);
  for (const [pattern, code, meaning] of REFUSALS) {
    if (!pattern.test(said)) continue;
    return new ClusterError(code, `etcd refuses: ${meaning}`, { cause });
  }
  return new ClusterError("Unavailable", `etcd does not answer: ${said}`, {
    cause,
    details: { outcomeUnknown: true },
  });
}
