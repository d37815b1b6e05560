import type { AddressInfo } from "node:net";
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
    expect(await refusal(clientOf(ports.secure))).to.contain("does it want TLS");
    expect(await refusal(clientOf(ports.open, known))).to.contain("whether it speaks TLS");
    expect(await refusal(clientOf(1))).to.contain("is musterd running?");
  });
});
