/** What kind of failure this is; retry policy and status codes are decided by it, never by text. Values as in gRPC. */
export type ErrorCode =
  | "InvalidArgument"
  | "NotFound"
  | "AlreadyExists"
  | "PermissionDenied"
  | "Unauthenticated"
  | "FailedPrecondition"
  | "Aborted"
  | "ResourceExhausted"
  | "Unimplemented"
  | "Unavailable"
  | "DeadlineExceeded"
  | "Cancelled"
  | "DataLoss"
  | "Internal";

/** Facts beside the message, for the log and for code; never secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** An expected failure. The message says what was tried and why it failed: `cannot join: token is for a worker`. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The code of any thrown value: a ClusterError's own, else Internal. */
export function errorCode(error: unknown): ErrorCode {
  return error instanceof ClusterError ? error.code : "Internal";
}

/** One line for a person, of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
