/** The addresses and names of a laboratory: everything follows from its name and the number of hosts. */

/** As many as fit the last byte of an address, and more than two cores can carry. */
export const LAB_HOSTS_MAX = 200;
/** Namespace names end up in file names, interface names in the switch are `h1`…`h200`. */
const NAME = /^[a-z][a-z0-9-]{0,23}$/;

export interface LabHost {
  /** `h1`, `h2`…: also what `hostname` says inside. */
  readonly name: string;
  /** Name of the network namespace below /run/netns. */
  readonly netns: string;
  /** Address on the switch, reachable from the other hosts only. */
  readonly ip: string;
}

export interface LabPlan {
  readonly name: string;
  /** Namespace of the bridge that joins the hosts. */
  readonly switchNetns: string;
  readonly hosts: readonly LabHost[];
}

/** @throws {RangeError} when the name or the number cannot be. */
export function planLab(name: string, count: number): LabPlan {
  if (!NAME.test(name)) throw new RangeError(`lab name ${name} does not match ${NAME}`);
  if (!Number.isInteger(count) || count < 1 || count > LAB_HOSTS_MAX)
    throw new RangeError(`a lab has 1 to ${LAB_HOSTS_MAX} hosts, not ${count}`);
  const hosts = Array.from({ length: count }, (_, index) => {
    const host = `h${index + 1}`;
    return { name: host, netns: `${name}-${host}`, ip: `${subnetOf(name)}.${index + 1}` };
  });
  return { name, switchNetns: `${name}-switch`, hosts };
}

/** Lines for `ip -batch` that build everything; no link ever exists in the root namespace. */
export function buildLines(plan: LabPlan): string[] {
  const lines = [
    `netns add ${plan.switchNetns}`,
    ...plan.hosts.map((host) => `netns add ${host.netns}`),
  ];
  for (const host of plan.hosts)
    lines.push(
      `link add eth0 netns ${host.netns} type veth peer name ${host.name} netns ${plan.switchNetns}`,
    );
  return lines;
}

/** Lines for `ip -n <switch> -batch`. */
export function switchLines(plan: LabPlan): string[] {
  const lines = ["link set lo up", "link add br0 type bridge", "link set br0 up"];
  for (const host of plan.hosts) lines.push(`link set ${host.name} master br0 up`);
  return lines;
}

/** Lines for `ip -n <host> -batch`; the default route leads nowhere, yet exists as on a real machine. */
export function hostLines(plan: LabPlan, host: LabHost): string[] {
  return [
    "link set lo up",
    `address add ${host.ip}/24 dev eth0`,
    "link set eth0 up",
    `route add default via ${subnetOf(plan.name)}.254`,
  ];
}

/** Rules of the switch that lose packets one way between pairs of hosts. */
export const DROP_RULES = `add table bridge lab
add set bridge lab lost { type ipv4_addr . ipv4_addr; }
add chain bridge lab forward { type filter hook forward priority 0; }
add rule bridge lab forward ip saddr . ip daddr @lost drop
`;

/** 10.77.0 … 10.77.249 by name, so that the packets of two labs can be told apart. */
function subnetOf(name: string): string {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 250;
  return `10.77.${sum}`;
}
