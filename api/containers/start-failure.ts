/** How our runtime says that the OCI runtime could not make a container. */
const START_FAILED = /^cannot start container: /;

/**
 * The OCI runtime's words in Docker's frame; other texts as they are.
 *
 * Source: moby, daemon/start_unix.go; containerd, runtime/v2.
 */
export function frameStartFailure(message: string): string {
  if (!START_FAILED.test(message)) return message;
  const reason = message.replace(START_FAILED, "");
  return `failed to create task for container: failed to create shim task: OCI runtime create failed: ${reason}: unknown`;
}
