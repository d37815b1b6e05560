import { parseUlimit, splitPair } from "../flags/parse.ts";
import { parseBytes } from "../flags/units.ts";

/** Flags of `muster build`, as they are given. */
export interface BuildFlags {
  readonly file?: string;
  readonly tag?: readonly string[];
  readonly buildArg?: readonly string[];
  readonly label?: readonly string[];
  readonly target?: string;
  /** `--no-cache` makes it false. */
  readonly cache?: boolean;
  readonly pull?: boolean;
  readonly quiet?: boolean;
  /** `--rm=false` leaves containers. */
  readonly rm?: boolean;
  readonly forceRm?: boolean;
  readonly platform?: string;
  readonly network?: string;
  readonly memory?: string;
  readonly memorySwap?: string;
  readonly cpuShares?: string;
  readonly cpuPeriod?: string;
  readonly cpuQuota?: string;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly cgroupParent?: string;
  readonly shmSize?: string;
  readonly ulimit?: readonly string[];
  readonly addHost?: readonly string[];
  readonly iidfile?: string;
  readonly cacheFrom?: readonly string[];
  readonly isolation?: string;
  readonly securityOpt?: readonly string[];
  readonly squash?: boolean;
  /** The context goes packed. */
  readonly compress?: boolean;
}

/** The query of `POST /build`. @param env where the value of a name alone comes from. @throws {ClusterError} InvalidArgument. */
export function buildQuery(
  flags: BuildFlags,
  { dockerfile, remote }: { readonly dockerfile: string; readonly remote?: string },
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string | readonly string[] | boolean | undefined> {
  const { tag = [], buildArg = [], label = [], ulimit = [], addHost = [] } = flags;
  const args = buildArg.map((text): [string, string | null] => {
    if (text.includes("=")) return splitPair(text);
    return [text, env[text] ?? null];
  });
  return {
    dockerfile,
    remote,
    t: tag,
    buildargs: jsonOf(args),
    labels: jsonOf(label.map(splitPair)),
    target: flags.target,
    nocache: flags.cache === false,
    pull: flags.pull,
    q: flags.quiet,
    rm: (flags.rm ?? true) ? "1" : "0",
    forcerm: flags.forceRm,
    platform: flags.platform,
    networkmode: flags.network,
    memory: bytesOf(flags.memory),
    memswap: flags.memorySwap === "-1" ? "-1" : bytesOf(flags.memorySwap),
    cpushares: flags.cpuShares,
    cpuperiod: flags.cpuPeriod,
    cpuquota: flags.cpuQuota,
    cpusetcpus: flags.cpusetCpus,
    cpusetmems: flags.cpusetMems,
    cgroupparent: flags.cgroupParent,
    shmsize: bytesOf(flags.shmSize),
    ulimits: ulimit.length === 0 ? undefined : JSON.stringify(ulimit.map(parseUlimit)),
    extrahosts: addHost,
    cachefrom: flags.cacheFrom === undefined ? undefined : JSON.stringify(flags.cacheFrom),
    isolation: flags.isolation,
    securityopt: flags.securityOpt,
    squash: flags.squash,
  };
}

function jsonOf(pairs: readonly (readonly [string, string | null])[]): string | undefined {
  return pairs.length === 0 ? undefined : JSON.stringify(Object.fromEntries(pairs));
}

function bytesOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(parseBytes(text));
}
