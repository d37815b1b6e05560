import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { expect } from "chai";
import { ok, type Route } from "../../api/http/router.ts";
import { ApiServer } from "../../api/http/server.ts";
import { Client } from "../../cli/client/client.ts";
import type { ClientTls } from "../../cli/client/tls.ts";
import { silentLog } from "../../core/log.ts";
import { failureOf } from "../support/failure-of.ts";
import { selfSigned } from "../support/token-server.ts";

const LONG = "x".repeat(300_000);

describe("integration: muster's client by TCP", () => {
  let server: ApiServer;
  let ports: { readonly open: number; readonly secure: number };
  let known: ClientTls;
  let stranger: ClientTls;

  /** Says what it was sent, once all of it is there. */
  const echo: Route = {
    method: "POST",
    path: "/echo",
    handler: async (exchange) => {
      const client = await exchange.hijack("application/x-echo");
      const chunks: Uint8Array[] = [];
      for await (const chunk of client.input()) chunks.push(chunk);
      await client.write(Buffer.concat(chunks));
      client.end();
      return undefined;
    },
  };
  const plain: Route = { method: "GET", path: "/plain", handler: () => ok("plain") };

  before(async () => {
    const own = await selfSigned("server", ["127.0.0.1"]);
    const [client, other] = [await selfSigned("client"), await selfSigned("stranger")];
    server = new ApiServer([echo, plain], { version: "0" }, silentLog);
    const address = { host: "127.0.0.1", port: 0 };
    const open = await server.listen(address);
    const secure = await server.listen(address, {
      ...{ cert: own.certificatePem, key: own.keyPem, ca: client.certificatePem },
      ...{ requestCert: true, rejectUnauthorized: true },
    });
    const portOf = (listening: typeof open) => (listening.address() as AddressInfo).port;
    ports = { open: portOf(open), secure: portOf(secure) };
    const tlsOf = ({ certificatePem, keyPem }: typeof client): ClientTls => ({
      ...{ rejectUnauthorized: true, ca: Buffer.from(own.certificatePem) },
      ...{ cert: Buffer.from(certificatePem), key: Buffer.from(keyPem) },
    });
    [known, stranger] = [tlsOf(client), tlsOf(other)];
  });
  after(() => server.close());

  const clientOf = (port: number, tls?: ClientTls) => new Client(`tcp://127.0.0.1:${port}`, tls);

  for (const way of ["without TLS", "with TLS"] as const)
    it(`asks, and carries bytes both ways to their ends, ${way}`, async () => {
      const client = way === "with TLS" ? clientOf(ports.secure, known) : clientOf(ports.open);
      expect(await client.get("/plain")).to.equal("plain");
      const { socket } = await client.hijack("/echo", {});
      socket.end(LONG);
      let text = "";
      for await (const chunk of socket) text += String(chunk);
      expect(text === LONG).to.equal(true, `${text.length} bytes came back`);
    });

  it("says what to do where the two do not agree on TLS", async () => {
    const refusal = async (client: Client) => (await failureOf(client.get("/plain"))).message;
    expect(await refusal(clientOf(ports.secure, stranger))).to.contain("check --tlscert");
    const { cert: _cert, key: _key, ...nameless } = known;
    const namelessly = await refusal(clientOf(ports.secure, nameless));
    expect(namelessly).to.contain("check --tlscert").and.not.to.contain("--tlscacert");
    expect(await refusal(clientOf(ports.secure))).to.contain("does it want TLS");
    expect(await refusal(clientOf(ports.open, known))).to.contain("whether it speaks TLS");
    expect(await refusal(clientOf(1))).to.contain("is musterd running?");
  });
});

describe("integration: muster's client with an older daemon", () => {
  let server: Server;
  let asked: string[];

  /** Refuses what is newer than 1.41, as Docker does, and says else what it was asked. */
  before(async () => {
    server = createServer((request, response) => {
      const url = request.url ?? "";
      asked.push(`${request.method} ${url}`);
      const [, minor = "0"] = /^\/v1\.(\d+)\//.exec(url) ?? [];
      response.statusCode = Number(minor) > 41 ? 400 : 200;
      response.setHeader("Api-Version", "1.41");
      request.resume().once("end", () => response.end(JSON.stringify({ message: url })));
    });
    server.on("upgrade", (request, socket) => {
      asked.push(`UPGRADE ${request.url}`);
      const isTooNew = !(request.url ?? "").startsWith("/v1.41/");
      socket.end(
        isTooNew
          ? "HTTP/1.1 400 Bad Request\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n"
          : "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  beforeEach(() => {
    asked = [];
  });
  after(() => server.close());

  const clientOf = (version?: string) =>
    new Client(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, version);

  it("goes down to its version when it refuses ours, once", async () => {
    const client = clientOf();
    await client.get("/a");
    await client.get("/b");
    expect(asked).to.deep.equal(["GET /v1.51/a", "GET /v1.41/a", "GET /v1.41/b"]);
    expect(client.version).to.equal("1.41");
  });

  it("goes down with several requests at once", async () => {
    const client = clientOf();
    await Promise.all([client.get("/a"), client.get("/b")]);
    expect(asked.filter((line) => line.startsWith("GET /v1.41/"))).to.have.length(2);
  });

  it("asks first where a request cannot be sent twice", async () => {
    await clientOf().upload("/load", Readable.from(["archive"]));
    expect(asked).to.deep.equal(["GET /_ping", "POST /v1.41/load"]);
  });

  it("goes down for a connection that carries bytes both ways", async () => {
    const { socket } = await clientOf().hijack("/attach", {});
    socket.destroy();
    expect(asked).to.deep.equal(["UPGRADE /v1.51/attach", "UPGRADE /v1.41/attach"]);
  });

  it("speaks what the user asks for, without another word", async () => {
    await clientOf("1.30").get("/a");
    expect((await failureOf(clientOf("1.44").get("/a"))).message).to.contain("/v1.44/a");
    expect(asked).to.deep.equal(["GET /v1.30/a", "GET /v1.44/a"]);
  });
});
