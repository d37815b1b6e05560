import { unreachable } from "../../core/assert.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** The one place where an error becomes an HTTP status. Source: moby, daemon/server/httpstatus. */
export function httpStatus(code: ErrorCode): number {
  switch (code) {
    case "InvalidArgument":
    case "FailedPrecondition":
      return 400;
    case "Unauthenticated":
      return 401;
    case "PermissionDenied":
      return 403;
    case "NotFound":
      return 404;
    case "AlreadyExists":
    case "Aborted":
      return 409;
    case "ResourceExhausted":
      return 429;
    case "Unimplemented":
      return 501;
    case "Unavailable":
      return 503;
    case "DeadlineExceeded":
      return 504;
    case "Cancelled":
    case "DataLoss":
    case "Internal":
      return 500;
    default:
      return unreachable(code);
  }
}
