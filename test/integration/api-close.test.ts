import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ok, type Route } from "../../api/http/router.ts";
import { ApiServer } from "../../api/http/server.ts";
import { silentLog } from "../../core/log.ts";
import { connectRaw, connectSecure, type RawPeer } from "../support/raw-peer.ts";
import { selfSigned } from "../support/token-server.ts";

/** More than the buffers between two processes hold. */
const LARGE = "x".repeat(8 * 1024 * 1024);

describe("integration: an API that closes", function () {
  // Less than a TLS handshake may take.
  this.timeout(5000);
  let server: ApiServer;
  let open: string;
  let secure: string;
  /** Resolves when a handler has been entered. */
  let entered: Promise<void>;

  beforeEach(async () => {
    let enter = () => {};
    entered = new Promise((resolve) => {
      enter = resolve;
    });
    const large: Route = {
      method: "GET",
      path: "/large",
      handler: () => {
        enter();
        return ok(LARGE);
      },
    };
    const slow: Route = {
      method: "POST",
      path: "/slow",
      handler: async (exchange) => {
        enter();
        return ok(await exchange.json());
      },
    };
    const endless: Route = {
      method: "POST",
      path: "/endless",
      handler: async (exchange) => {
        const client = await exchange.hijack("application/x-echo");
        enter();
        for await (const chunk of client.input()) await client.write(chunk);
        return undefined;
      },
    };
    server = new ApiServer([large, slow, endless], { version: "0" }, silentLog);
    const { certificatePem: cert, keyPem: key } = await selfSigned("server", ["127.0.0.1"]);
    const address = { host: "127.0.0.1", port: 0 };
    open = addressOf(await server.listen(address));
    secure = addressOf(await server.listen(address, { cert, key }));
  });
  afterEach(() => server.close());

  const cases: { name: string; connect: () => Promise<RawPeer> }[] = [
    { name: "that says nothing", connect: () => connectRaw(open) },
    { name: "that says nothing in place of a TLS handshake", connect: () => connectRaw(secure) },
    {
      name: "that breaks off in a TLS handshake",
      // A record of 512 bytes, of which there are two.
      connect: () => talk(connectRaw(secure), Buffer.from([22, 3, 1, 2, 0, 1, 0])),
    },
    {
      name: "in the middle of its headers",
      connect: () => talk(connectRaw(open), "GET /large HTTP/1.1\r\nHost: a\r\nX-A"),
    },
    {
      name: "in the middle of its headers, by TLS",
      connect: () => talk(connectSecure(secure, { protocols: [] }), "GET /large HTTP/1.1\r\nHo"),
    },
    {
      name: "in the middle of its body",
      connect: async () => {
        const length = "Content-Type: application/json\r\nContent-Length: 100";
        const head = `POST /slow HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n{"a":`;
        const peer = await talk(connectRaw(open), head);
        await entered;
        return peer;
      },
    },
    {
      name: "that never reads, and has ended its side",
      connect: async () => {
        const peer = await connectRaw(open);
        peer.socket.pause();
        peer.socket.end("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        await entered;
        return peer;
      },
    },
    {
      name: "with an upgraded connection",
      connect: async () => {
        const upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0";
        const peer = await talk(
          connectSecure(secure, { protocols: [] }),
          `POST /endless HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n\r\n`,
        );
        await entered;
        return peer;
      },
    },
  ];
  for (const { name, connect } of cases)
    it(`waits for no client ${name}`, async () => {
      const peer = await connect();
      await server.close();
      peer.socket.resume();
      await peer.ended;
      expect(peer.socket.destroyed).to.equal(true);
    });
});

async function talk(connecting: Promise<RawPeer>, words: string | Buffer): Promise<RawPeer> {
  const peer = await connecting;
  await new Promise((resolve) => peer.socket.write(words, resolve));
  return peer;
}

function addressOf(server: { address(): AddressInfo | string | null }): string {
  const { port } = server.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}
