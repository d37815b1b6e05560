import { ClusterError } from "../../../core/errors.ts";
import type { Attachment, EndpointConfig } from "../types.ts";
import { isPredefined } from "./new-network.ts";

const SHORT_ID_LENGTH = 12;

/** The container that a link names: by its name, or its id or the beginning of it. */
export function findLinked(
  attachments: readonly Attachment[],
  ref: string,
): Attachment | undefined {
  return (
    attachments.find(({ name }) => name === ref) ??
    attachments.find(({ containerId }) => ref !== "" && containerId.startsWith(ref))
  );
}

/**
 * Lines of /etc/hosts for the links of a container that starts: the networks every machine has know no names.
 *
 * @param own the container's name.
 * @throws {ClusterError} FailedPrecondition when a linked container does not run in that network. Docker's words.
 */
export function planLinkLines(
  own: string,
  configs: readonly EndpointConfig[],
  attachments: readonly Attachment[],
): string[] {
  return configs
    .filter(({ network }) => isPredefined(network))
    .flatMap(({ network, links }) =>
      links.map((link) => {
        const [ref = "", alias = ""] = link.split(":");
        const peer = findLinked(attachments, ref);
        const endpoint = peer?.endpoints.find(({ networkName }) => networkName === network);
        if (peer === undefined || endpoint === undefined)
          throw new ClusterError(
            "FailedPrecondition",
            `Cannot link to a non running container: /${ref} AS /${own}/${alias}`,
          );
        const hostname = peer.hostname || peer.containerId.slice(0, SHORT_ID_LENGTH);
        return `${endpoint.address}\t${[...new Set([alias, hostname, peer.name])].join(" ")}`;
      }),
    );
}
