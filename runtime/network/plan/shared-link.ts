import { ClusterError } from "../../../core/errors.ts";
import type { LocalNetwork } from "../types.ts";
import { readMtu } from "./bridge-options.ts";
import { fingerprint, LINK_NAME_CHARS_MAX } from "./link-names.ts";

/** Networks whose containers share a link of this machine: macvlan and ipvlan. Pure. */

/** How interfaces of a macvlan network reach each other; the kernel's numbers. Source: linux/if_link.h. */
export const MacvlanMode = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
/** Where an ipvlan network's packets are looked at. Source: linux/if_link.h. */
export const IpvlanMode = { l2: 0, l3: 1, l3s: 2 } as const;
/** How interfaces of an ipvlan network reach each other. Source: linux/if_link.h. */
const IpvlanFlag = { bridge: 0, private: 1, vepa: 2 } as const;

/** What such a network is told beside its addresses. */
export interface SharedLink {
  readonly kind: "macvlan" | "ipvlan";
  /** The link of this machine that containers share; empty: one made for them, which leads nowhere. */
  readonly parent: string;
  /** The kernel's number. */
  readonly mode: number;
  /** The same; of ipvlan alone. */
  readonly flag: number;
  /** Of the containers' interfaces; undefined: that of the parent. */
  readonly mtu: number | undefined;
  /** Nobody is asked for a hardware address, so there is no gateway: everything is reached by the link itself. */
  readonly isRouted: boolean;
}

/** A link that carries one VLAN of another. */
export interface Vlan {
  readonly link: string;
  /** 1 to 4094. */
  readonly id: number;
}

const LINK_NAME = /^[^\s/:]+$/;
const VLAN_ID_MAX = 4094;
/** Of the link that a network without parent has. */
const ISOLATED_PREFIX = "mp";

/** The names of options that such a network has beside those of every network. */
export const SHARED_LINK_OPTIONS: Readonly<Record<SharedLink["kind"], readonly string[]>> = {
  macvlan: ["parent", "macvlan_mode"],
  ipvlan: ["parent", "ipvlan_mode", "ipvlan_flag"],
};

/** @returns undefined for networks of other drivers. @throws {ClusterError} InvalidArgument. Docker's words. */
export function findSharedLink(
  network: Pick<LocalNetwork, "driver" | "options" | "internal">,
): SharedLink | undefined {
  const { driver, options, internal } = network;
  if (driver !== "macvlan" && driver !== "ipvlan") return undefined;
  const { parent = "" } = options;
  if (parent !== "" && (!LINK_NAME.test(parent) || parent.length > LINK_NAME_CHARS_MAX))
    throw invalid(`invalid parent link ${JSON.stringify(parent.slice(0, 40))}`);
  const kept = { parent: internal ? "" : parent, mtu: readOwnMtu(options) };
  if (driver === "macvlan") {
    const mode = choose(options, { option: "macvlan_mode", known: MacvlanMode, usual: "bridge" });
    return { ...kept, kind: "macvlan", mode, flag: 0, isRouted: false };
  }
  const mode = choose(options, { option: "ipvlan_mode", known: IpvlanMode, usual: "l2" });
  const flag = choose(options, { option: "ipvlan_flag", known: IpvlanFlag, usual: "bridge" });
  return { ...kept, kind: "ipvlan", mode, flag, isRouted: mode !== IpvlanMode.l2 };
}

/** What a link's name says of its VLAN: "eth0.10". Undefined when it says nothing. */
export function parseVlan(name: string): Vlan | undefined {
  const [, link = "", digits = ""] = /^([^.]+)\.(\d{1,4})$/.exec(name) ?? [];
  const id = Number(digits);
  return link !== "" && id >= 1 && id <= VLAN_ID_MAX ? { link, id } : undefined;
}

/** The link of a network without parent. */
export function isolatedLinkName(dataRoot: string, networkId: string): string {
  return `${ISOLATED_PREFIX}${fingerprint(`${dataRoot}/${networkId}`)}`;
}

/** Whether a network has such a link, and a namespace in which it ends. */
export function isIsolated(network: Parameters<typeof findSharedLink>[0]): boolean {
  return findSharedLink(network)?.parent === "";
}

function choose(
  options: Readonly<Record<string, string>>,
  choice: {
    readonly option: string;
    readonly known: Readonly<Record<string, number>>;
    readonly usual: string;
  },
): number {
  const { option, known, usual } = choice;
  const asked = options[option] ?? "";
  const word = asked === "" ? usual : asked;
  const number = Object.hasOwn(known, word) ? known[word] : undefined;
  if (number !== undefined) return number;
  const [driver = "", what = ""] = option.split("_");
  const of = what === "mode" ? `'${usual}' mode` : `'${usual}'`;
  throw invalid(
    `requested ${driver} ${what} '${asked.slice(0, 40)}' is not valid, ${of} is the ${driver} driver default`,
  );
}

/** Unless it is asked for, it is that of the parent, which may be less than any default. */
function readOwnMtu(options: Readonly<Record<string, string>>): number | undefined {
  const asked = options["com.docker.network.driver.mtu"] ?? "";
  return asked === "" || asked === "0" ? undefined : readMtu(options);
}

function invalid(message: string): ClusterError {
  return new ClusterError("InvalidArgument", message);
}
