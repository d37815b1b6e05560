import type { ContainerFacts, ContainerSizes } from "../../backends/containers.ts";
import { frameStartFailure } from "../../containers/start-failure.ts";
import { isRunning, statusOf } from "../../containers/state.ts";
import { wireTime } from "../common.ts";
import { STORAGE_DRIVER } from "../storage-driver.ts";
import { commandOf, writeConfig, writeHostConfig } from "./config.ts";
import { writeMountPoints } from "./mount-points.ts";
import { writeNetworkSettings } from "./network-settings.ts";

/** Docker's ContainerInspectResponse. */
export function writeInspect(
  container: ContainerFacts,
  machine: {
    readonly sizes?: ContainerSizes | undefined;
    readonly apiMinor: number;
  },
): Record<string, unknown> {
  const { id, settings, files, execIds } = container;
  const { entrypoint, cmd } = commandOf(settings, container.image);
  const [path = "", ...args] = [...entrypoint, ...cmd];
  const { sizes } = machine;
  const hasStarted = container.startedAtMs !== 0;
  return {
    Id: id,
    Created: wireTime(container.createdAtMs),
    Path: path,
    Args: args,
    State: writeState(container),
    Image: container.imageId,
    // There with its first start, as in Docker.
    ResolvConfPath: hasStarted ? files.resolvConf : "",
    HostnamePath: hasStarted ? files.hostname : "",
    HostsPath: hasStarted ? files.hosts : "",
    LogPath: hasStarted ? files.log : "",
    Name: `/${settings.name}`,
    RestartCount: container.restartCount,
    Driver: STORAGE_DRIVER,
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: settings.security.apparmor,
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: writeHostConfig(container),
    GraphDriver: {
      Name: STORAGE_DRIVER,
      Data: {
        LowerDir: files.rootfs.lowerDirs.join(":"),
        MergedDir: files.rootfs.merged,
        UpperDir: files.rootfs.upperDir,
        WorkDir: files.rootfs.workDir,
      },
    },
    ...(sizes === undefined ? {} : { SizeRw: sizes.writtenBytes, SizeRootFs: sizes.rootfsBytes }),
    Mounts: writeMountPoints(container),
    Config: writeConfig(container),
    NetworkSettings: writeNetworkSettings(container, machine.apiMinor),
  };
}

function writeState(container: ContainerFacts): Record<string, unknown> {
  const { health } = container;
  return {
    Status: statusOf(container),
    Running: isRunning(container),
    Paused: container.paused,
    Restarting: container.restarting,
    OOMKilled: container.oomKilled,
    Dead: container.state === "dead",
    Pid: container.pid,
    ExitCode: container.exitCode,
    Error: frameStartFailure(container.error),
    StartedAt: wireTime(container.startedAtMs),
    FinishedAt: wireTime(container.finishedAtMs),
    ...(health.state === "none" ? {} : { Health: writeHealth(health) }),
  };
}

function writeHealth({ state, failingStreak, log }: ContainerFacts["health"]) {
  return {
    Status: state,
    FailingStreak: failingStreak,
    Log: log.map(({ startMs, endMs, exitCode, output }) => ({
      Start: wireTime(startMs),
      End: wireTime(endMs),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}
