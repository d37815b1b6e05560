import { getSystemErrorMap } from "node:util";
import koffi from "koffi";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";

/** The C library of this process. A wrong signature kills the daemon: only files of runtime/linux declare functions on it. */
export const libc = koffi.load("libc.so.6");

const ERRNOS = getSystemErrorMap();

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "NotFound",
  ESRCH: "NotFound",
  ENODEV: "NotFound",
  EEXIST: "AlreadyExists",
  EPERM: "PermissionDenied",
  EACCES: "PermissionDenied",
  EROFS: "PermissionDenied",
  EINVAL: "InvalidArgument",
  ENAMETOOLONG: "InvalidArgument",
  ELOOP: "InvalidArgument",
  ENOTDIR: "InvalidArgument",
  EXDEV: "InvalidArgument",
  EBUSY: "FailedPrecondition",
  ENOTEMPTY: "FailedPrecondition",
  ENOSPC: "ResourceExhausted",
  EDQUOT: "ResourceExhausted",
  ENOMEM: "ResourceExhausted",
  EMFILE: "ResourceExhausted",
  EAGAIN: "Unavailable",
  ENOSYS: "Unimplemented",
  // EOPNOTSUPP is the same number; this is its name in libuv.
  ENOTSUP: "Unimplemented",
};

/**
 * Gives back what a C function returned, unless it failed (-1).
 *
 * Must be called at once after it: errno is that of the last call.
 *
 * @param action what was tried, on which object: `mount overlay on /x`.
 * @throws {ClusterError} with a code by errno and `details.errno` its name.
 */
export function checked(result: number, action: string): number {
  if (result !== -1) return result;
  throw errnoError(koffi.errno(), action);
}

/** The error for an errno value. */
export function errnoError(errno: number, action: string): ClusterError {
  const [name, reason] = ERRNOS.get(-errno) ?? [`errno ${errno}`, "unknown error"];
  return new ClusterError(CODES[name] ?? "Internal", `cannot ${action}: ${reason} (${name})`, {
    details: { errno: name },
  });
}

/** The same for an error thrown by `node:fs`; anything else is given back as it is. */
export function systemError(error: unknown, action: string): unknown {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number")
    return error;
  return errnoError(-error.errno, action);
}
