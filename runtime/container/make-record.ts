import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { ClusterError } from "../../core/errors.ts";
import type { Image } from "../image/types.ts";
import { systemError } from "../linux/libc.ts";
import { ANONYMOUS_LABEL } from "../volume/types.ts";
import { checkConfig } from "./config-check.ts";
import type { ContainerHost } from "./container-run.ts";
import { planLogLimits } from "./log/log-files.ts";
import { propagationOf } from "./mount-propagation.ts";
import { prepareRoot } from "./prepare-root.ts";
import type { ContainerRecord } from "./record.ts";
import type { RecordStore } from "./record-store.ts";
import { planWorkdir } from "./spec/container-path.ts";
import type { ContainerConfig, ContainerId, MountConfig, ResolvedMount } from "./types.ts";

const ID_BYTES = 32;
const JOURNAL_SOCKET = "/run/systemd/journal/socket";
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
  const made: string[] = [];
  const claim = async (name: string) => {
    made.push(name);
    await records.claimVolume(id, name);
  };
  try {
    await records.reserve(id);
    const mounts: ResolvedMount[] = [];
    for (const mount of [...config.mounts, ...imageVolumes(config, image)])
      mounts.push(await resolveMount(mount, id, host, claim));
    const rootfs = await host.images.prepareRootfs(image.id, id);
    const workdir = planWorkdir(config.workdir, image.config.workdir);
    await prepareRoot(id, { mounts, rootfs, workdir }, host);
    const record = {
      id,
      config,
      imageId: image.id,
      imageConfig: image.config,
      rootfs,
      mounts,
      anonymousVolumes: mounts.filter((mount) => mount.anonymous).map(({ source }) => source),
      createdAtMs: host.clock.nowMs(),
    };
    await records.commit(record);
    return record;
  } catch (error) {
    await host.images.removeRootfs(id);
    await host.volumes.release(id, made);
    await records.forget(id);
    throw systemError(error, `create container ${config.name}`);
  }
}

/** The image's VOLUMEs that the container mounts nothing at. */
function imageVolumes(config: ContainerConfig, image: Image): MountConfig[] {
  const trimmed = (target: string) => target.replace(/(?<=.)\/+$/, "");
  const taken = new Set(config.mounts.map((mount) => trimmed(mount.target)));
  const targets = image.config.volumes.map(trimmed).filter((target) => !taken.has(target));
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
  container: ContainerId,
  host: ContainerHost,
  claim: (volume: string) => Promise<void>,
): Promise<ResolvedMount> {
  switch (mount.type) {
    case "tmpfs":
      return { ...mount, hostPath: "" };
    case "bind":
      await checkBindSource(mount);
      return {
        ...mount,
        propagation: propagationOf(mount, host.roots.dataRoot),
        hostPath: mount.source,
      };
    case "volume": {
      const { labels = {}, driverOptions: options } = mount;
      if (mount.source !== "") {
        const asked = { name: mount.source, labels, options };
        return { ...mount, hostPath: (await host.volumes.claim(asked, container)).path };
      }
      const name = newContainerId();
      await claim(name);
      const asked = { name, labels: { ...labels, [ANONYMOUS_LABEL]: "" }, options };
      const { path } = await host.volumes.claim(asked, container);
      return { ...mount, source: name, hostPath: path, anonymous: true };
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
  // With each start, should it be gone by then.
  if (createSource === true) return;
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
