import type { ContainerBody, Json } from "./body.ts";

/** Something that a body asks for, and the API version that has it. */
export interface Need {
  readonly thing: string;
  readonly version: string;
}

interface Mount {
  readonly Type?: string;
  readonly BindOptions?: Json;
  readonly VolumeOptions?: Json;
}

interface Endpoint {
  readonly GwPriority?: number;
}

/**
 * What in a body a daemon of Docker 20.10 (API 1.41) would drop without a word, beside that which has a flag of its own.
 *
 * Source: docker-engine-api, version history.
 */
export function findNeeds(body: ContainerBody): Need[] {
  const { Mounts = [] } = (body.HostConfig ?? {}) as { Mounts?: readonly Mount[] };
  const { EndpointsConfig = {} } = (body.NetworkingConfig ?? {}) as {
    EndpointsConfig?: Readonly<Record<string, Endpoint>>;
  };
  const endpoints = Object.values(EndpointsConfig);
  const isRecursive = ({ BindOptions: options = {} }: Mount) =>
    "ReadOnlyNonRecursive" in options || "ReadOnlyForceRecursive" in options;
  const needs: (Need | false)[] = [
    endpoints.length > 1 && { thing: "more than one --network", version: "1.44" },
    Mounts.some(isRecursive) && { thing: '"bind-recursive" of --mount', version: "1.44" },
    Mounts.some(({ VolumeOptions: options = {} }) => "Subpath" in options) && {
      thing: '"volume-subpath" of --mount',
      version: "1.45",
    },
    Mounts.some(({ Type }) => Type === "image") && {
      thing: '"type=image" of --mount',
      version: "1.48",
    },
    endpoints.some(({ GwPriority }) => GwPriority !== undefined) && {
      thing: '"gw-priority" of --network',
      version: "1.48",
    },
  ];
  return needs.filter((need) => need !== false);
}

/**
 * A hardware address is a network's from 1.44 on; a daemon that is older knows it as the container's alone.
 *
 * @returns the one of the only network; undefined: none is asked for.
 */
export function findMacAddress(body: ContainerBody): string | undefined {
  const { EndpointsConfig = {} } = (body.NetworkingConfig ?? {}) as {
    EndpointsConfig?: Readonly<Record<string, { readonly MacAddress?: string }>>;
  };
  return Object.values(EndpointsConfig)[0]?.MacAddress;
}
