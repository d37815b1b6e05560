import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import Docker from "dockerode";
import { ask } from "../support/ask.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { FULL } from "../support/engine/full-body.ts";
import { eventually } from "../support/eventually.ts";
import { Swagger } from "../support/swagger.ts";
import { packTar } from "../support/tar-writer.ts";

const FILE = resolve(import.meta.dirname, "../../../shared/reference/docker-engine-api-v1.51.yaml");
const isMissing = !existsSync(FILE);
const why = isMissing ? ` (skipped: no ${FILE})` : "";
const CDI_DIR = "/var/run/cdi";
const END_MS = 20_000;
const SECOND_NS = 1e9;

/** Where Docker's own daemon answers otherwise than its file says. Source: moby, api/types/container. */
const DOCKER_DIFFERS = [
  // Null where nothing was asked for.
  /HostConfig\.MemorySwappiness is of type null/,
];

describe(`e2e: containers by dockerode, answers against Docker's Swagger file${why}`, function () {
  this.timeout(120_000);
  let host: EngineHost;
  let swagger: Swagger;
  let client: Docker;

  before(async function () {
    if (isMissing) this.skip();
    swagger = new Swagger(FILE);
    host = await startEngineHost("e2eschema");
    client = new Docker({ socketPath: host.node.socket });
  });
  after(async () => host?.close());

  /** Asks, and says what of the answer does not fit. @returns the answer. */
  async function fits(operation: string, path: string, body?: unknown): Promise<unknown> {
    const [method = ""] = operation.split(" ");
    const { status, json } = await host.ask(`${method} ${path}`, body);
    expect(status, JSON.stringify(json)).to.be.lessThan(300);
    const problems = swagger
      .problems(operation, status, json)
      .filter((problem) => !DOCKER_DIFFERS.some((known) => known.test(problem)));
    expect(problems).to.deep.equal([]);
    return json;
  }

  it("create, inspect, list, update and wait fit", async () => {
    const { Id } = (await fits(
      "POST /containers/create",
      "/containers/create?name=full",
      FULL,
    )) as { Id: string };
    await fits("GET /containers/{id}/json", `/containers/${Id}/json?size=1`);
    await host.ask(`POST /containers/${Id}/start`);
    const shown = (await fits("GET /containers/{id}/json", "/containers/full/json")) as {
      readonly State: { readonly Status: string };
      readonly Config: Record<string, unknown>;
      readonly HostConfig: Record<string, unknown>;
    };
    expect(shown.State.Status).to.equal("running");
    // What was asked for is what is shown.
    const { HostConfig, Image: _, Env, Labels, Entrypoint, ...config } = FULL;
    expect(shown.HostConfig).to.deep.include({ ...HostConfig, OomKillDisable: false });
    expect(shown.Config).to.deep.include({ ...config, Entrypoint: [Entrypoint] });
    expect(shown.Config.Env).to.include.members(Env);
    expect(shown.Config.Labels).to.include(Labels);
    await fits("GET /containers/json", "/containers/json?all=1&size=1");
    await fits("GET /containers/{id}/top", `/containers/${Id}/top?ps_args=-ef`);
    await fits("GET /containers/{id}/changes", `/containers/${Id}/changes`);
    await fits("GET /containers/{id}/stats", `/containers/${Id}/stats?stream=0&one-shot=1`);
    await fits("POST /containers/{id}/update", `/containers/${Id}/update`, { CpuShares: 100 });
    const [waited] = await Promise.all([
      fits("POST /containers/{id}/wait", `/containers/${Id}/wait?condition=next-exit`),
      host.ask(`POST /containers/${Id}/kill?signal=KILL`),
    ]);
    expect(waited).to.deep.equal({ StatusCode: 137 });
    await host.ask(`DELETE /containers/${Id}?v=1&force=1`);
  });

  it("commands run in a container fit, and take input over an upgraded connection", async () => {
    const container = await client.createContainer({
      name: "home",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: "none" },
    });
    await container.start();
    const { Id } = (await fits("POST /containers/{id}/exec", "/containers/home/exec", {
      Cmd: ["tr", "a-z", "A-Z"],
      AttachStdin: true,
      AttachStdout: true,
    })) as { readonly Id: string };
    const stream = await client.getExec(Id).start({ hijack: true, stdin: true });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.once("end", resolve));
    stream.end("words\n");
    await ended;
    expect(Buffer.concat(chunks).toString("latin1")).to.equal("\x01\0\0\0\0\0\0\x06WORDS\n");
    expect(await fits("GET /exec/{id}/json", `/exec/${Id}/json`)).to.deep.include({ ExitCode: 0 });
    await container.remove({ force: true });
  });

  it("networks fit, and by dockerode a container joins and leaves them", async () => {
    const creation = {
      Name: "schema",
      IPAM: { Config: [{ Subnet: "10.66.0.0/24" }] },
      Labels: { a: "b" },
    };
    await fits("POST /networks/create", "/networks/create", creation);
    const network = client.getNetwork("schema");
    const container = await client.createContainer({
      name: "member",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: "schema" },
    });
    await container.start();
    await fits("GET /networks", "/networks");
    await fits("GET /networks/{id}", "/networks/schema");
    await network.disconnect({ Container: "member", Force: true });
    await network.connect({
      Container: "member",
      EndpointConfig: { Aliases: ["m"], IPAMConfig: { IPv4Address: "10.66.0.9" } },
    });
    await fits("GET /containers/{id}/json", "/containers/member/json");
    const shown = await network.inspect();
    expect(shown.Containers?.[container.id]?.IPv4Address).to.equal("10.66.0.9/24");
    await container.remove({ force: true });
    expect(await fits("POST /networks/prune", "/networks/prune")).to.deep.equal({
      NetworksDeleted: ["schema"],
    });
  });

  it("builds fit, line by line, and so does what is pruned of them", async () => {
    const build = async (query: string, Dockerfile: string) => {
      const headers = { "Content-Type": "application/x-tar" };
      const body = packTar([{ name: "Dockerfile", content: Dockerfile }]);
      const answer = await ask(host.node.socket, `POST /build?${query}`, { headers, body });
      return { status: answer.status, text: String(answer.body) };
    };
    const texts = ["FROM busybox\nRUN echo said >&2\nENV A=b\n", "FROM busybox\nRUN exit 3\n"];
    const kinds = new Set<string>();
    for (const [i, Dockerfile] of texts.entries()) {
      const { status, text } = await build(`forcerm=1&t=fits:${i}`, Dockerfile);
      expect(status).to.equal(200);
      for (const line of text.trim().split(/\r?\n/)) {
        expect(swagger.problemsOf("BuildInfo", JSON.parse(line)), line).to.deep.equal([]);
        for (const key of Object.keys(JSON.parse(line))) kinds.add(key);
      }
    }
    expect([...kinds]).to.have.members(["stream", "aux", "errorDetail", "error"]);
    const refused = await build("", "NO instruction\n");
    expect(refused.status).to.equal(400);
    expect(swagger.problems("POST /build", 400, JSON.parse(refused.text))).to.deep.equal([]);
    await fits("GET /images/{name}/json", "/images/fits:0/json");
    await fits("GET /images/{name}/history", "/images/fits:0/history");
    const usage = (await fits("GET /system/df", "/system/df?type=build-cache")) as object;
    expect(usage).to.deep.equal({ BuildCache: [] });
    const filters = encodeURIComponent('{"until":["24h"]}');
    const pruned = `/build/prune?all=1&keep-storage=10&filters=${filters}`;
    const nothing = { CachesDeleted: [], SpaceReclaimed: 0 };
    expect(await fits("POST /build/prune", pruned)).to.deep.equal(nothing);
    const wrong = await host.ask("POST /build/prune?keep-storage=much");
    expect(wrong.status).to.equal(400);
    await host.ask("DELETE /images/fits:0");
  });

  it("prune removes what does not run, by its filters", async () => {
    const create = async (name: string, labels: Record<string, string>) =>
      client.createContainer({
        name,
        Image: "busybox",
        Labels: labels,
        HostConfig: { NetworkMode: "none" },
      });
    await create("keep", { keep: "yes" });
    const dropped = await create("drop", {});
    const filters = encodeURIComponent(JSON.stringify({ "label!": { keep: true } }));
    const answer = await fits("POST /containers/prune", `/containers/prune?filters=${filters}`);
    expect(answer).to.deep.include({ ContainersDeleted: [dropped.id] });
    const names = (await client.listContainers({ all: true })).flatMap(({ Names }) => Names);
    expect(names).to.deep.equal(["/keep"]);
    await client.getContainer("keep").remove();
  });

  it("lists by every filter", async () => {
    const container = await client.createContainer({
      name: "sought",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      Labels: { role: "sought" },
      ExposedPorts: { "81/udp": {} },
      Healthcheck: { Test: ["CMD", "true"], Interval: SECOND_NS },
      HostConfig: { NetworkMode: "none", Binds: ["found:/data"] },
    });
    await client.createContainer({
      name: "other",
      Image: "busybox",
      HostConfig: { NetworkMode: "host" },
    });
    await container.start();
    await eventually(
      "it is healthy",
      async () => (await container.inspect()).State.Health?.Status === "healthy",
      END_MS,
    );
    const found = async (filters: Record<string, string[]>) =>
      (await client.listContainers({ all: true, filters })).map(({ Names }) => Names[0]);
    const matching: Record<string, string[]>[] = [
      { name: ["sou"] },
      { name: ["^/sought$"] },
      { id: [container.id.slice(0, 8)] },
      { label: ["role=sought"] },
      { label: ["role"] },
      { status: ["running"] },
      { health: ["healthy"] },
      { volume: ["found"] },
      { volume: ["/data"] },
      { network: ["none"] },
      { before: ["other"] },
      { ancestor: ["busybox"], name: ["sought"] },
      { "is-task": ["false"], status: ["running"] },
    ];
    for (const filters of matching)
      expect(await found(filters), JSON.stringify(filters)).to.deep.equal(["/sought"]);
    expect(await found({ since: ["sought"] })).to.deep.equal(["/other"]);
    expect(await found({ exited: ["0"] })).to.deep.equal([]);
    // In no network it has no ports.
    expect(await found({ expose: ["80-82/udp"] })).to.deep.equal([]);
    for (const bad of [{ status: ["happy"] }, { colour: ["red"] }, { health: ["ill"] }])
      expect((await failure(found(bad))).statusCode).to.equal(400);
    expect((await failure(found({ before: ["nobody"] }))).statusCode).to.equal(404);
    for (const name of ["sought", "other"]) await client.getContainer(name).remove({ force: true });
  });

  it("answers what the state does not allow with Docker's codes", async () => {
    const container = await client.createContainer({
      name: "states",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: "none" },
    });
    const codes: [string, number][] = [
      [`POST /containers/states/stop`, 304],
      [`POST /containers/states/kill`, 409],
      [`POST /containers/states/pause`, 409],
      [`POST /containers/states/start`, 204],
      [`POST /containers/states/start`, 304],
      [`POST /containers/states/kill?signal=NOSUCH`, 400],
      [`POST /containers/states/unpause`, 409],
      [`POST /containers/states/wait?condition=never`, 400],
      [`DELETE /containers/states`, 409],
      [`POST /containers/states/rename?name=`, 400],
      [`GET /containers/states/logs`, 400],
      [`GET /containers/nobody/json`, 404],
      [`POST /containers/${container.id.slice(0, 10)}/stop?t=0`, 204],
      [`DELETE /containers/states?v=1`, 204],
    ];
    for (const [operation, status] of codes)
      expect((await host.ask(operation)).status, operation).to.equal(status);
  });

  it("are waited for until they are gone", async () => {
    const container = await client.createContainer({
      name: "awaited",
      Image: "busybox",
      Cmd: ["sh", "-c", "exit 5"],
      HostConfig: { NetworkMode: "none", AutoRemove: true },
    });
    const gone = container.wait({ condition: "removed" });
    await container.start();
    expect(await gone).to.deep.equal({ StatusCode: 5 });
    expect((await failure(container.inspect())).statusCode).to.equal(404);
  });

  it("stay through a restart though they are to go when they end", async () => {
    const container = await client.createContainer({
      name: "again",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: "none", AutoRemove: true },
    });
    await container.start();
    await container.restart({ t: 0 });
    expect((await container.inspect()).State.Running).to.equal(true);
    const gone = container.wait({ condition: "removed" });
    await container.kill();
    expect(await gone).to.deep.equal({ StatusCode: 137 });
  });

  it("can be stopped and waited for between two starts by their policy", async () => {
    const container = await client.createContainer({
      name: "flapping",
      Image: "busybox",
      Cmd: ["false"],
      HostConfig: { NetworkMode: "none", RestartPolicy: { Name: "always" } },
    });
    await container.start();
    // The pauses grow: soon it is between two starts most of the time.
    const between = async () => (await container.inspect()).State;
    await eventually(
      "it waits for its next start",
      async () => {
        const { Status, Running } = await between();
        return Status === "restarting" && Running;
      },
      END_MS,
    );
    const ended = container.wait({ condition: "not-running" });
    await container.stop();
    expect(await ended).to.deep.equal({ StatusCode: 1 });
    expect((await between()).Status).to.equal("exited");
    await container.remove();
  });

  it("have the devices that a vendor's file describes", async () => {
    const file = `${CDI_DIR}/muster-e2e.json`;
    mkdirSync(CDI_DIR, { recursive: true });
    const node = { path: "/dev/given", hostPath: "/dev/null" };
    const devices = [{ name: "0", containerEdits: { deviceNodes: [node], env: ["GIVEN=yes"] } }];
    writeFileSync(file, JSON.stringify({ cdiVersion: "0.6.0", kind: "muster.test/e2e", devices }));
    try {
      const create = async (id: string) =>
        client.createContainer({
          Image: "busybox",
          Cmd: ["sh", "-c", "test -c /dev/given && echo $GIVEN"],
          HostConfig: {
            NetworkMode: "none",
            DeviceRequests: [{ Driver: "cdi", DeviceIDs: [`muster.test/e2e=${id}`] }],
          },
        });
      const given = await create("0");
      await given.start();
      await given.wait();
      expect(await host.mustDocker("logs", given.id)).to.equal("yes");
      const missing = await create("7");
      expect((await failure(missing.start())).message).to.contain(
        "unresolvable CDI devices muster.test/e2e=7",
      );
      for (const container of [given, missing]) await container.remove();
    } finally {
      rmSync(file);
    }
  });

  it("are handled by muster's own commands alike", async () => {
    const muster = (...args: string[]) => host.node.mustMuster(...args);
    const script = "echo said; exec sleep 1000";
    await client.createContainer({
      name: "ours",
      Image: "busybox",
      Cmd: ["sh", "-c", script],
      HostConfig: { NetworkMode: "none" },
    });
    expect(await muster("start", "ours")).to.equal("ours");
    expect(await muster("ps", "--format", "{{.Names}} {{.State}}")).to.equal("ours running");
    expect(await muster("ps")).to.match(/^CONTAINER ID +IMAGE .*\n[0-9a-f]{12} +busybox +"sh -c/);
    await eventually("it speaks", async () => (await muster("logs", "ours")) === "said", END_MS);
    expect(await muster("top", "ours")).to.match(/sleep 1000/);
    await muster("pause", "ours");
    await muster("unpause", "ours");
    await muster("rename", "ours", "mine");
    expect(await muster("stop", "-t", "0", "mine")).to.equal("mine");
    expect(await muster("wait", "mine")).to.equal("137");
    await muster("restart", "-t", "0", "mine");
    await muster("kill", "mine");
    await muster("wait", "mine");
    const inspected = await muster("container", "inspect", "-f", "{{.State.Status}}", "mine");
    expect(inspected).to.equal("exited");
    expect(await muster("container", "prune", "-f")).to.match(
      /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed/,
    );
    const { code, stderr } = await host.node.muster("rm", "mine");
    expect([code, stderr]).to.deep.equal([
      1,
      "Error response from daemon: No such container: mine\n",
    ]);
  });

  it("tells what happened, in Docker's order and words", async () => {
    const since = Math.floor(Date.now() / 1000);
    const container = await client.createContainer({
      name: "told",
      Image: "busybox",
      Cmd: ["sleep", "1000"],
      HostConfig: { NetworkMode: "none" },
    });
    await container.start();
    await container.pause();
    await container.unpause();
    await container.rename({ name: "retold" });
    await container.stop({ t: 0 });
    await container.remove();
    const until = Math.ceil(Date.now() / 1000) + 1;
    const events = await host.mustDocker(
      ...["events", "--since", String(since), "--until", String(until)],
      ...[
        "--filter",
        `container=${container.id}`,
        "--format",
        "{{.Action}} {{.Actor.Attributes.name}}",
      ],
    );
    expect(events.split("\n")).to.deep.equal([
      "create told",
      "start told",
      "pause told",
      "unpause told",
      "rename retold",
      "kill retold",
      "kill retold",
      "die retold",
      "stop retold",
      "destroy retold",
    ]);
  });
});

interface Failure {
  readonly statusCode?: number;
  readonly message?: string;
}

async function failure(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    return error as Failure;
  }
  throw new Error("it was to fail");
}
