import { expect } from "chai";
import { checkLimits } from "../../api/containers/check-limits.ts";
import { readContainerCreate } from "../../api/wire/container/create.ts";
import { writeInspect } from "../../api/wire/container/inspect.ts";
import { writeSummary } from "../../api/wire/container/summary.ts";
import { ClusterError } from "../../core/errors.ts";
import { newContainers } from "../../daemon/engine/containers.ts";
import { unifiedAbilities } from "../../runtime/cgroup/abilities.ts";
import { checkConfig } from "../../runtime/container/config-check.ts";
import { SHM_SIZE_BYTES } from "../../runtime/container/spec/mounts.ts";
import { planSpec } from "../../runtime/container/spec/spec.ts";
import type { ContainerConfig } from "../../runtime/container/types.ts";
import { FULL } from "../support/engine/full-body.ts";
import { memoryNetworks } from "../support/memory-networks.ts";
import { SILENT_IMAGE } from "../support/silent-image.ts";
import { MemoryContainers } from "../support/worker/memory-containers.ts";

/** Says something in every field that is read, also in those that need a machine made for it. */
const BODY = {
  ...FULL,
  Tty: true,
  Entrypoint: ["sh"],
  Healthcheck: { ...FULL.Healthcheck, Timeout: 1e9, StartPeriod: 1e9 },
  HostConfig: {
    ...FULL.HostConfig,
    Binds: [...FULL.HostConfig.Binds, "/a:/b:ro"],
    LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    AutoRemove: false,
    Mounts: [
      ...FULL.HostConfig.Mounts,
      { Type: "bind", Source: "/x", Target: "/y", BindOptions: { Propagation: "rslave" } },
    ],
    VolumesFrom: ["other:ro"],
    CgroupParent: "/p",
    PidMode: "host",
    Privileged: false,
    SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
    UTSMode: "",
    MemorySwappiness: 10,
    CpusetMems: "0",
    BlkioWeight: 300,
    BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1000 }],
    DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["v.test/c=0"] }],
  },
};

/** What clients by mistake or on purpose send in place of what is expected. */
const WRONG: readonly unknown[] = [
  null,
  true,
  "",
  "x",
  "\0",
  "../../etc",
  "a".repeat(200_000),
  "🦆=🦆",
  -1,
  0,
  1.5,
  2 ** 53 + 2,
  1e300,
  [],
  [null],
  [[]],
  ["\0"],
  {},
  { x: null },
  { x: -1 },
  { constructor: 1 },
  JSON.parse('{"__proto__":{"Tty":true}}'),
];

type Path = readonly (string | number)[];

/** Every place in a value, the value itself left out. */
function* placesOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value))
    yield* placesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const copy: unknown = Array.isArray(value) ? [...value] : { ...(value as object) };
  const fields = copy as Record<string | number, unknown>;
  fields[key] = replaced(fields[key], rest, by);
  return copy;
}

const IMAGE = { ...SILENT_IMAGE, cmd: ["sh"] };

/** Takes a body as far as it goes without touching the machine, and shows what came of it. */
async function take(body: unknown): Promise<void> {
  const context = {
    resolve: () => "a".repeat(64),
    nameOf: (ref: string) => ref,
    mountsOf: () => [],
    runtimes: ["runc"],
    hasApparmor: true,
    nameOfNetwork: () => undefined,
    apiMinor: 51,
  };
  const { settings } = readContainerCreate(body, "name", context);
  checkLimits(settings.limits, { cpus: 2, memoryNodes: "0" });
  const config: ContainerConfig = {
    ...settings,
    network: { kind: "none" },
    resolvConf: undefined,
    addresses: [],
  };
  checkConfig(config, IMAGE);
  JSON.stringify(plan(config));
  const containers = new MemoryContainers();
  const { id } = await containers.create(config);
  const abilities = {
    ...unifiedAbilities(new Set()),
    apparmor: false,
    cpus: 2,
    memoryNodes: "0",
    cgroupKind: "v2" as const,
    runtimes: ["runc"],
  };
  const images = {
    get: () => {
      throw new ClusterError("NotFound", "no image");
    },
  };
  const networks = memoryNetworks();
  const ports = { publishedPorts: () => [] };
  const engine = { containers, images, abilities, networks, ports, events: { publish() {} } };
  const facts = newContainers(engine).getContainer(id);
  JSON.stringify([writeInspect(facts, { apiMinor: 51 }), writeSummary(facts, 0, undefined)]);
}

function plan(config: ContainerConfig): unknown {
  return planSpec({
    config,
    image: IMAGE,
    hostname: "h",
    user: { uid: 0, gid: 0, additionalGids: [], home: "/" },
    rootfs: "/rootfs",
    mounts: config.mounts.map((mount) => ({ ...mount, hostPath: mount.source })),
    files: { hostname: "/h", hosts: "/o", resolvConf: "/r" },
    initPath: "",
    cgroupsPath: "/c",
    devices: [],
    edits: { env: [], deviceNodes: [], mounts: [], hooks: [], additionalGids: [] },
    deviceNumbers: () => ({ major: 8, minor: 0 }),
    joined: {},
    shm: { kind: "own", sizeBytes: SHM_SIZE_BYTES },
    host: {
      cgroupKind: "v2",
      canLimitSwap: true,
      nofileMax: 1000,
      architecture: "amd64",
      kernel: "6.1",
      absentArchitectures: [],
      ownCapabilities: "1ffffffffff",
      canReadOnlyBelow: true,
      hasApparmor: true,
      seccomp: undefined,
    },
  });
}

describe("property: whatever is sent for a new container is taken or refused in words", function () {
  this.timeout(60_000);

  it("is taken as it stands", () => take(BODY));

  it("with anything wrong anywhere", async () => {
    let refusals = 0;
    for (const path of placesOf(BODY))
      for (const wrong of WRONG) {
        const body = replaced(BODY, path, wrong);
        try {
          await take(body);
        } catch (error) {
          const what = `${path.join(".")} = ${JSON.stringify(wrong)?.slice(0, 60)}: ${(error as Error).stack?.slice(0, 500)}`;
          expect(error, what).to.be.instanceOf(ClusterError);
          expect((error as ClusterError).code, what).to.be.oneOf(["InvalidArgument", "NotFound"]);
          expect((error as ClusterError).message.length, what).to.be.lessThan(2000);
          refusals++;
        }
      }
    expect(refusals).to.be.greaterThan(500);
  });
});
