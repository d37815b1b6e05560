import { RunFiles } from "./run-files.ts";
import type { Attachment, Endpoint } from "./types.ts";

/** What containers have of networks, below the exec root. */
export function attachmentFiles(directory: string): RunFiles<Attachment> {
  return new RunFiles(directory, (json) => completed(json as Attachment | OldAttachment));
}

/** Earlier versions knew one endpoint and no names. */
function completed(attachment: Attachment | OldAttachment): Attachment {
  if (!("endpoint" in attachment)) return attachment;
  const { containerId, endpoint } = attachment;
  const plain = { ipv6: undefined, aliases: [], links: [], gatewayPriority: 0, interface: "eth0" };
  return {
    ...{ containerId, name: "", hostname: "", resolvers: [] },
    endpoints: [{ ...plain, ...endpoint }],
  };
}

interface OldAttachment {
  readonly containerId: string;
  readonly endpoint: Omit<Endpoint, "ipv6" | "aliases" | "links" | "gatewayPriority" | "interface">;
}
