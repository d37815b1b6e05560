import { readFileSync } from "node:fs";
import { request } from "node:http";
import { expect } from "chai";
import { ask, askJson } from "../support/ask.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const LONG = "n".repeat(300);
const PARALLEL = 1000;

/** What takes a JSON body. */
const WITH_BODY = [
  "POST /containers/create",
  "POST /containers/box/update",
  "POST /containers/box/exec",
  "POST /networks/create",
  "POST /networks/bridge/connect",
  "POST /networks/bridge/disconnect",
  "POST /volumes/create",
  "POST /commit?container=box",
  "POST /auth",
];
/** No JSON, or JSON that is no object. */
const MALFORMED = [
  ...["{", "NaN", "{'Image':1}", '{"a":1}}', '{"a":1}{"b":2}', '{"a":NaN}', '{"a":01}'],
  ...["[1]", '"x"', "7", "true", `{"a":${"[".repeat(50_000)}`, "\u0000", '{"a":"\n"}'],
];

/** Bodies in which one thing is wrong. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ["POST /containers/create", { Image: 1 }],
  ["POST /containers/create", { Image: ["busybox"] }],
  ["POST /containers/create", { Image: "busybox", Env: { a: 1 } }],
  ["POST /containers/create", { Image: "busybox", Tty: "yes" }],
  ["POST /containers/create", { Image: "busybox", Labels: ["a"] }],
  ["POST /containers/create", { Image: "busybox", StopTimeout: 1.5 }],
  ["POST /containers/create", { Image: "busybox", HostConfig: "x" }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { Memory: -2 } }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { Memory: 2 ** 53 + 2 } }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { NanoCpus: 1.5 } }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { Binds: ["/proc/../..:"] } }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { Binds: ["relative:/x:ro:ro"] } }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { Sysctls: { "a\nb": "1" } } }],
  ["POST /containers/create", { Image: "busybox", WorkingDir: "/proc/self/fd/7" }],
  ["POST /containers/create", { Image: "busybox", HostConfig: { PortBindings: { "x/tcp": [] } } }],
  ["POST /containers/create", { __proto__: null, Image: "busybox", Env: [1] }],
  ["POST /containers/box/update", { Memory: "1g" }],
  ["POST /containers/box/update", { CpuShares: 2 ** 53 + 2 }],
  ["POST /containers/box/update", { RestartPolicy: { Name: "sometimes" } }],
  ["POST /containers/box/update", { RestartPolicy: { Name: "no", MaximumRetryCount: -1 } }],
  ["POST /containers/box/exec", { Cmd: [] }],
  ["POST /containers/box/exec", { Cmd: "x", Env: 1 }],
  ["POST /networks/create", { Name: "" }],
  ["POST /networks/create", { Name: ["a"] }],
  ["POST /networks/create", { Name: "x", Driver: 1 }],
  ["POST /networks/create", { Name: "x", IPAM: { Config: [{ Subnet: "1.2.3" }] } }],
  ["POST /networks/create", { Name: "x", IPAM: { Config: [{ Subnet: "10.0.0.0/99" }] } }],
  ["POST /networks/create", { Name: "x", Labels: { a: 1 } }],
  ["POST /networks/bridge/connect", { Container: 1 }],
  ["POST /networks/bridge/disconnect", { Container: "box", Force: "yes" }],
  ["POST /volumes/create", { Name: "../up" }],
  ["POST /volumes/create", { Name: LONG }],
  ["POST /volumes/create", { Name: "vö" }],
  ["POST /volumes/create", { Name: 1 }],
  ["POST /volumes/create", { Name: "x", DriverOpts: { type: 1 } }],
  ["POST /volumes/create", { Name: "x", Driver: "clever" }],
  ["POST /auth", { username: 1 }],
];

const query = (filters: unknown) => encodeURIComponent(JSON.stringify(filters));

/** Requests whose path or query is wrong. */
const BAD_REQUESTS = [
  ...["containers", "images"].flatMap((area) => [
    `GET /${area}/json?filters=${query({ colour: ["red"] })}`,
    `GET /${area}/json?filters=%7B`,
    `GET /${area}/json?filters=${query({ label: 1 })}`,
  ]),
  ...["networks", "volumes"].flatMap((area) => [
    `GET /${area}?filters=${query({ colour: ["red"] })}`,
    `GET /${area}?filters=7`,
    `POST /${area}/prune?filters=${query({ colour: ["red"] })}`,
  ]),
  `GET /events?filters=${query({ colour: ["red"] })}`,
  "GET /containers/json?limit=x",
  "GET /containers/box/logs?stdout=1&tail=-5&since=yesterday",
  "GET /containers/box/archive",
  "PUT /containers/box/archive?path=%00",
  "POST /containers/box/kill?signal=SIGFLY",
  "POST /containers/box/rename?name=",
  `POST /containers/box/rename?name=${encodeURIComponent("b/../x")}`,
  `POST /containers/box/rename?name=${encodeURIComponent("ü")}`,
  "POST /containers/box/wait?condition=never",
  "POST /images/busybox/tag?repo=UPPER%20CASE",
  "POST /images/create?fromImage=..%2F..%2Fetc",
];

