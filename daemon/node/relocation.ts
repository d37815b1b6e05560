import {
  chooseAdvertiseAddr,
  chooseListenAddr,
  formatHostPort,
  type HostPort,
  type OwnAddress,
  parseHostPort,
} from "./addresses.ts";
import type { SwarmState } from "./swarm-files.ts";

/** What may have changed while the daemon was off. */
export interface Whereabouts {
  /** `--advertise-addr`; empty: not given. */
  readonly advertiseAddr: string;
  /** `--manager`: where managers are now. */
  readonly managers: readonly string[];
  readonly own: readonly OwnAddress[];
}

/**
 * What this node remembers of its swarm, with the addresses it has now. Who it is does not depend on them: others learn
 * of them from its hello and its session.
 *
 * An address that is gone is replaced by the one its interface has now, if that has one; where several could be meant it
 * stays, for `--advertise-addr` to say.
 *
 * @throws {ClusterError} `InvalidArgument` when what was given cannot be an address.
 */
export function relocatedState(state: SwarmState, now: Whereabouts): SwarmState {
  const listen = parseHostPort(state.listenAddr, "listen address");
  const advertise = advertised(state, listen, now);
  const given = now.managers.map((addr) => formatHostPort(parseHostPort(addr, "manager address")));
  return {
    ...state,
    listenAddr: formatHostPort(isOwn(listen.host, now) ? listen : { ...listen, host: "0.0.0.0" }),
    advertiseAddr: formatHostPort(advertise),
    advertiseInterface: interfaceOf(advertise.host, now.own),
    managers: [...new Set([...given, ...state.managers])],
  };
}

/**
 * The addresses of a node that is told some of them anew: what is not said stays.
 *
 * @throws {ClusterError} `InvalidArgument` when what was said cannot be an address.
 */
export function changedAddresses(
  state: SwarmState,
  said: { readonly listenAddr: string; readonly advertiseAddr: string },
  own: readonly OwnAddress[],
): Pick<SwarmState, "listenAddr" | "advertiseAddr" | "advertiseInterface"> {
  const listen =
    said.listenAddr === ""
      ? parseHostPort(state.listenAddr, "listen address")
      : chooseListenAddr(said.listenAddr, own);
  const advertise =
    said.advertiseAddr === ""
      ? parseHostPort(state.advertiseAddr, "advertise address")
      : chooseAdvertiseAddr(said.advertiseAddr, listen, own);
  return {
    listenAddr: formatHostPort(listen),
    advertiseAddr: formatHostPort(advertise),
    advertiseInterface: interfaceOf(advertise.host, own),
  };
}

/** The addresses of a node that comes into a swarm. @throws {ClusterError} `InvalidArgument` when they must be said. */
export function newAddresses(
  said: { readonly listenAddr: string; readonly advertiseAddr: string },
  own: readonly OwnAddress[],
): Required<Pick<SwarmState, "listenAddr" | "advertiseAddr" | "advertiseInterface">> {
  const listen = chooseListenAddr(said.listenAddr, own);
  const advertise = chooseAdvertiseAddr(said.advertiseAddr, listen, own);
  return {
    listenAddr: formatHostPort(listen),
    advertiseAddr: formatHostPort(advertise),
    advertiseInterface: interfaceOf(advertise.host, own),
  };
}

/** The interface an address is on; empty when it is none of this machine's. */
export function interfaceOf(host: string, own: readonly OwnAddress[]): string {
  return own.find(({ address }) => address === host)?.interfaceName ?? "";
}

function advertised(state: SwarmState, listen: HostPort, now: Whereabouts): HostPort {
  const known = parseHostPort(state.advertiseAddr, "advertise address");
  if (now.advertiseAddr !== "") return chooseAdvertiseAddr(now.advertiseAddr, listen, now.own);
  const name = state.advertiseInterface ?? "";
  if (name === "" || isOwn(known.host, now)) return known;
  const family = known.host.includes(":");
  const [only, second] = now.own.filter(
    ({ interfaceName, address }) =>
      interfaceName === name && address.includes(":") === family && !address.startsWith("fe80"),
  );
  return only === undefined || second !== undefined ? known : { ...known, host: only.address };
}

function isOwn(host: string, { own }: Whereabouts): boolean {
  return host === "0.0.0.0" || host === "::" || own.some(({ address }) => address === host);
}
