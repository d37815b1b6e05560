import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { ClusterError, type ErrorCode, errorMessage } from "../core/errors.ts";
import { CallFailure } from "./gen/control.ts";
import { LEADER_HINT_KEY } from "./leader-hint.ts";

const STATUS_OF: Readonly<Record<ErrorCode, status>> = {
  InvalidArgument: status.INVALID_ARGUMENT,
  NotFound: status.NOT_FOUND,
  AlreadyExists: status.ALREADY_EXISTS,
  PermissionDenied: status.PERMISSION_DENIED,
  Unauthenticated: status.UNAUTHENTICATED,
  FailedPrecondition: status.FAILED_PRECONDITION,
  Aborted: status.ABORTED,
  ResourceExhausted: status.RESOURCE_EXHAUSTED,
  Unimplemented: status.UNIMPLEMENTED,
  Unavailable: status.UNAVAILABLE,
  DeadlineExceeded: status.DEADLINE_EXCEEDED,
  Cancelled: status.CANCELLED,
  DataLoss: status.DATA_LOSS,
  Internal: status.INTERNAL,
};

const CODE_OF: ReadonlyMap<status, ErrorCode> = new Map(
  Object.entries(STATUS_OF).map(([code, number]) => [number, code as ErrorCode]),
);

/** Marks what one of our servers said, as against what gRPC says when it reached none. */
const ANSWERED_KEY = "muster-answered";
/** Set when the caller is no member of the managers' group any more; its value is the group's generation. */
const EXPELLED_KEY = "muster-expelled";
/** Set when the server cannot say whether what was asked has happened. */
const OUTCOME_UNKNOWN_KEY = "muster-outcome-unknown";

/**
 * The one place where an error becomes an RPC status: what a handler's callback or a stream's `destroy` takes.
 *
 * Three details travel as metadata: `leader`, so that a client turned away knows where to go, `outcomeUnknown`, so that
 * it does not ask for the same twice, and `expelled`, so that a manager that is none any more ends its part.
 */
export function rpcError(error: unknown): ServiceError {
  const message = errorMessage(error);
  const metadata = new Metadata();
  metadata.set(ANSWERED_KEY, "1");
  if (!(error instanceof ClusterError)) return serviceError(status.INTERNAL, message, metadata);
  const { leader, outcomeUnknown, expelled } = error.details;
  if (typeof leader === "string") metadata.set(LEADER_HINT_KEY, leader);
  if (outcomeUnknown === true) metadata.set(OUTCOME_UNKNOWN_KEY, "1");
  if (typeof expelled === "number") metadata.set(EXPELLED_KEY, String(expelled));
  return serviceError(STATUS_OF[error.code], message, metadata);
}

/**
 * The way back: what a client got becomes an error of ours; anything that is no RPC status becomes `Internal`.
 *
 * The detail `leader` is the address a server named, `unanswered` says that no server of ours answered.
 */
export function fromRpcError(cause: unknown): ClusterError {
  if (cause instanceof ClusterError) return cause;
  if (!isServiceError(cause)) return new ClusterError("Internal", errorMessage(cause), { cause });
  const said = (key: string) => cause.metadata?.get(key)[0];
  const leader = said(LEADER_HINT_KEY);
  const expelled = said(EXPELLED_KEY);
  return new ClusterError(CODE_OF.get(cause.code) ?? "Internal", cause.details, {
    cause,
    details: {
      ...(leader === undefined ? {} : { leader: String(leader) }),
      ...(expelled === undefined ? {} : { expelled: Number(expelled) }),
      ...(said(OUTCOME_UNKNOWN_KEY) === undefined ? {} : { outcomeUnknown: true }),
      ...(said(ANSWERED_KEY) === undefined ? { unanswered: true } : {}),
    },
  });
}

/** An error inside a message of ours, where no status can stand: says what `rpcError` says. */
export function callFailure(error: unknown): CallFailure {
  const { code, message, details } = fromRpcError(error);
  const { leader = "", outcomeUnknown = false } = details;
  return CallFailure.create({
    code: STATUS_OF[code],
    message,
    leader: String(leader),
    outcomeUnknown: outcomeUnknown === true,
  });
}

/** Inverse of `callFailure`: one of our servers said it. */
export function fromCallFailure({
  code,
  message,
  leader,
  outcomeUnknown,
}: CallFailure): ClusterError {
  return new ClusterError(CODE_OF.get(code) ?? "Internal", message, {
    details: {
      ...(leader === "" ? {} : { leader }),
      ...(outcomeUnknown ? { outcomeUnknown } : {}),
    },
  });
}

function serviceError(code: status, details: string, metadata: Metadata): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}
