import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { createChange, updateChange } from "../../manager/store/changes.ts";
import { NodeState, Task, TaskState } from "../../proto/gen/objects.ts";
import { askJson } from "../support/ask.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";
import { Swagger } from "../support/swagger.ts";

const FILE = resolve(import.meta.dirname, "../../../shared/reference/docker-engine-api-v1.51.yaml");
const SECOND_NS = 1e9;

/**
 * Where Docker's own daemon answers otherwise than its file says; its clients read what the daemon sends.
 * Source: moby, api/types/swarm: container.go (Healthcheck), service.go (PreviousSpec), task.go (GenericResources),
 * network.go (a task's network is a swarm object).
 */
const DOCKER_DIFFERS = [
  /\.ContainerSpec\.Healthcheck is not in the file$/,
  /\.PreviousSpec is not in the file$/,
  /\.NetworksAttachments\[\d+\]\.Network\.\w+ is not in the file$/,
  /\.GenericResources is not in the file$/,
];

/** What Muster adds of its own; docs/docker-compatibility.md, Swarm. Docker's clients pass over fields they do not know. */
const MUSTER_ADDS = [/\.Dispatcher\.(DownAfter|RestartGrace) is not in the file$/];

/** A service that says something in every field we take. */
const FULL_SPEC = {
  Name: "full",
  Labels: { a: "b" },
  TaskTemplate: {
    ContainerSpec: {
      Image: "nginx:1",
      Labels: { c: "d" },
      Command: ["nginx"],
      Args: ["-g"],
      Hostname: "name",
      Env: ["E=f"],
      Dir: "/srv",
      User: "www",
      Groups: ["audio"],
      TTY: true,
      OpenStdin: true,
      ReadOnly: true,
      StopSignal: "SIGINT",
      StopGracePeriod: SECOND_NS,
      Healthcheck: {
        Test: ["CMD", "true"],
        Interval: SECOND_NS,
        Timeout: SECOND_NS,
        Retries: 2,
        StartPeriod: SECOND_NS,
        StartInterval: SECOND_NS,
      },
      Mounts: [
        { Type: "bind", Source: "/a", Target: "/b", BindOptions: { Propagation: "rprivate" } },
        { Type: "volume", Source: "v", Target: "/v", VolumeOptions: { Labels: { l: "m" } } },
        { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } },
      ],
      Hosts: ["192.0.2.1 name"],
      DNSConfig: { Nameservers: ["192.0.2.2"], Search: ["x"], Options: ["ndots:1"] },
      CapabilityAdd: ["CAP_NET_ADMIN"],
      CapabilityDrop: ["CAP_CHOWN"],
      Sysctls: { "net.core.somaxconn": "100" },
      Ulimits: [{ Name: "nofile", Soft: 1, Hard: 2 }],
      Init: true,
      OomScoreAdj: 5,
    },
    Resources: {
      Limits: { NanoCPUs: SECOND_NS, MemoryBytes: 2 ** 25, Pids: 10 },
      Reservations: { NanoCPUs: SECOND_NS, MemoryBytes: 2 ** 25 },
    },
    RestartPolicy: {
      Condition: "on-failure",
      Delay: SECOND_NS,
      MaxAttempts: 3,
      Window: SECOND_NS,
    },
    Placement: {
      Constraints: ["node.role==manager"],
      Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }],
      MaxReplicas: 2,
      Platforms: [{ Architecture: "amd64", OS: "linux" }],
    },
    LogDriver: { Name: "json-file", Options: { "max-size": "1m" } },
    ForceUpdate: 1,
    Networks: [{ Target: "net", Aliases: ["alias"] }],
  },
  Mode: { Replicated: { Replicas: 2 } },
  UpdateConfig: {
    Parallelism: 1,
    Delay: SECOND_NS,
    FailureAction: "rollback",
    Monitor: SECOND_NS,
    MaxFailureRatio: 0.5,
    Order: "start-first",
  },
  RollbackConfig: { Parallelism: 1, FailureAction: "pause", Order: "stop-first" },
  EndpointSpec: { Mode: "vip", Ports: [{ Name: "http", TargetPort: 80, PublishedPort: 8080 }] },
};

const isMissing = !existsSync(FILE);
const why = isMissing ? ` (skipped: no ${FILE})` : "";

