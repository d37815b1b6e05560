import { type IncomingMessage, request } from "node:http";
import { expect } from "chai";
import { BODY_BYTES_MAX } from "../../api/http/exchange.ts";
import { ClusterError, type ErrorCode } from "../../core/errors.ts";
import type { LogMessage } from "../../proto/gen/control.ts";
import { ask, askJson } from "../support/ask.ts";
import { eventually } from "../support/eventually.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";

const SPEC = {
  Name: "web",
  Labels: { tier: "front" },
  TaskTemplate: { ContainerSpec: { Image: "nginx:1", Env: ["A=b"] } },
  Mode: { Replicated: { Replicas: 3 } },
  EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8080 }] },
};
const JSON_TYPE = { "Content-Type": "application/json" };

/** What the log backend of these tests does next. */
interface FakeLogs {
  messages: AsyncIterable<LogMessage>;
  given: number;
  ended: boolean;
}

function logMessage(text: string, stderr = false): LogMessage {
  const ids = { nodeId: "n", serviceId: "s", taskId: "t" };
  const time = { timestampMs: 0, timestamp: "2024-01-01T00:00:00.000000001Z" };
  return { ...ids, ...time, stderr, data: Buffer.from(text) };
}

async function* listOf(...messages: readonly LogMessage[]): AsyncIterable<LogMessage> {
  yield* messages;
}

