import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { ClusterError } from "../../core/errors.ts";
import type { Image } from "../image/types.ts";
import { systemError } from "../linux/libc.ts";
import { checkConfig } from "./config-check.ts";
import type { ContainerHost } from "./container-run.ts";
import { planLogLimits } from "./log/log-files.ts";
import type { ContainerRecord } from "./record.ts";
import type { RecordStore } from "./record-store.ts";
import type { ContainerConfig, ContainerId, MountConfig, ResolvedMount } from "./types.ts";

const ID_BYTES = 32;
const JOURNAL_SOCKET = "/run/systemd/journal/socket";
/** Marks volumes that live and die with their container. Docker's label. */
export const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** 64 hexadecimal characters nobody has. */
export function newContainerId(): ContainerId {
  return randomBytes(ID_BYTES).toString("hex") as ContainerId;
}

/**
 * Makes what a container consists of before it runs: volumes, root file system, record.
 *
 * Whatever fails, nothing of it stays.
 *
 * @throws {ClusterError} InvalidArgument, FailedPrecondition (no init program), ResourceExhausted (disk full).
 */
export async function makeRecord(
  id: ContainerId,
  config: ContainerConfig,
  image: Image,
  host: ContainerHost,
  records: RecordStore,
): Promise<ContainerRecord> {
  checkConfig(config, image.config);
  if (config.init && host.facts.initPath === "")
    throw new ClusterError(
      "FailedPrecondition",
      `cannot create container ${config.name} with an init process: no init program found: apt-get install tini`,
    );
  if (planLogLimits(config.log).journal && !existsSync(JOURNAL_SOCKET))
    throw new ClusterError("FailedPrecondition", "journald is not enabled on this host");
  const anonymousVolumes: string[] = [];
  const claim = async (name: string) => {
    anonymousVolumes.push(name);
    await records.claimVolume(id, name);
  };
  try {
    await records.reserve(id);
    const mounts: ResolvedMount[] = [];
    for (const mount of [...config.mounts, ...imageVolumes(config, image)])
      mounts.push(await resolveMount(mount, host, claim));
    const rootfs = await host.images.prepareRootfs(image.id, id);
    const record = {
      id,
      config,
      imageId: image.id,
      imageConfig: image.config,
      rootfs,
      mounts,
      anonymousVolumes,
      createdAtMs: host.clock.nowMs(),
    };
    await records.commit(record);
    return record;
  } catch (error) {
    await host.images.removeRootfs(id);
    for (const name of anonymousVolumes) await host.volumes.removeIfAny(name);
    await records.forget(id);
    throw systemError(error, `create container ${config.name}`);
  }
}

/** The image's VOLUMEs that the container mounts nothing at. */
function imageVolumes(config: ContainerConfig, image: Image): MountConfig[] {
  const taken = new Set(config.mounts.map((mount) => mount.target));
  const targets = image.config.volumes.filter((target) => !taken.has(target));
  return targets.map((target) => ({
    type: "volume",
    source: "",
    target,
    readOnly: false,
    propagation: "",
    tmpfsSizeBytes: 0,
    tmpfsMode: 0,
    noCopy: false,
  }));
}

async function resolveMount(
  mount: MountConfig,
  host: ContainerHost,
  claim: (volume: string) => Promise<void>,
): Promise<ResolvedMount> {
  switch (mount.type) {
    case "tmpfs":
      return { ...mount, hostPath: "" };
    case "bind":
      await checkBindSource(mount);
      return { ...mount, hostPath: mount.source };
    case "volume": {
      const { labels = {} } = mount;
      if (mount.source !== "")
        return { ...mount, hostPath: (await host.volumes.ensure(mount.source, labels)).path };
      const name = newContainerId();
      await claim(name);
      const { path } = await host.volumes.ensure(name, { ...labels, [ANONYMOUS_LABEL]: "" });
      return { ...mount, source: name, hostPath: path };
    }
  }
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
async function checkBindSource({ source, createSource }: MountConfig): Promise<void> {
  if (!source.startsWith("/"))
    throw new ClusterError(
      "InvalidArgument",
      `invalid mount config for type "bind": invalid mount path: '${source}' mount path must be absolute`,
    );
  if (createSource === true) await mkdir(source, { recursive: true, mode: 0o755 });
  try {
    await stat(source);
  } catch (error) {
    throw new ClusterError(
      "InvalidArgument",
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
      { cause: error },
    );
  }
}
