import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { readContainerCreate } from "./create.ts";

const ID = "a".repeat(64);
const context = {
  nameOfNetwork: () => undefined,
  apiMinor: 51,
  resolve: () => ID,
  nameOf: (ref: string) => ref,
  mountsOf: () => [],
  runtimes: ["runc", "io.containerd.runc.v2"],
  hasApparmor: false,
};
const read = (config: object, host: object = {}) =>
  readContainerCreate({ Image: "web", ...config, HostConfig: host }, "name", context);

describe("wire: a new container", () => {
  it("is what Debian's command line sends for a plain one", () => {
    const { settings, networkMode, warnings } = read(
      { Cmd: ["true"], Entrypoint: null, OnBuild: null, Volumes: {}, Labels: {} },
      {
        MemorySwappiness: -1,
        OomKillDisable: false,
        PidsLimit: 0,
        KernelMemory: 0,
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        NetworkMode: "default",
        LogConfig: { Type: "", Config: {} },
        MaskedPaths: null,
        ConsoleSize: [0, 0],
        DeviceRequests: null,
      },
    );
    expect(settings).to.deep.include({ command: ["true"], entrypoint: [], stopTimeoutMs: 10_000 });
    expect(settings.restart).to.deep.equal({ kind: "no", retriesMax: 0 });
    expect(settings.limits.memorySwappiness).to.equal(undefined);
    expect(settings.security.maskedPaths).to.equal(undefined);
    expect(settings.log).to.deep.equal({ driver: "json-file", options: {} });
    expect([networkMode, warnings]).to.deep.equal(["bridge", []]);
  });

  it("takes texts for lists of one, and an empty list of masked paths for none", () => {
    const { settings } = read({ Cmd: "true", Entrypoint: "sh" }, { MaskedPaths: [] });
    expect([settings.command, settings.entrypoint]).to.deep.equal([["true"], ["sh"]]);
    expect(settings.security.maskedPaths).to.deep.equal([]);
  });

  it("names other containers by their whole ids", () => {
    const { settings, networkMode } = read(
      {},
      { PidMode: "container:x", IpcMode: "container:x", NetworkMode: "container:x" },
    );
    expect(settings.namespaces).to.include({ pid: `container:${ID}`, ipc: `container:${ID}` });
    expect(networkMode).to.equal(`container:${ID}`);
  });

  it("is warned of what will not be", () => {
    const { warnings } = read(
      {},
      {
        NetworkMode: "host",
        PortBindings: { "80/tcp": [{ HostPort: "80" }] },
        SecurityOpt: ["apparmor=mine"],
        KernelMemory: 5e6,
      },
    );
    expect(warnings).to.have.length(3);
    expect(warnings[0]).to.equal("Published ports are discarded when using host network mode");
  });

  const refusals: { config?: object; host?: object; says: string }[] = [
    { config: { Image: "" }, says: "no command specified" },
    { config: { Env: ["=x"] }, says: "invalid environment variable: =x" },
    { config: { WorkingDir: "x" }, says: "needs to be an absolute path" },
    { config: { Healthcheck: { Interval: 1 } }, says: "Interval in Healthcheck cannot be less" },
    { config: { Healthcheck: { Retries: -1 } }, says: "Retries in Healthcheck cannot be negative" },
    { config: { Cmd: [1] }, says: "Config.Cmd[0] must be a string" },
    { config: { Tty: "yes" }, says: "Config.Tty must be true or false" },
    { host: { Memory: 2 ** 53 + 2 }, says: "Memory must be a whole number" },
    { host: { Memory: 1.5 }, says: "Memory must be a whole number" },
    { host: { ShmSize: -1 }, says: "SHM size can not be less than 0" },
    { host: { UTSMode: "x" }, says: "invalid UTS mode: x" },
    { host: { PidMode: "x" }, says: "invalid PID mode: x" },
    { host: { IpcMode: "x" }, says: "invalid IPC mode: x" },
    { host: { CgroupnsMode: "x" }, says: "invalid cgroup namespace mode: x" },
    { host: { UsernsMode: "x" }, says: "invalid user namespace mode: x" },
    { host: { SecurityOpt: ["x=y"] }, says: "invalid --security-opt" },
    { host: { ExtraHosts: ["db"] }, says: "bad format for add-host" },
    { host: { ExtraHosts: ["db:x"] }, says: "invalid IP address in add-host" },
    { host: { VolumeDriver: "nfs" }, says: 'plugin "nfs" not found' },
    { host: { Isolation: "hyperv" }, says: "invalid isolation" },
    { host: { CpuCount: 2 }, says: "CpuCount is not supported" },
    {
      host: { RestartPolicy: { Name: "always", MaximumRetryCount: 2 } },
      says: "maximum retry count can only be used with 'on-failure'",
    },
    {
      host: { AutoRemove: true, RestartPolicy: { Name: "always" } },
      says: "can't create 'AutoRemove' container with restart policy",
    },
    {
      config: { Hostname: "x" },
      host: { UTSMode: "host" },
      says: "conflicting options: hostname and the UTS mode",
    },
  ];
  for (const { config = {}, host = {}, says } of refusals)
    it(`refuses ${JSON.stringify({ ...config, ...host })}`, () =>
      expect(() => read(config, host))
        .to.throw(ClusterError, says)
        .with.property("code", "InvalidArgument"));

  for (const body of [null, {}, { HostConfig: {} }, { NetworkingConfig: {}, hostconfig: {} }])
    it(`refuses ${JSON.stringify(body)}, which says nothing of the container`, () =>
      expect(() => readContainerCreate(body, "name", context)).to.throw(
        "config cannot be empty in order to create a container",
      ));

  it("is not fooled by names of JavaScript's own", () => {
    const body = JSON.parse(
      '{"Image":"web","__proto__":{"Tty":true},"Labels":{"__proto__":"x"},"HostConfig":{"constructor":1}}',
    );
    const { settings } = readContainerCreate(body, "name", context);
    expect(settings.tty).to.equal(false);
    expect(Object.hasOwn(settings.labels, "__proto__")).to.equal(true);
  });
});