describe("integration: API over a Unix socket", function () {
  this.timeout(20_000);
  let api: MemoryApi;
  let refusal: ClusterError | undefined;
  const logs: FakeLogs = { messages: listOf(), given: 0, ended: false };

  before(async () => {
    api = await startMemoryApi(({ services }) => ({
      services: {
        ...services,
        listServices: async (filters) => {
          if (refusal !== undefined) throw refusal;
          return services.listServices(filters);
        },
        serviceLogs: (_target, _options, signal) => {
          signal.addEventListener("abort", () => {
            logs.ended = true;
          });
          return logs.messages;
        },
      },
    }));
  });
  after(async () => api?.close());

  const get = (path: string) => askJson(api.socketPath, `GET ${path}`);
  const post = (path: string, body: unknown) => askJson(api.socketPath, `POST ${path}`, body);
  const createService = async (name: string, more: object = {}): Promise<string> => {
    const endpoint = { EndpointSpec: undefined };
    const { status, json } = await post("/services/create", {
      ...SPEC,
      ...endpoint,
      name,
      ...more,
    });
    expect(status, JSON.stringify(json)).to.equal(201);
    return (json as { ID: string }).ID;
  };

  describe("ping", () => {
    for (const method of ["GET", "HEAD"]) {
      it(`answers ${method} with what clients look for`, async () => {
        const { status, headers, body } = await ask(api.socketPath, `${method} /_ping`);
        expect(status).to.equal(200);
        expect(body.toString()).to.equal(method === "GET" ? "OK" : "");
        expect(headers).to.include({
          "api-version": "1.51",
          "docker-experimental": "false",
          ostype: "linux",
          swarm: "active/manager",
          "content-type": "text/plain; charset=utf-8",
        });
        expect(headers.server).to.match(/^Muster\/.* \(linux\)$/);
      });
    }
  });

  describe("versions and paths", () => {
    for (const path of ["/info", "/v1.24/info", "/v1.51/info", "/v1.51/info/"]) {
      it(`serves ${path}`, async () => expect((await get(path)).status).to.equal(200));
    }
    for (const [path, word] of [
      ["/v1.52/info", "too new"],
      ["/v1.23/info", "too old"],
    ] as const) {
      it(`refuses ${path}`, async () => {
        const { status, json } = await get(path);
        expect(status).to.equal(400);
        expect((json as { message: string }).message).to.contain(word);
      });
    }
    for (const path of [
      "/bogus",
      "/v1.41/bogus",
      "/v1/info",
      "/v2.0/info",
      "/",
      "//",
      "//info",
      "/services/%zz",
    ]) {
      it(`knows no ${path}`, async () => {
        expect(await get(path)).to.deep.equal({ status: 404, json: { message: "page not found" } });
      });
    }
    it("knows no other method of a path it serves", async () => {
      expect((await askJson(api.socketPath, "DELETE /info")).status).to.equal(404);
    });
    for (const [operation, status, words] of [
      ["GET /containers/x/checkpoints", 501, "checkpoints are not supported by muster"],
      ["POST /session", 501, "DOCKER_BUILDKIT=0"],
      ["GET /plugins", 200, ""],
      [`GET /plugins?filters=${encodeURIComponent('{"enabled":["true"]}')}`, 200, ""],
      [`GET /plugins?filters=${encodeURIComponent('{"enabled":["x"]}')}`, 400, "invalid filter"],
      [`GET /plugins?filters=${encodeURIComponent('{"bogus":["x"]}')}`, 400, "invalid filter"],
      ["GET /plugins/a/b:c/json", 404, 'plugin "a/b:c" not found'],
      ["DELETE /plugins/x?force=1", 404, 'plugin "x" not found'],
      ["POST /plugins/x/enable?timeout=0", 404, 'plugin "x" not found'],
      ["GET /plugins/privileges?remote=x", 501, "managed plugins are not supported"],
      ["POST /plugins/pull?remote=x", 501, "managed plugins are not supported"],
      ["PUT /volumes/none?version=1", 404, "none"],
      ["PUT /volumes/none", 400, "invalid version"],
    ] as const) {
      it(`answers ${operation} with ${status} ${words}`, async () => {
        const body = operation.startsWith("PUT") ? {} : undefined;
        const { status: code, json } = await askJson(api.socketPath, operation, body);
        expect([code, JSON.stringify(json)]).to.satisfy(
          ([code, text]: [number, string]) =>
            code === status && text.includes(JSON.stringify(words).slice(1, -1)),
          JSON.stringify(json),
        );
      });
    }
  });

  describe("info", () => {
    type Info = Record<string, unknown> & { readonly Plugins: { readonly Log: readonly string[] } };
    const infoOf = async (version: string) => (await get(`${version}/info`)).json as Info;

    it("names programs, devices and what it is built on", async () => {
      expect(await infoOf("/v1.51")).to.deep.include({
        Driver: "overlay2",
        RuncCommit: { ID: "abc" },
        ContainerdCommit: { ID: "N/A" },
        InitBinary: "docker-init",
        FirewallBackend: { Driver: "nftables" },
        CDISpecDirs: ["/etc/cdi"],
        DiscoveredDevices: [{ Source: "cdi", ID: "vendor/class=one" }],
      });
    });
    it("keeps older clients from warning of bridges", async () => {
      const { BridgeNfIptables, BridgeNfIp6tables } = await infoOf("/v1.41");
      expect([BridgeNfIptables, BridgeNfIp6tables]).to.deep.equal([true, true]);
      expect(await infoOf("/v1.51")).to.not.have.property("BridgeNfIptables");
    });
  });

  describe("filters", () => {
    const listed = async (filters: unknown) => {
      const { status, json } = await get(
        `/services?filters=${encodeURIComponent(JSON.stringify(filters))}`,
      );
      expect(status, JSON.stringify(json)).to.equal(200);
      return (json as { Spec: { Name: string } }[]).map((service) => service.Spec.Name);
    };
    before(async () => {
      await createService("filtered");
    });

    it("are read as Go's clients write them", async () => {
      expect(await listed({ name: { filtered: true } })).to.deep.equal(["filtered"]);
      expect(await listed({ name: { other: true } })).to.deep.equal([]);
    });
    it("are read as others write them", async () => {
      expect(await listed({ name: ["filtered"] })).to.deep.equal(["filtered"]);
    });
    for (const filters of ['{"bogus":["1"]}', "{", "[]"]) {
      it(`are refused when they are ${filters}`, async () => {
        const { status, json } = await get(`/services?filters=${encodeURIComponent(filters)}`);
        expect(status).to.equal(400);
        expect((json as { message: string }).message).to.contain("invalid filter");
      });
    }
  });

  describe("bodies", () => {
    const bad: readonly { name: string; body: string; headers?: Record<string, string> }[] = [
      { name: "broken JSON", body: "{" },
      { name: "two values", body: "{}{}" },
      { name: "none", body: "" },
      { name: "a list", body: "[]" },
      { name: "another content type", body: "{}", headers: { "Content-Type": "text/plain" } },
      { name: "no content type", body: "{}", headers: {} },
      { name: "a field of a wrong type", body: '{"Name":1}' },
    ];
    for (const { name, body, headers = JSON_TYPE } of bad) {
      it(`refuses ${name}`, async () => {
        const request = { body, headers };
        const answer = await ask(api.socketPath, "POST /services/create", request);
        expect(answer.status, answer.body.toString()).to.equal(400);
        expect(JSON.parse(answer.body.toString())).to.have.keys(["message"]);
      });
    }
    for (const framing of ["with its length said", "in chunks"]) {
      it(`refuses one that is too large, ${framing}`, async () => {
        const body = Buffer.alloc(BODY_BYTES_MAX + 1, " ");
        const chunked = framing === "in chunks" ? { "Transfer-Encoding": "chunked" } : {};
        const headers = { ...JSON_TYPE, ...chunked };
        const answer = await ask(api.socketPath, "POST /services/create", { headers, body });
        expect(answer.status).to.equal(400);
        expect(answer.body.toString()).to.contain("request body is larger than");
      });
    }
  });

  describe("errors", () => {
    const codes: Readonly<Partial<Record<ErrorCode, number>>> = {
      InvalidArgument: 400,
      FailedPrecondition: 400,
      PermissionDenied: 403,
      NotFound: 404,
      AlreadyExists: 409,
      ResourceExhausted: 429,
      Internal: 500,
      Unimplemented: 501,
      Unavailable: 503,
      DeadlineExceeded: 504,
    };
    for (const [code, status] of Object.entries(codes)) {
      it(`makes ${status} of ${code}`, async () => {
        refusal = new ClusterError(code as ErrorCode, "why it failed");
        const answer = await get("/services");
        refusal = undefined;
        expect(answer).to.deep.equal({ status, json: { message: "why it failed" } });
      });
    }
  });

  describe("services", () => {
    it("come back as they were sent", async () => {
      const { status, json } = await post("/services/create", SPEC);
      expect(status).to.equal(201);
      const { ID } = json as { ID: string };
      for (const ref of [ID, "web", ID.slice(0, 12)]) {
        const inspected = (await get(`/services/${ref}`)).json as { ID: string; Spec: typeof SPEC };
        expect(inspected.ID).to.equal(ID);
        expect(inspected.Spec.Name).to.equal("web");
        expect(inspected.Spec.Labels).to.deep.equal(SPEC.Labels);
        expect(inspected.Spec.Mode).to.deep.equal(SPEC.Mode);
        expect(inspected.Spec.TaskTemplate.ContainerSpec).to.include({ Image: "nginx:1" });
        expect(inspected.Spec.EndpointSpec.Ports[0]).to.include({
          Protocol: "tcp",
          TargetPort: 80,
          PublishedPort: 8080,
          PublishMode: "ingress",
        });
      }
    });
    it("are not made with what would be lost", async () => {
      const container = { Image: "nginx:1" };
      const lost = [
        { ...container, Hostname: "{{.Node.Hostname}}" },
        { ...container, Env: ["SLOT={{.Task.Slot}}"] },
        { ...container, Privileges: { SELinuxContext: { Disable: true } } },
      ];
      for (const ContainerSpec of lost) {
        const spec = { Name: "lost", TaskTemplate: { ContainerSpec } };
        const { status, json } = await post("/services/create", spec);
        expect(status).to.equal(400);
        expect((json as { message: string }).message).to.contain("not supported by this version");
      }
    });
    it("are made by `docker stack deploy`, which sends empty objects full of nulls", async () => {
      const Privileges = { CredentialSpec: null, SELinuxContext: null, NoNewPrivileges: false };
      const ContainerSpec = { Image: "nginx:1", Privileges };
      await createService("stacked", { TaskTemplate: { ContainerSpec } });
    });
    it("are not made twice, nor found when there are none", async () => {
      expect((await post("/services/create", SPEC)).status).to.equal(409);
      expect((await get("/services/none")).status).to.equal(404);
    });
    it("are updated at the version that was seen, and removed", async () => {
      const id = await createService("changing");
      const { Version } = (await get(`/services/${id}`)).json as { Version: { Index: number } };
      const spec = { ...SPEC, Name: "changing", EndpointSpec: undefined };
      const update = (version: number | string) =>
        post(`/services/${id}/update?version=${version}`, spec);
      expect((await update("x")).status).to.equal(400);
      expect(await update(Version.Index)).to.deep.equal({ status: 200, json: { Warnings: null } });
      expect((await update(Version.Index)).json).to.deep.equal({
        message: "update out of sequence",
      });
      const removed = await askJson(api.socketPath, `DELETE /services/${id}`);
      expect(removed).to.deep.equal({ status: 200, json: undefined });
    });
  });

  describe("logs", () => {
    let id: string;
    let ttyId: string;
    before(async () => {
      id = await createService("talking");
      const template = { ContainerSpec: { Image: "nginx:1", TTY: true } };
      ttyId = await createService("drawing", { TaskTemplate: template });
    });
    beforeEach(() => Object.assign(logs, { messages: listOf(), given: 0, ended: false }));

    const fetchLogs = (service: string, query: string) =>
      ask(api.socketPath, `GET /services/${service}/logs?${query}`);
    const openLogs = (service: string): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const path = `/services/${service}/logs?stdout=1&follow=1`;
        request({ socketPath: api.socketPath, path, agent: false }, resolve)
          .once("error", reject)
          .end();
      });
    /** Lines without end, counted as they are taken. */
    async function* flood(): AsyncIterable<LogMessage> {
      const line = "x".repeat(1023);
      for (;;) {
        logs.given++;
        // A real backend gives its lines over time.
        if (logs.given % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield logMessage(`${line}\n`);
      }
    }

    it("come in frames", async () => {
      logs.messages = listOf(logMessage("out\n"), logMessage("oops\n", true));
      const { headers, body } = await fetchLogs(id, "stdout=1&stderr=1");
      expect(headers["content-type"]).to.equal("application/vnd.docker.multiplexed-stream");
      expect(body.toString("latin1")).to.equal(
        "\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x05oops\n",
      );
    });
    it("come raw of a terminal", async () => {
      logs.messages = listOf(logMessage("out\r\n"));
      const { headers, body } = await fetchLogs(ttyId, "stdout=1");
      expect(headers["content-type"]).to.equal("application/vnd.docker.raw-stream");
      expect(body.toString()).to.equal("out\r\n");
    });
    it("say when and whose they are", async () => {
      logs.messages = listOf(logMessage("out\n"));
      const { body } = await fetchLogs(ttyId, "stdout=1&timestamps=1&details=1");
      const labels =
        "com.docker.swarm.node.id=n,com.docker.swarm.service.id=s,com.docker.swarm.task.id=t";
      expect(body.toString()).to.equal(`2024-01-01T00:00:00.000000001Z ${labels} out\n`);
    });
    it("need a stream, and numbers that are numbers", async () => {
      for (const query of ["", "stdout=0", "stdout=1&tail=few", "stdout=1&since=yesterday"]) {
        expect((await fetchLogs(id, query)).status, query).to.equal(400);
      }
    });
    it("wait for a client that reads slowly", async () => {
      logs.messages = flood();
      const response = await openLogs(id);
      await eventually("the stream stands still", async () => {
        const before = logs.given;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return before > 0 && logs.given === before;
      });
      expect(logs.given).to.be.below(4000);
      const stoodAt = logs.given;
      response.resume();
      await eventually("it goes on", () => logs.given > 2 * stoodAt);
      response.destroy();
      await eventually("the backend is told", () => logs.ended);
    });
    it("end with the client, also while there is nothing to say", async () => {
      logs.messages = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
      };
      const response = await openLogs(id);
      response.destroy();
      await eventually("the backend is told", () => logs.ended);
    });
  });

  it("answers 500 requests at once", async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, () => get("/services")));
    expect(answers.every(({ status }) => status === 200)).to.equal(true);
  });
});
