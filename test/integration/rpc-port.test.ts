import { once } from "node:events";
import { connect, type Settings } from "node:http2";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import { expect } from "chai";
import {
  anonymousToManager,
  MANAGER_CHANNEL_OPTIONS,
  type NodeCredentials,
} from "../../manager/ca/credentials.ts";
import { unary } from "../../manager/rpc/handlers.ts";
import {
  CONNECTIONS_PER_NODE_MAX,
  STRANGER_STREAMS_MAX,
  STRANGERS_PER_ADDRESS_MAX,
  STREAMS_MAX,
} from "../../manager/rpc/limits.ts";
import { listen, type RpcServer } from "../../manager/rpc/server.ts";
import { CAClient, type CAServer, CAService, type IssuedCertificate } from "../../proto/gen/ca.ts";
import { eventually } from "../support/eventually.ts";
import type { LogLine } from "../support/log-lines.ts";
import { connectRaw, connectSecure, type RawPeer } from "../support/raw-peer.ts";
import { TestCa } from "../support/swarm-ca.ts";

const TIMES = { handshakeMs: 1_000, connectionMs: 300, graceMs: 300 };

describe("integration: a manager's port", () => {
  let ca: TestCa;
  let credentials: NodeCredentials;
  let server: RpcServer;
  let addr: string;
  let lines: LogLine[];
  const peers: RawPeer[] = [];

  before(async () => {
    ca = await TestCa.make();
    credentials = await ca.node();
  });
  beforeEach(async () => {
    lines = [];
    const never = unary<unknown, IssuedCertificate>(() => new Promise(() => undefined));
    const implementation = {
      getRootCertificate: unary(async () => ({ certPem: ca.keys.certPem })),
      issueCertificate: never,
      renewCertificate: never,
      renewExpired: never,
    } as unknown as CAServer;
    server = await listen("127.0.0.1:0", [{ definition: CAService, implementation }], {
      identity: credentials.server(),
      interceptors: [],
      onRefused: (message, fields) => lines.push({ message, ...fields }),
      times: TIMES,
    });
    addr = `127.0.0.1:${server.port}`;
  });
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close();
    server.close();
  });

  const opened = async (connecting: Promise<RawPeer>): Promise<RawPeer> => {
    const peer = await connecting;
    peers.push(peer);
    return peer;
  };
  const own = () => {
    const { certPem: cert, keyPem: key } = credentials.certificate;
    return { cert, key };
  };
  const serves = async () => {
    const client = new CAClient(addr, anonymousToManager(ca.keys.certPem), MANAGER_CHANNEL_OPTIONS);
    await new Promise<void>((resolve, reject) => {
      client.getRootCertificate({}, (error) => (error === null ? resolve() : reject(error)));
    });
    client.close();
  };
  const lineOf = (peer: RawPeer) => lines.find((line) => line.peer === peer.name);

  it("waits for a handshake so long and no longer", async () => {
    const silent = await opened(connectRaw(addr));
    const slow = await opened(connectRaw(addr));
    slow.socket.write(Buffer.from([0x16, 0x03, 0x01]));
    await Promise.all([silent.ended, slow.ended]);
    for (const peer of [silent, slow]) {
      await eventually("it is logged", () => lineOf(peer) !== undefined);
      expect(lineOf(peer)?.message).to.equal("a connection came to nothing: no TLS handshake");
    }
    await serves();
  });

  it("says nothing of a probe that connects and goes", async () => {
    const probe = await opened(connectRaw(addr));
    probe.close();
    await serves();
    const peer = await opened(connectRaw(addr));
    peer.socket.end("GET / HTTP/1.0\r\n\r\n");
    await eventually("the other is logged", () => lineOf(peer) !== undefined);
    expect(lineOf(probe)).to.equal(undefined);
  });

  it("keeps no stranger for long, with a call under way or without", async () => {
    const silent = await opened(connectSecure(addr));
    const client = new CAClient(addr, anonymousToManager(ca.keys.certPem), MANAGER_CHANNEL_OPTIONS);
    const code = await new Promise((resolve) => {
      client.issueCertificate({ csr: Buffer.alloc(0), token: "", availability: 0 }, (error) =>
        resolve(error?.code),
      );
    });
    expect(code).to.be.oneOf([14, 1]);
    client.close();
    await silent.ended;
    await eventually("it is logged", () => lineOf(silent) !== undefined);
    expect(lineOf(silent)?.message).to.equal("a connection came to nothing: no call");
  });

  it("keeps a node for as long as it likes", async () => {
    const node = await opened(connectSecure(addr, own()));
    const stranger = await opened(connectSecure(addr));
    await stranger.ended;
    expect(node.socket.destroyed).to.equal(false);
  });

  it("lets the oldest of one address give way to newer strangers", async () => {
    const first = await opened(connectRaw(addr));
    for (let i = 1; i < STRANGERS_PER_ADDRESS_MAX; i++) await opened(connectRaw(addr));
    await serves();
    await first.ended;
    expect(lineOf(first)?.message).to.match(/^closed the oldest connection/);
  });

  it("lets the oldest connection of a node give way, and knows whose it is", async () => {
    const first = await opened(connectSecure(addr, own()));
    // One after the other: handshakes that wait for each other may be given up.
    for (let i = 1; i < CONNECTIONS_PER_NODE_MAX; i++) await opened(connectSecure(addr, own()));
    expect(first.socket.destroyed).to.equal(false);
    await opened(connectSecure(addr, own()));
    await first.ended;
    expect(lineOf(first)).to.include({ nodeId: credentials.identity.nodeId });
  });

  it("lets a node have more calls open at once than a stranger", async () => {
    expect(await streamsAllowed(addr)).to.equal(STRANGER_STREAMS_MAX);
    expect(await streamsAllowed(addr, own())).to.equal(STREAMS_MAX);
  });

  it("shows its next certificate to new connections, and keeps those that stand", async () => {
    const standing = await opened(connectSecure(addr, own()));
    const next = await ca.node({ ...credentials.identity });
    credentials.replace(next.certificate);
    const { socket } = await opened(connectSecure(addr, own()));
    const shown = (socket as TLSSocket).getPeerX509Certificate()?.toString();
    expect(shown).to.equal(next.certificate.certPem);
    expect(standing.socket.destroyed).to.equal(false);
  });
});

/** What the server's SETTINGS say of streams. */
async function streamsAllowed(addr: string, context: SecureContextOptions = {}): Promise<unknown> {
  const session = connect(`https://${addr}`, { ...context, rejectUnauthorized: false });
  const [settings] = (await once(session, "remoteSettings")) as [Settings];
  session.destroy();
  return settings.maxConcurrentStreams;
}
