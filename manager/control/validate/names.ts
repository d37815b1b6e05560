import { refuse } from "./refuse.ts";

/** Characters of a service's or network's name at most: it is a label in DNS. */
export const NAME_CHARS_MAX = 63;
const SERVICE_NAME = /^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$/;
const NETWORK_NAME = /^[a-zA-Z0-9](?:[-_.]*[A-Za-z0-9]+)*$/;

/** @throws {ClusterError} `InvalidArgument`. Source: swarmkit, manager/controlapi/common.go, validateAnnotations. */
export function checkServiceName(name: string): void {
  checkName(name, SERVICE_NAME);
}

/** @throws {ClusterError} `InvalidArgument`; dots are allowed as in Docker's network names. */
export function checkNetworkName(name: string): void {
  checkName(name, NETWORK_NAME);
}

function checkName(name: string, form: RegExp): void {
  if (name === "") refuse("meta: name must be provided");
  // First, so that no long text is matched.
  if (name.length > NAME_CHARS_MAX) refuse(`name must be ${NAME_CHARS_MAX} characters or fewer`);
  if (!form.test(name)) refuse("name must be valid as a DNS name component");
}
