import { ClusterError, errorCode, errorMessage } from "../../../core/errors.ts";

/** Why a container gets none of its ports, in Docker's frame. Source: moby, libnetwork. */
export function programmingFailed(name: string, endpointId: string, cause: unknown): ClusterError {
  const frame = "failed to set up container networking: driver failed programming external";
  const message = `${frame} connectivity on endpoint ${name} (${endpointId}): ${errorMessage(cause)}`;
  const code = errorCode(cause);
  return new ClusterError(code === "AlreadyExists" ? "Internal" : code, message, { cause });
}

/** The container has no IPv6, and nothing leads SCTP from one to the other. In Docker's words. */
export function noIpv6(hostAddress: string): ClusterError {
  return new ClusterError(
    "InvalidArgument",
    `Cannot map from ${hostAddress} to an IPv4-only container because SCTP is not relayed`,
  );
}
