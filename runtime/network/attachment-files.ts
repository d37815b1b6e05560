import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Attachment, Endpoint } from "./types.ts";

const TEMPORARY_SUFFIX = ".new";

/** What the next daemon must know of containers' networks, below the exec root: a file each. */
export class AttachmentFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** One that cannot be read stands for nothing: what it was of is cleared away. */
  load(log: Log): Attachment[] {
    const names = readdirSync(this.#directory).filter((name) => !name.endsWith(TEMPORARY_SUFFIX));
    return names.flatMap((name) => {
      const path = `${this.#directory}/${name}`;
      try {
        return completed(JSON.parse(readFileSync(path, "utf8")) as Attachment | OldAttachment);
      } catch (error) {
        log.warn("state file is damaged, doing without", { path, reason: errorMessage(error) });
        rmSync(path, { force: true });
        return [];
      }
    });
  }

  put(attachment: Attachment): void {
    const path = `${this.#directory}/${attachment.containerId}`;
    writeFileSync(path + TEMPORARY_SUFFIX, JSON.stringify(attachment), { mode: 0o600 });
    renameSync(path + TEMPORARY_SUFFIX, path);
  }

  remove(containerId: string): void {
    rmSync(`${this.#directory}/${containerId}`, { force: true });
  }
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
