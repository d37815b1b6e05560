import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import { issueCertificate, newCertificateRequest } from "../../manager/ca/certificates.ts";
import { BesiegedManager, PEER } from "../support/besieged-manager.ts";
import { noise } from "../support/noise.ts";
import {
  connectRaw,
  connectSecure,
  HTTP2_PREFACE,
  HTTP2_SETTINGS,
  http2Call,
  http2Frame,
  type RawPeer,
} from "../support/raw-peer.ts";
import { TestCa } from "../support/swarm-ca.ts";

const HOUR_MS = 3_600_000;
const GET_CLUSTER = "/muster.Control/GetCluster";

describe("integration: hostile connections to a manager", function () {
  this.timeout(30_000);
  let under: BesiegedManager;

  beforeEach(async () => {
    under = await BesiegedManager.start();
  });
  afterEach(async () => under?.stop());

  describe("certificates", () => {
    it("none: every method but those to get one is closed", async () => {
      const { status: answer } = await under.stranger().call(GET_CLUSTER, [Buffer.alloc(0)]);
      expect(answer.code).to.equal(status.UNAUTHENTICATED);
      expect(answer.details).to.contain("shows no valid certificate of this swarm");
      const line = await under.logged("it", ({ message }) => message === answer.details);
      expect(line.peer).to.match(PEER);
      await under.isUnharmed();
    });

    it("of another CA, for a node of this swarm", async () => {
      const foreign = await TestCa.make();
      const { certificate } = await foreign.node({ ...under.own.identity });
      const asked = under.impostor(certificate.certPem, certificate.keyPem);
      const { status: answer } = await asked.call(GET_CLUSTER, [Buffer.alloc(0)]);
      expect(answer.code).to.equal(status.UNAUTHENTICATED);
      const line = await under.logged("why", ({ message }) =>
        message.startsWith("a certificate is not"),
      );
      expect(line).to.include({ claimedNodeId: under.own.identity.nodeId });
      expect(line.peer).to.match(PEER);
      expect(line.reason).to.match(/UNABLE_TO_VERIFY|SELF_SIGNED|ISSUER/);
      await under.isUnharmed();
    });

    for (const [when, startMs] of [
      ["expired", -3 * HOUR_MS],
      ["not yet valid", 3 * HOUR_MS],
    ] as const) {
      it(`of this CA, but ${when}`, async () => {
        const { csr, keyPem } = await newCertificateRequest();
        const validity = { nowMs: systemClock.nowMs() + startMs, validityMs: HOUR_MS };
        const certPem = await issueCertificate(under.rootCa, csr, under.own.identity, validity);
        const asked = under.impostor(certPem, keyPem);
        const { status: answer } = await asked.call(GET_CLUSTER, [Buffer.alloc(0)]);
        expect(answer.code).to.equal(status.UNAUTHENTICATED);
        const line = await under.logged("why", ({ reason }) => /CERT_/.test(String(reason)));
        expect(line.reason).to.equal(startMs < 0 ? "CERT_HAS_EXPIRED" : "CERT_NOT_YET_VALID");
        expect(line.claimedNodeId).to.equal(under.own.identity.nodeId);
        await under.isUnharmed();
      });
    }

    it("of this CA, for a node of another swarm or for one nobody knows", async () => {
      const validity = { nowMs: systemClock.nowMs(), validityMs: HOUR_MS };
      const identities = [
        { ...under.own.identity, clusterId: "another" },
        { ...under.own.identity, nodeId: "nobody" },
      ];
      for (const identity of identities) {
        const { csr, keyPem } = await newCertificateRequest();
        const certPem = await issueCertificate(under.rootCa, csr, identity, validity);
        const asked = under.impostor(certPem, keyPem);
        const { status: answer } = await asked.call(GET_CLUSTER, [Buffer.alloc(0)]);
        expect(answer.code).to.equal(status.PERMISSION_DENIED);
        const line = await under.logged("it", ({ message }) => message === answer.details);
        expect(line).to.include({ nodeId: identity.nodeId });
        expect(line.peer).to.match(PEER);
      }
      await under.isUnharmed();
    });
  });

  describe("bytes", () => {
    const junk = noise(4096);
    const headersFrame = (flags: number, payload: Uint8Array) =>
      http2Frame({ type: 1, flags, streamId: 1, payload });
    const hello = [HTTP2_PREFACE, HTTP2_SETTINGS];
    const afterTls: readonly { readonly name: string; readonly bytes: readonly Buffer[] }[] = [
      { name: "noise instead of HTTP/2", bytes: [junk] },
      { name: "HTTP/1.1", bytes: [Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")] },
      { name: "noise after the preface", bytes: [...hello, junk] },
      {
        name: "a frame of 16 MiB",
        bytes: [...hello, http2Frame({ type: 0, streamId: 1, claimedLength: 0xffffff }), junk],
      },
      {
        name: "SETTINGS of a wrong length",
        bytes: [HTTP2_PREFACE, http2Frame({ type: 4, payload: junk.subarray(0, 5) })],
      },
      { name: "DATA on stream 0", bytes: [...hello, http2Frame({ type: 0, payload: junk })] },
      {
        name: "DATA on a stream that was not opened",
        bytes: [...hello, http2Frame({ type: 0, streamId: 7, payload: junk })],
      },
      { name: "headers that are noise", bytes: [...hello, headersFrame(4, junk)] },
      {
        name: "headers that never end",
        bytes: [
          ...hello,
          headersFrame(0, Buffer.alloc(0)),
          ...Array.from({ length: 2_000 }, () =>
            http2Frame({ type: 9, streamId: 1, payload: Buffer.from([0, 1, 97, 1, 97]) }),
          ),
        ],
      },
      {
        name: "a window update past all bounds",
        bytes: [
          ...hello,
          http2Frame({ type: 8, payload: Buffer.from("7fffffff", "hex") }),
          http2Frame({ type: 8, payload: Buffer.from("7fffffff", "hex") }),
        ],
      },
    ];
    const openPeers: RawPeer[] = [];
    afterEach(() => {
      for (const peer of openPeers.splice(0)) peer.close();
    });
    const opened = async (connecting: Promise<RawPeer>) => {
      const peer = await connecting;
      openPeers.push(peer);
      return peer;
    };
    const isEndedAndLogged = async (peer: RawPeer, name = "it") => {
      await peer.ended;
      const line = await under.logged(name, (one) => one.peer === peer.name);
      expect(line.message).to.match(/^a connection came to nothing/);
    };

    it("that are no TLS", async () => {
      for (const bytes of [junk, Buffer.from("GET / HTTP/1.0\r\n\r\n"), HTTP2_PREFACE]) {
        const peer = await opened(connectRaw(under.addr));
        peer.socket.write(bytes);
        await isEndedAndLogged(peer);
      }
      await under.isUnharmed();
    });

    it("that are TLS, but garbage within a handshake", async () => {
      const peer = await opened(connectRaw(under.addr));
      const record = Buffer.concat([Buffer.from("1603010100010000fc0303", "hex"), junk]);
      peer.socket.write(record);
      await isEndedAndLogged(peer);
      await under.isUnharmed();
    });

    it("of a client that does not speak HTTP/2", async () => {
      const peer = await opened(connectSecure(under.addr, { protocols: [] }));
      await isEndedAndLogged(peer);
      await under.isUnharmed();
    });

    it("after a good handshake: what is no HTTP/2, of many kinds at once", async () => {
      const peers = await Promise.all(
        afterTls.map(async ({ name, bytes }) => {
          const peer = await opened(connectSecure(under.addr));
          for (const part of bytes) peer.socket.write(part);
          return { name, peer };
        }),
      );
      await under.isUnharmed();
      // Node ends some at once; of the others it hears no more, and their time runs out.
      await Promise.all(peers.map(({ name, peer }) => isEndedAndLogged(peer, name)));
      await under.isUnharmed();
    });

    it("as a node, after a good handshake: noise", async () => {
      const { certPem: cert, keyPem: key } = under.own.certificate;
      const peer = await opened(connectSecure(under.addr, { cert, key }));
      for (const part of [...hello, junk]) peer.socket.write(part);
      await under.isUnharmed();
    });

    it("of a flood of pings, settings and resets", async () => {
      const peer = await opened(connectSecure(under.addr));
      const floods = [
        http2Frame({ type: 6, payload: Buffer.alloc(8) }),
        HTTP2_SETTINGS,
        http2Frame({ type: 3, streamId: 1, payload: Buffer.alloc(4) }),
      ];
      for (const part of hello) peer.socket.write(part);
      for (const flood of floods) peer.socket.write(Buffer.concat(Array(5_000).fill(flood)));
      await under.isUnharmed();
    });

    for (const who of ["a stranger", "a node"]) {
      const context = () => {
        const { certPem: cert, keyPem: key } = under.own.certificate;
        return who === "a node" ? { cert, key } : {};
      };

      it(`of ${who}: ten thousand calls at once, and as many begun and broken off`, async () => {
        const ids = Array.from({ length: 10_000 }, (_, i) => 2 * i + 1);
        const begin = (streamId: number) => http2Call(streamId, "/muster.CA/IssueCertificate");
        const breakOff = (streamId: number) =>
          http2Frame({ type: 3, streamId, payload: Buffer.from([0, 0, 0, 8]) });
        const floods = [begin, (id: number) => Buffer.concat([begin(id), breakOff(id)])];
        for (const flood of floods) {
          const peer = await opened(connectSecure(under.addr, context()));
          peer.socket.write(Buffer.concat([...hello, ...ids.map(flood)]));
        }
        await under.isUnharmed();
      });

      it(`of ${who}: headers without end`, async () => {
        const peer = await opened(connectSecure(under.addr, context()));
        const header = Buffer.concat([
          Buffer.from([0, 1, 97, 127, 0x81, 0x7e]),
          Buffer.alloc(16_382),
        ]);
        peer.socket.write(Buffer.concat(hello));
        peer.socket.write(
          http2Frame({ type: 1, streamId: 1, payload: header.subarray(0, 16_384) }),
        );
        for (let i = 0; i < 200; i++) {
          peer.socket.write(
            http2Frame({ type: 9, streamId: 1, payload: Buffer.alloc(16_384, 0x83) }),
          );
        }
        await under.isUnharmed();
      });
    }

    it("that come slowly, or stop: others are served meanwhile", async () => {
      const peers = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          opened(i % 2 === 0 ? connectRaw(under.addr) : connectSecure(under.addr)),
        ),
      );
      for (const { socket } of peers) socket.write(HTTP2_PREFACE.subarray(0, 3));
      await under.isUnharmed();
    });
  });
});
