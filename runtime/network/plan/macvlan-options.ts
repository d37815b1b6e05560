import { ClusterError } from "../../../core/errors.ts";
import { LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** How interfaces of a macvlan network reach each other; the kernel's numbers. Source: linux/if_link.h. */
export const MacvlanMode = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;

/** What a macvlan network is told beside its addresses. */
export interface MacvlanOptions {
  /** The link of this machine that containers share, each with an address of its own on that network. */
  readonly parent: string;
  readonly mode: number;
}

const LINK_NAME = /^[^\s/:]+$/;

/** @throws {ClusterError} InvalidArgument. */
export function readMacvlanOptions(options: Readonly<Record<string, string>>): MacvlanOptions {
  const { parent = "", macvlan_mode: mode = "" } = options;
  if (!LINK_NAME.test(parent) || parent.length > LINK_NAME_CHARS_MAX)
    throw invalid(
      parent === ""
        ? "a macvlan network needs a link of this machine: say -o parent=eth0"
        : `invalid parent link ${JSON.stringify(parent.slice(0, 40))}`,
    );
  const known: Readonly<Record<string, number>> = MacvlanMode;
  const number = Object.hasOwn(known, mode) ? known[mode] : undefined;
  if (mode === "") return { parent, mode: MacvlanMode.bridge };
  if (number !== undefined) return { parent, mode: number };
  throw invalid(
    `requested macvlan mode '${mode.slice(0, 40)}' is not valid, 'bridge' mode is the macvlan driver default`,
  );
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
