import { DEFAULT_SETTINGS, NO_LIMITS } from "../../../runtime/container/settings.ts";
import type { ContainerConfig } from "../../../runtime/container/types.ts";

/** A container of busybox with everything left to the defaults but `changes`. */
export function containerConfig(changes: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    ...DEFAULT_SETTINGS,
    name: "test",
    image: "busybox:latest",
    entrypoint: [],
    command: [],
    env: [],
    labels: {},
    hostname: "",
    user: "",
    groups: [],
    workdir: "",
    tty: false,
    openStdin: false,
    readOnlyRootfs: false,
    init: false,
    capAdd: [],
    capDrop: [],
    sysctls: {},
    ulimits: [],
    mounts: [],
    stopSignal: "",
    stopTimeoutMs: 10_000,
    health: undefined,
    limits: NO_LIMITS,
    network: { kind: "none" },
    extraHosts: [],
    resolvConf: undefined,
    addresses: [],
    oomScoreAdj: 0,
    log: { driver: "json-file", options: {} },
    ...changes,
  };
}