/** Names of nothing there is. */
const NOBODY = [LONG, "__proto__", "constructor", "%2e%2e%2fetc", "%F0%9F%A6%86", "a%00b", "%0A"];

describe("e2e: hostile requests about single containers, images, networks and volumes", function () {
  this.timeout(120_000);
  let host: EngineHost;
  let atFirst: string;

  const state = async () =>
    JSON.stringify(
      await Promise.all(
        ["/containers/json?all=1", "/images/json", "/networks", "/volumes"].map(async (path) => {
          const { json } = await askJson(host.node.socket, `GET ${path}`);
          return JSON.stringify(json, (key, value: unknown) =>
            key === "Status" || key === "Scope" ? undefined : value,
          );
        }),
      ),
    );

  before(async () => {
    host = await startEngineHost("e2ehostile");
    await host.mustDocker("run", "-d", "--name", "box", "busybox", "sleep", "1000");
    atFirst = await state();
  });
  after(async () => {
    await host?.mustDocker("rm", "-f", "box");
    await host?.close();
  });

  /** Asked for what cannot be, the daemon answers with a reason, and the fault is not its own. */
  async function refused(operation: string, body?: string): Promise<void> {
    const answer = await ask(host.node.socket, operation, {
      ...(body === undefined ? {} : { body, headers: JSON_TYPE }),
    });
    const shown = `${operation} ${body?.slice(0, 100) ?? ""}: ${answer.body.toString().slice(0, 300)}`;
    expect(answer.status, shown).to.be.within(400, 499);
    const { message } = JSON.parse(answer.body.toString()) as { readonly message: string };
    expect(message, shown).to.be.a("string").with.length.greaterThan(0);
  }

  it("bodies that are no JSON object are refused everywhere", async () => {
    for (const operation of WITH_BODY) for (const body of MALFORMED) await refused(operation, body);
  });

  it("bodies with something wrong in them are refused", async () => {
    for (const [operation, body] of WRONG) await refused(operation, JSON.stringify(body));
  });

  it("a __proto__ in a body is a name like any other", async () => {
    await refused("POST /containers/create", '{"__proto__":{"Image":"busybox"}}');
    await refused("POST /volumes/create", '{"Name":"x","Labels":{"__proto__":1}}');
  });

  it("paths and queries that mean nothing are refused", async () => {
    for (const operation of BAD_REQUESTS) await refused(operation);
  });

  it("names of nobody find nobody", async () => {
    for (const name of NOBODY)
      for (const operation of [
        `GET /containers/${name}/json`,
        `DELETE /containers/${name}`,
        `POST /containers/${name}/start`,
        `GET /containers/${name}/archive?path=/`,
        `GET /containers/${name}/stats`,
        `GET /images/${name}/json`,
        `GET /networks/${name}`,
        `DELETE /networks/${name}`,
        `GET /volumes/${name}`,
        `DELETE /volumes/${name}`,
      ])
        await refused(operation);
  });

  it("a thousand requests at once are all answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: PARALLEL }, () => ask(host.node.socket, "GET /containers/json")),
    );
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
  });

  it("clients that go in the middle of a body change nothing, nor does anything above", async () => {
    const bodies = WITH_BODY.map((operation) => goHalfWay(host.node.socket, operation));
    await Promise.all(bodies);
    expect(await state()).to.equal(atFirst);
    const { status } = await ask(host.node.socket, "GET /_ping");
    expect(status).to.equal(200);
    expect(readFileSync(host.node.logFile, "utf8")).not.to.contain("request failed");
  });
});

/** Sends half a body and hangs up. */
function goHalfWay(socketPath: string, operation: string): Promise<void> {
  const [method = "", path = ""] = operation.split(" ");
  const headers = { ...JSON_TYPE, "Content-Length": 1000 };
  return new Promise((resolve) => {
    const sent = request({ socketPath, method, path, headers });
    sent.once("error", () => {}).once("close", resolve);
    sent.write('{"Image":"busybox","Name":"half"', () => sent.destroy());
  });
}
