import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { expect } from "chai";
import { WebSocket } from "ws";
import type { Hijacked } from "../../api/http/hijack.ts";
import { ok, type Route } from "../../api/http/router.ts";
import { sendBytes } from "../../api/http/send-bytes.ts";
import { ApiServer } from "../../api/http/server.ts";
import { silentLog } from "../../core/log.ts";
import { eventually } from "../support/eventually.ts";
import { selfSigned } from "../support/token-server.ts";

const JSON_HEADERS = "Host: x\r\nContent-Type: application/json\r\n";
const UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
const WAIT_MS = 20_000;
const MEBIBYTE = 1024 * 1024;

describe("integration: hijacked connections", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "muster-hijack-"));
  const path = join(folder, "api.sock");
  let server: ApiServer;
  let tcp: TcpNetConnectOpts;
  let tls: ConnectionOptions;
  let latest: Hijacked | undefined;
  let handled = 0;
  let written = 0;
  /** What the server has logged as such. */
  const failures: string[] = [];

  /** Writes until its client is gone; that is its failure. */
  async function pourInto(client: Hijacked): Promise<undefined> {
    const chunk = Buffer.alloc(MEBIBYTE / 16);
    try {
      for (;;) {
        await client.write(chunk);
        written += chunk.length;
      }
    } finally {
      handled += 1;
    }
  }

  /** Says what the body was, then whatever it is sent, in capitals; at the end of it, that. */
  const echo: Route = {
    method: "POST",
    path: "/echo",
    handler: async (exchange) => {
      const body = (await exchange.json()) as { word: string };
      const client = await exchange.hijack("application/x-echo");
      latest = client;
      try {
        await client.write(Buffer.from(`${body.word}:`));
        for await (const chunk of client.input())
          await client.write(Buffer.from(Buffer.from(chunk).toString().toUpperCase()));
        await client.write(Buffer.from(":end"));
        client.end();
      } finally {
        handled += 1;
      }
      return undefined;
    },
  };
  /** Writes until its client is gone. */
  const pour: Route = {
    method: "POST",
    path: "/pour",
    handler: async (exchange) => {
      const client = await exchange.hijack("application/x-pour");
      return pourInto(client).catch(() => undefined);
    },
  };
  /** The same, and leaves the failure to the server. */
  const carelessPour: Route = {
    method: "POST",
    path: "/careless",
    handler: async (exchange) => {
      return pourInto(await exchange.hijack("application/x-pour"));
    },
  };
  /** The same two by WebSocket; text where the query says so. */
  const echoSocket: Route = {
    method: "GET",
    path: "/echo/ws",
    handler: async (exchange) => {
      const client = await exchange.webSocket(!exchange.flag("text"));
      try {
        for await (const chunk of client.input()) {
          await client.write(Buffer.from(Buffer.from(chunk).toString().toUpperCase()));
          if (Buffer.from(chunk).toString() === "bye") break;
        }
        client.end();
      } catch {
        // Broken off: the client's doing.
      } finally {
        handled += 1;
      }
      return undefined;
    },
  };
  const pourSocket: Route = {
    method: "GET",
    path: "/pour/ws",
    handler: async (exchange) => {
      const client = await exchange.webSocket(true);
      return pourInto(client).catch(() => undefined);
    },
  };
  /** More than a connection holds at once, and then nothing more until its client is gone. */
  const long: Route = {
    method: "GET",
    path: "/long",
    handler: async (exchange) => {
      const chunk = Buffer.alloc(MEBIBYTE / 4, "x");
      async function* chunks() {
        for (let sent = 0; sent < MEBIBYTE; sent += chunk.length) {
          written += chunk.length;
          yield chunk;
        }
        if (exchange.flag("stay") && !exchange.signal.aborted)
          await new Promise((resolve) => exchange.signal.addEventListener("abort", resolve));
      }
      try {
        return await sendBytes(exchange, "application/x-long", chunks());
      } finally {
        handled += 1;
      }
    },
  };
  const plain: Route = { method: "GET", path: "/plain", handler: () => ok("plain") };
  const plainPost: Route = {
    method: "POST",
    path: "/plain",
    handler: async (exchange) => ok(await exchange.json()),
  };

  /** Says how long its body was; its answer begins before that has come. */
  const count: Route = {
    method: "POST",
    path: "/count",
    handler: async (exchange) => {
      const chunks = exchange.bodyBytes()[Symbol.asyncIterator]();
      let next = await chunks.next();
      exchange.response.writeHead(200).flushHeaders();
      let bytes = 0;
      for (; next.done !== true; next = await chunks.next()) bytes += next.value.length;
      exchange.response.end(`${bytes} bytes`);
      return undefined;
    },
  };

  before(async () => {
    server = new ApiServer(
      [echo, pour, carelessPour, echoSocket, pourSocket, long, count, plain, plainPost],
      { version: "0" },
      { ...silentLog, error: (message, fields) => failures.push(`${message}: ${fields?.error}`) },
    );
    await server.listen({ path });
    const listening = await server.listen({ host: "127.0.0.1", port: 0 });
    tcp = { host: "127.0.0.1", port: (listening.address() as AddressInfo).port };
    const { certificatePem, keyPem } = await selfSigned("server", ["127.0.0.1"]);
    const sealed = await server.listen(
      { host: "127.0.0.1", port: 0 },
      { cert: certificatePem, key: keyPem },
    );
    tls = { ca: certificatePem, ...tcp, port: (sealed.address() as AddressInfo).port };
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** A client with all that it was sent. */
  function open(socket: Socket = connect({ path, allowHalfOpen: true })): {
    socket: Socket;
    text: () => string;
  } {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on("error", () => socket.destroy());
    return { socket, text: () => text };
  }
  const says = (client: { text: () => string }, pattern: RegExp) =>
    eventually(`it says ${pattern}`, () => pattern.test(client.text()), WAIT_MS).catch((error) => {
      throw new Error(`${String(error)}: ${client.text()}`);
    });
  const body = '{"word":"hi"}';
  const head = (more: string) =>
    `POST /echo HTTP/1.1\r\n${JSON_HEADERS}${more}Content-Length: ${body.length}\r\n\r\n`;

  for (const [name, where] of [
    ["a Unix socket", () => connect({ path, allowHalfOpen: true })],
    ["TCP", () => connect({ ...tcp, allowHalfOpen: true })],
    ["TLS", () => connectTls(Object.assign({ allowHalfOpen: true }, tls))],
  ] as const)
    it(`end their halves one after the other, on ${name}`, async () => {
      const client = open(where());
      client.socket.write(`${head(UPGRADE)}${body}early `);
      await says(client, /^HTTP\/1.1 101 UPGRADED\r\nContent-Type: application\/x-echo\r\n/);
      await says(client, /\r\n\r\nhi:EARLY /);
      client.socket.write("more");
      await says(client, /hi:EARLY MORE$/);
      client.socket.end();
      await says(client, /hi:EARLY MORE:end$/);
      await eventually("the connection is closed", () => client.socket.readableEnded, WAIT_MS);
    });

  it("take a body that comes in pieces, and leave what follows it", async () => {
    const client = open();
    for (const piece of [head(UPGRADE), body.slice(0, 3), body.slice(3, 9), `${body.slice(9)}x`]) {
      client.socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await says(client, /hi:X$/);
    client.socket.destroy();
  });

  it("without an upgrade are the body of 200, to the end of the connection", async () => {
    const client = open();
    client.socket.write(`${head("")}${body}`);
    await says(client, /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\nhi:$/);
    expect(client.text()).to.not.match(/transfer-encoding/i);
    latest?.end();
    await eventually("the connection is closed", () => client.socket.readableEnded, WAIT_MS);
  });

  const refusals: { name: string; request: string; answer: RegExp }[] = [
    {
      name: "no such route",
      request: `POST /nothing HTTP/1.1\r\n${JSON_HEADERS}${UPGRADE}Content-Length: 0\r\n\r\n`,
      answer: /^HTTP\/1.1 404 Not Found\r\n[\s\S]*{"message":"page not found"}\n$/,
    },
    {
      name: "a body that is no JSON",
      request: `POST /echo HTTP/1.1\r\n${JSON_HEADERS}${UPGRADE}Content-Length: 1\r\n\r\n{`,
      answer: /^HTTP\/1.1 400 /,
    },
    {
      name: "a body without a length",
      request: `POST /echo HTTP/1.1\r\n${JSON_HEADERS}${UPGRADE}Transfer-Encoding: chunked\r\n\r\n`,
      answer: /^HTTP\/1.1 400 [\s\S]*must say the length/,
    },
    {
      name: "a body that is too large",
      request: `POST /echo HTTP/1.1\r\n${JSON_HEADERS}${UPGRADE}Content-Length: 99999999999\r\n\r\n`,
      answer: /^HTTP\/1.1 400 [\s\S]*larger than/,
    },
    {
      name: "a route that has none to give",
      request:
        "GET /plain HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
      answer: /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n"plain"\n$/,
    },
    {
      name: "a route that reads a body",
      request: `POST /plain HTTP/1.1\r\n${JSON_HEADERS}${UPGRADE}Content-Length: 2\r\n\r\n{}`,
      answer: /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n{}\n$/,
    },
  ];
  for (const { name, request, answer } of refusals)
    it(`are answered like any other: ${name}`, async () => {
      const client = open();
      client.socket.write(request);
      await says(client, answer);
      await eventually("the connection is closed", () => client.socket.readableEnded, WAIT_MS);
    });

  it("are answered like any other: a route that is sent much", async () => {
    const client = open();
    const length = `Content-Length: ${MEBIBYTE}\r\n\r\n`;
    client.socket.write(`POST /count HTTP/1.1\r\nHost: x\r\n${UPGRADE}${length}first`);
    await says(client, /^HTTP\/1.1 200 OK\r\n/);
    client.socket.write(Buffer.alloc(MEBIBYTE - "first".length, "x"));
    await says(client, /1048576 bytes/);
  });

  it("are answered like any other: a route that has much to say", async () => {
    const client = open();
    client.socket.write(`GET /long HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
    await eventually("the connection is closed", () => client.socket.readableEnded, WAIT_MS);
    expect(client.text().match(/x/g)?.length).to.be.at.least(MEBIBYTE);
  });

  for (const [when, reads] of [
    ["before it has read", false],
    ["when there is nothing more to read", true],
  ] as const)
    it(`are answered like any other: the client goes ${when}`, async () => {
      const [before, start] = [handled, written];
      const client = open();
      if (!reads) client.socket.pause();
      client.socket.write(`GET /long?stay=1 HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
      const has = () => (reads ? client.text().length > MEBIBYTE : written > start);
      await eventually("it is served", has, WAIT_MS);
      client.socket.destroy();
      await eventually("the handler is done", () => handled === before + 1, WAIT_MS);
    });

  it("end when their client breaks off in the body, or vanishes", async () => {
    const broken = open();
    broken.socket.write(`${head(UPGRADE)}{"wo`);
    broken.socket.end();
    await says(broken, /^HTTP\/1.1 400 [\s\S]*broke off/);
    const before = handled;
    const vanishing = open();
    vanishing.socket.write(`${head(UPGRADE)}${body}`);
    await says(vanishing, /hi:$/);
    vanishing.socket.destroy();
    await eventually("the handler is done", () => handled === before + 1, WAIT_MS);
  });

  it("hold the writer back while their client does not read, and let it go when he is gone", async () => {
    const before = handled;
    const socket = connect({ path });
    socket.pause();
    socket.write(`POST /pour HTTP/1.1\r\nHost: x\r\n${UPGRADE}Content-Length: 0\r\n\r\n`);
    await eventually("it begins", () => written > 0, WAIT_MS);
    // What it may write before it waits does not depend on time: a few buffers of the kernel's and of Node's.
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(written).to.be.lessThan(16 * MEBIBYTE);
    socket.destroy();
    await eventually("the writer is done", () => handled === before + 1, WAIT_MS);
  });

  for (const [name, upgrade] of [
    ["an upgraded connection", UPGRADE],
    ["an answer", ""],
  ] as const)
    it(`leave no failure in the log when their client vanishes from ${name}`, async () => {
      const [before, start] = [handled, written];
      const client = open();
      client.socket.pause();
      client.socket.write(
        `POST /careless HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: 0\r\n\r\n`,
      );
      await eventually("it begins", () => written > start, WAIT_MS);
      client.socket.destroy();
      await eventually("the handler is done", () => handled === before + 1, WAIT_MS);
      await new Promise((resolve) => setImmediate(resolve));
      expect(failures).to.deep.equal([]);
    });

  describe("as WebSockets", () => {
    /** Connects; what came is in `messages`, and how it ended in `code`. */
    function openSocket(url: string, headers: Record<string, string> = {}) {
      const socket = new WebSocket(url, { headers });
      const seen = { socket, messages: [] as string[], binary: false, code: 0, refusal: "" };
      socket.on("message", (data, isBinary) => {
        seen.messages.push(data.toString());
        seen.binary = isBinary;
      });
      socket.on("close", (code) => {
        seen.code = code;
      });
      socket.on("unexpected-response", (_, response) => {
        response.on("data", (chunk: Buffer) => {
          seen.refusal += `${response.statusCode} ${chunk}`;
        });
      });
      socket.on("error", () => {});
      return seen;
    }
    const unix = (target: string) => `ws+unix:${path}:${target}`;

    for (const [name, target, binary] of [
      ["binary", "/echo/ws", true],
      ["text", "/v1.24/echo/ws?text=1", false],
    ] as const)
      it(`carry ${name} messages both ways, and close with 1000`, async () => {
        const client = openSocket(unix(target));
        client.socket.once("open", () => client.socket.send("bye"));
        await eventually("it is closed", () => client.code !== 0, WAIT_MS);
        expect(client).to.deep.include({ messages: ["BYE"], binary, code: 1000 });
      });

    it("end when the client closes", async () => {
      const before = handled;
      const client = openSocket(unix("/echo/ws"));
      client.socket.once("open", () => client.socket.close(1000));
      await eventually("the handler is done", () => handled === before + 1, WAIT_MS);
      await eventually("it is closed", () => client.code === 1000, WAIT_MS);
    });

    it("end with 1009 at a message that is too large", async () => {
      const before = handled;
      const client = openSocket(unix("/echo/ws"));
      client.socket.once("open", () => client.socket.send(Buffer.alloc(2 * MEBIBYTE)));
      await eventually("it is closed", () => client.code !== 0, WAIT_MS);
      expect(client.code).to.equal(1009);
      await eventually("the handler is done", () => handled === before + 1, WAIT_MS);
    });

    it("hold the writer back while their client does not read, and let it go when he is gone", async () => {
      const [before, start] = [handled, written];
      const client = openSocket(unix("/pour/ws"));
      client.socket.once("open", () => client.socket.pause());
      await eventually("it begins", () => written > start, WAIT_MS);
      for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(written - start).to.be.lessThan(16 * MEBIBYTE);
      client.socket.terminate();
      await eventually("the writer is done", () => handled === before + 1, WAIT_MS);
    });

    it("are refused to those who ask for none, and to pages of other sites, in JSON", async () => {
      const plainly = open();
      plainly.socket.write("GET /echo/ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await says(plainly, /^HTTP\/1.1 400 [\s\S]*"message":"not websocket protocol: no upgrade/);
      const wrongly = open();
      wrongly.socket.write(`GET /echo/ws HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n`);
      await says(
        wrongly,
        /^HTTP\/1.1 400 [\s\S]*"message":"not websocket protocol: Invalid Upgrade/,
      );
      const { port } = tcp;
      const page = openSocket(`ws://127.0.0.1:${port}/echo/ws`, { Origin: "http://evil.example" });
      await eventually("it is refused", () => page.refusal !== "", WAIT_MS);
      expect(page.refusal).to.match(
        /^403 {"message":"websocket: refused to a page of another site/,
      );
    });
  });
});
