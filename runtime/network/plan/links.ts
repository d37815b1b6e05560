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

/** The same links when a container has another name; the very same where none leads to it. */
export function withRenamed(
  links: readonly string[],
  oldName: string,
  name: string,
): readonly string[] {
  const leadsThere = (link: string) => link.split(":", 1)[0] === oldName;
  if (!links.some(leadsThere)) return links;
  return links.map((link) => (leadsThere(link) ? `${name}:${link.split(":")[1] ?? ""}` : link));
}

/** An attachment when a container has another name; the very same when no link of the default network leads to it. */
export function afterRename(attachment: Attachment, oldName: string, name: string): Attachment {
  const endpoints = attachment.endpoints.map((one) => {
    if (!isPredefined(one.networkName)) return one;
    const links = withRenamed(one.links, oldName, name);
    return links === one.links ? one : { ...one, links };
  });
  const isSame = endpoints.every((one, index) => one === attachment.endpoints[index]);
  return isSame ? attachment : { ...attachment, endpoints };
}

/** What another's /etc/hosts is to say of one it is linked to. */
export interface LinkUpdate {
  /** Whose file it is. */
  readonly containerId: string;
  readonly alias: string;
  readonly address: string;
}

/** What those who are linked to a container that starts again must be told: its address may be another. */
export function planLinkUpdates(
  startedId: string,
  attachments: readonly Attachment[],
): LinkUpdate[] {
  const started = attachments.find(({ containerId }) => containerId === startedId);
  return attachments
    .filter((one) => one !== started)
    .flatMap(({ containerId, endpoints }) =>
      endpoints
        .filter(({ networkName }) => isPredefined(networkName))
        .flatMap(({ networkName, links }) => {
          const there = started?.endpoints.find((one) => one.networkName === networkName);
          return links.flatMap((link) => {
            const [ref = "", alias = ""] = link.split(":");
            const isMeant = findLinked(attachments, ref) === started;
            return there !== undefined && isMeant
              ? [{ containerId, alias, address: there.address }]
              : [];
          });
        }),
    );
}

/** One that a container is linked to. */
export interface LinkedPeer {
  readonly containerId: string;
  readonly alias: string;
  readonly address: string;
  /** Of /etc/hosts. */
  readonly line: string;
}

/**
 * Those a container that starts is linked to: the networks every machine has know no names.
 *
 * @param own the container's name.
 * @throws {ClusterError} FailedPrecondition when a linked container does not run in that network. Docker's words.
 */
export function planLinks(
  own: string,
  configs: readonly EndpointConfig[],
  attachments: readonly Attachment[],
): LinkedPeer[] {
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
        const { address } = endpoint;
        const line = `${address}\t${[...new Set([alias, hostname, peer.name])].join(" ")}`;
        return { containerId: peer.containerId, alias, address, line };
      }),
    );
}
