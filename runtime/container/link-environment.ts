import type { ContainerPort } from "../network/ports/types.ts";

/** What a container's environment says of one it is linked to. Pure. Source: moby, daemon/links/links.go. */
export interface LinkFacts {
  /** Of the container itself. */
  readonly own: string;
  readonly alias: string;
  /** The other's. */
  readonly address: string;
  readonly ports: readonly ContainerPort[];
  readonly env: readonly string[];
}

/** Every container has these; they say nothing of the other. */
const OWN_VARIABLES = ["HOME", "PATH"];
/** So many ports in a row are told of as a range too. */
const RANGE_MIN = 3;

export function planLinkEnvironment({ own, alias, address, ports, env }: LinkFacts): string[] {
  const name = alias.toUpperCase().replaceAll("-", "_");
  const sorted = [...ports].sort(
    (a, b) => a.port - b.port || Number(b.protocol === "tcp") - Number(a.protocol === "tcp"),
  );
  const url = ({ port, protocol }: ContainerPort) => `${protocol}://${address}:${port}`;
  const prefix = ({ port, protocol }: ContainerPort) =>
    `${name}_PORT_${port}_${protocol.toUpperCase()}`;
  return [
    ...sorted.slice(0, 1).map((first) => `${name}_PORT=${url(first)}`),
    ...rangesOf(sorted).flatMap(([first, last]) => [
      `${prefix(first)}_START=${url(first)}`,
      `${prefix(first)}_ADDR=${address}`,
      `${prefix(first)}_PROTO=${first.protocol}`,
      `${prefix(first)}_PORT_START=${first.port}`,
      `${prefix(last)}_END=${url(last)}`,
      `${prefix(first)}_PORT_END=${last.port}`,
    ]),
    ...sorted.flatMap((one) => [
      `${prefix(one)}=${url(one)}`,
      `${prefix(one)}_ADDR=${address}`,
      `${prefix(one)}_PORT=${one.port}`,
      `${prefix(one)}_PROTO=${one.protocol}`,
    ]),
    `${name}_NAME=/${own}/${alias}`,
    ...env
      .filter(
        (entry) => entry.includes("=") && !OWN_VARIABLES.includes(entry.split("=", 1)[0] ?? ""),
      )
      .map((entry) => `${name}_ENV_${entry}`),
  ];
}

function rangesOf(sorted: readonly ContainerPort[]): (readonly [ContainerPort, ContainerPort])[] {
  const ranges: ContainerPort[][] = [];
  for (const one of sorted) {
    const range = ranges.at(-1);
    const isNext = range?.at(-1)?.port === one.port - 1;
    if (range !== undefined && isNext) range.push(one);
    else ranges.push([one]);
  }
  return ranges.flatMap((range) => {
    const [first, last] = [range[0], range.at(-1)];
    const isRange = range.length >= RANGE_MIN && first !== undefined && last !== undefined;
    return isRange ? [[first, last] as const] : [];
  });
}
