import { expect } from "chai";
import { readServiceSpec, writeServiceSpec } from "./service.ts";

/** Every field we support, as a client sends it. */
const FULL_SPEC = {
  Name: "web",
  Labels: { tier: "front" },
  TaskTemplate: {
    ContainerSpec: {
      Image: "nginx:1",
      Labels: { a: "b" },
      Command: ["/bin/sh"],
      Args: ["-c", "true"],
      Hostname: "h",
      Env: ["A=1"],
      Dir: "/srv",
      User: "1000",
      Groups: ["adm"],
      TTY: true,
      OpenStdin: true,
      ReadOnly: true,
      StopSignal: "SIGQUIT",
      StopGracePeriod: 0,
      Healthcheck: { Test: ["CMD", "true"], Interval: 1, Timeout: 2, Retries: 3, StartPeriod: 4 },
      Mounts: [{ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096, Mode: 448 } }],
      Hosts: ["10.0.0.1 db"],
      DNSConfig: { Nameservers: ["10.0.0.2"], Search: ["local"], Options: ["ndots:1"] },
      CapabilityAdd: ["CAP_NET_ADMIN"],
      CapabilityDrop: ["CAP_MKNOD"],
      Sysctls: { "net.ipv4.ip_forward": "1" },
      Ulimits: [{ Name: "nofile", Soft: 10, Hard: 20 }],
      Isolation: "default",
      OomScoreAdj: -5,
      Secrets: [
        { File: { Name: "s", UID: "1", GID: "2", Mode: 256 }, SecretID: "i", SecretName: "n" },
      ],
      Configs: [
        { File: { Name: "/c", UID: "0", GID: "0", Mode: 292 }, ConfigID: "j", ConfigName: "m" },
      ],
      Init: false,
    },
    Resources: {
      Limits: { NanoCPUs: 1e9, MemoryBytes: 1024, Pids: 7 },
      Reservations: { NanoCPUs: 5e8, MemoryBytes: 512 },
    },
    RestartPolicy: { Condition: "on-failure", Delay: 0, MaxAttempts: 0, Window: 5 },
    Placement: {
      Constraints: ["node.role==worker"],
      Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }],
      MaxReplicas: 2,
      Platforms: [{ Architecture: "amd64", OS: "linux" }],
    },
    Networks: [{ Target: "n1", Aliases: ["w"], DriverOpts: { k: "v" } }],
    ForceUpdate: 3,
    LogDriver: { Name: "json-file", Options: { "max-size": "1m" } },
    Runtime: "container",
  },
  Mode: { Replicated: { Replicas: 0 } },
  UpdateConfig: {
    Parallelism: 2,
    Delay: 1,
    FailureAction: "rollback",
    Monitor: 5,
    MaxFailureRatio: 0.5,
    Order: "start-first",
  },
  RollbackConfig: { Parallelism: 0, Monitor: 5, MaxFailureRatio: 0, Order: "stop-first" },
  EndpointSpec: {
    Mode: "vip",
    Ports: [
      { Name: "p", Protocol: "udp", TargetPort: 53, PublishedPort: 5353, PublishMode: "host" },
    ],
  },
};

describe("wire: service spec", () => {
  it("gives back exactly what was sent", () => {
    const written = JSON.parse(JSON.stringify(writeServiceSpec(readServiceSpec(FULL_SPEC, ""))));
    expect(written).to.deep.equal(FULL_SPEC);
  });

  it("never shows the registry's credentials", () => {
    const spec = readServiceSpec(FULL_SPEC, "secret-auth");
    expect(spec.task?.container?.registryAuth).to.equal("secret-auth");
    expect(JSON.stringify(writeServiceSpec(spec))).not.to.contain("secret-auth");
  });

  it("makes one replica when no mode is said", () => {
    const spec = readServiceSpec({ Name: "a", TaskTemplate: {} }, "");
    expect(spec.mode).to.deep.equal({ $case: "replicated", value: { replicas: 1 } });
  });

  const refused: { name: string; body: unknown; message: string }[] = [
    {
      name: "negative replicas",
      body: { Mode: { Replicated: { Replicas: -1 } } },
      message: "Replicas must be",
    },
    {
      name: "fractional replicas",
      body: { Mode: { Replicated: { Replicas: 1.5 } } },
      message: "Replicas must be",
    },
    {
      name: "replicas as text",
      body: { Mode: { Replicated: { Replicas: "3" } } },
      message: "Replicas must be",
    },
    { name: "jobs", body: { Mode: { ReplicatedJob: {} } }, message: "jobs are not supported" },
    {
      name: "two modes",
      body: { Mode: { Global: {}, Replicated: {} } },
      message: "only one service mode",
    },
    {
      name: "a config as Windows' credential spec",
      body: {
        TaskTemplate: { ContainerSpec: { Configs: [{ ConfigID: "x", Runtime: { a: 1 } }] } },
      },
      message: "Runtime is not supported",
    },
  ];
  for (const { name, body, message } of refused) {
    it(`refuses ${name}`, () => {
      expect(() => readServiceSpec(body, "")).to.throw(message);
    });
  }
});