describe(`integration: answers fit Docker's Swagger file${why}`, function () {
  this.timeout(30_000);
  let api: MemoryApi;
  let swagger: Swagger;
  let networkId: string;
  let serviceId: string;

  before(async function () {
    if (isMissing) this.skip();
    swagger = new Swagger(FILE);
    api = await startMemoryApi();
    networkId = await created("/networks/create", {
      Name: "net",
      Driver: "overlay",
      Attachable: true,
      IPAM: { Config: [{ Subnet: "10.9.0.0/24", Gateway: "10.9.0.1" }] },
      Labels: { a: "b" },
      Options: { o: "p" },
    });
    serviceId = await created("/services/create", FULL_SPEC);
    const { json } = await askJson(api.socketPath, `GET /services/${serviceId}`);
    const { Version } = json as { Version: { Index: number } };
    const path = `/services/${serviceId}/update?version=${Version.Index}`;
    const changed = { ...FULL_SPEC, Labels: { a: "c" } };
    expect((await askJson(api.socketPath, `POST ${path}`, changed)).status).to.equal(200);
    await fillIn();
  });
  after(async () => api?.close());

  async function created(path: string, body: unknown): Promise<string> {
    const { status, json } = await askJson(api.socketPath, `POST ${path}`, body);
    expect(status, JSON.stringify(json)).to.equal(201);
    expect(swagger.problems(`POST ${path}`, status, json)).to.deep.equal([]);
    const { Id, ID } = json as { Id?: string; ID?: string };
    return Id ?? ID ?? "";
  }

  /** What planners and workers would add. */
  async function fillIn(): Promise<void> {
    const description = {
      hostname: "h1",
      platform: { os: "linux", architecture: "amd64" },
      resources: { nanoCpus: 4e9, memoryBytes: 2 ** 33, pids: 0 },
      engineVersion: "0.1.0",
      engineLabels: { a: "b" },
    };
    const status = { state: NodeState.READY, message: "", addr: "192.0.2.1" };
    const task = Task.fromPartial({
      id: "task1",
      serviceId,
      slot: 1,
      nodeId: api.nodeId,
      revision: 1,
      desiredState: TaskState.RUNNING,
      networks: [{ networkId, addresses: ["10.9.0.5/24"] }],
      status: {
        state: TaskState.FAILED,
        timestampMs: 1000,
        message: "started",
        err: "task: non-zero exit (1)",
        container: { containerId: "c", pid: 7, exitCode: 1 },
      },
    });
    await api.write(
      updateChange("node", api.nodeId, { description, status }),
      createChange("task", task),
    );
  }

  /** The operation of the file, and the path to ask for where it has parameters. */
  const cases: readonly { operation: string; path?: () => string }[] = [
    { operation: "GET /info" },
    { operation: "GET /version" },
    { operation: "GET /swarm" },
    { operation: "GET /swarm/unlockkey" },
    { operation: "GET /distribution/{name}/json", path: () => "/distribution/r:5000/nginx/json" },
    { operation: "GET /images/json", path: () => "/images/json?shared-size=1" },
    { operation: "GET /images/{name}/json", path: () => "/images/r:5000/team/web:1/json" },
    { operation: "GET /images/{name}/history", path: () => "/images/web:1/history" },
    { operation: "GET /images/search", path: () => "/images/search?term=web" },
    { operation: "GET /system/df" },
    { operation: "GET /nodes" },
    { operation: "GET /nodes/{id}", path: () => "/nodes/self" },
    { operation: "GET /services", path: () => "/services?status=true" },
    { operation: "GET /services/{id}", path: () => `/services/${serviceId}` },
    { operation: "GET /tasks" },
    { operation: "GET /tasks/{id}", path: () => "/tasks/task1" },
    { operation: "GET /networks" },
    { operation: "GET /networks/{id}", path: () => `/networks/${networkId}` },
  ];
  for (const { operation, path } of cases) {
    it(operation, async () => {
      const asked = path === undefined ? operation : `GET ${path()}`;
      const { status, json } = await askJson(api.socketPath, asked);
      expect(status, JSON.stringify(json)).to.equal(200);
      expect(json).to.not.deep.equal([]);
      const problems = swagger
        .problems(operation, status, json)
        .filter(
          (problem) => ![...DOCKER_DIFFERS, ...MUSTER_ADDS].some((known) => known.test(problem)),
        );
      expect(problems).to.deep.equal([]);
    });
  }

  it("a login, and one that is refused", async () => {
    const login = (username: string) => askJson(api.socketPath, "POST /auth", { username });
    const { status, json } = await login("alice");
    expect(json).to.deep.equal({ Status: "Login Succeeded", IdentityToken: "token" });
    expect(swagger.problems("POST /auth", status, json)).to.deep.equal([]);
    expect((await login("bob")).status).to.equal(401);
  });

  it("what becomes of images", async () => {
    const operations: readonly [string, string][] = [
      ["DELETE /images/{name}", "DELETE /images/web:1"],
      ["POST /images/{name}/tag", "POST /images/web:1/tag?repo=a/b&tag=c"],
      ["POST /images/prune", "POST /images/prune"],
    ];
    for (const [operation, path] of operations) {
      const { status, json } = await askJson(api.socketPath, path);
      expect(swagger.problems(operation, status, json), operation).to.deep.equal([]);
    }
  });

  it("an error", async () => {
    const { status, json } = await askJson(api.socketPath, "GET /services/none");
    expect(swagger.problems("GET /services/{id}", status, json)).to.deep.equal([]);
  });

  it("an update of a service, with what it warns of", async () => {
    const operation = "POST /services/{id}/update";
    expect(swagger.problems(operation, 200, { Warnings: null })).to.deep.equal([]);
    expect(swagger.problems(operation, 200, { Warning: 1 })).to.not.deep.equal([]);
  });
});
