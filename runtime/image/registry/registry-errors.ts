import { ClusterError, type ErrorCode } from "../../../core/errors.ts";

/** What a registry says when it refuses. Source: OCI distribution-spec, "Error Codes". */
export interface Refusal {
  readonly status: number;
  /** `MANIFEST_UNKNOWN`; empty when it gave none. */
  readonly code: string;
  readonly message: string;
}

/** Reads the body of a refusal; what cannot be read is left out. */
export function parseRefusal(status: number, body: string): Refusal {
  try {
    const first = (JSON.parse(body) as { errors?: { code?: unknown; message?: unknown }[] } | null)
      ?.errors?.[0];
    const code = typeof first?.code === "string" ? first.code : "";
    const message = typeof first?.message === "string" ? first.message : "";
    return { status, code, message };
  } catch {
    // Proxies answer in HTML: the status alone has to do.
    return { status, code: "", message: "" };
  }
}

/** What was asked for, in the words of whoever asked. */
export interface Subject {
  /** `nginx:latest`. */
  readonly reference: string;
  /** `nginx`. */
  readonly repository: string;
  readonly action: "pull" | "push";
}

/** The error for a refusal, in Docker's words where it has them. Source: moby, distribution/errors.go. */
export function refusalError(refusal: Refusal, subject: Subject): ClusterError {
  const { reference, repository, action } = subject;
  const said = describe(refusal);
  const { status, code } = refusal;
  if (status === 401 || status === 403 || code === "DENIED" || code === "UNAUTHORIZED")
    return failure(
      status === 403 ? "PermissionDenied" : "Unauthenticated",
      `${action} access denied for ${repository}, repository does not exist or may require 'docker login': ${said}`,
    );
  if (code === "NAME_UNKNOWN")
    return failure("NotFound", `repository ${repository} not found: ${said}`);
  if (code === "MANIFEST_UNKNOWN" || (status === 404 && code === ""))
    return failure("NotFound", `manifest for ${reference} not found: ${said}`);
  return failure(codeOf(status), `cannot ${action} ${reference}: registry answered ${said}`);
}

/** Whether asking again later may help. */
export function isTransient(error: unknown): boolean {
  return error instanceof ClusterError && error.code === "Unavailable";
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return "NotFound";
  if (status === 429 || status >= 500) return "Unavailable";
  return "FailedPrecondition";
}

/** `manifest unknown: no such tag`; without a code, the status. */
function describe({ status, code, message }: Refusal): string {
  if (code === "") return `status ${status}`;
  return `${code.toLowerCase().replaceAll("_", " ")}: ${message || "no reason given"}`;
}

function failure(code: ErrorCode, message: string): ClusterError {
  return new ClusterError(code, message);
}
