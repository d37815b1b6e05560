import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { silentLog } from "../../core/log.ts";
import { systemClock } from "../../core/system-clock.ts";
import { addressBytes } from "../../runtime/linux/netlink/address.ts";
import { bindUdp, listenTcp } from "../../runtime/linux/socket.ts";
import {
  type RelayTarget,
  relayTcp,
  relayUdp,
  type StopRelay,
} from "../../runtime/network/ports/relay.ts";

const PARTS = { clock: systemClock, log: silentLog };
/** More than the sockets on the way hold. */
const MUCH = "x".repeat(8 << 20);

describe("relay of a port from IPv6 to IPv4", () => {
  const stops: StopRelay[] = [];
  const servers: (Server | Socket)[] = [];

  afterEach(() => {
    for (const stop of stops.splice(0)) stop();
    for (const server of servers.splice(0)) server.close();
  });

  /** @returns the port of a relay to a server of 127.0.0.1. */
  const relayTo = async (server: Server): Promise<number> => {
    servers.push(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    return relay({ address: "127.0.0.1", port });
  };
  const relay = (target: RelayTarget): number => {
    const { fd, port } = listenTcp(addressBytes("::1"), 0);
    stops.push(relayTcp(fd, target, PARTS));
    return port;
  };

  it("carries all of both directions, also when one side has said its end", async () => {
    let came = 0;
    const server = createServer({ allowHalfOpen: true }, (one) => {
      one.on("data", ({ length }) => {
        came += length;
      });
      one.on("end", () => one.end(MUCH));
    });
    const client = connect({ host: "::1", port: await relayTo(server) });
    client.end(MUCH);
    expect((await text(client)).length).to.equal(MUCH.length);
    expect(came).to.equal(MUCH.length);
  });

  it("breaks one side when the other breaks, or nobody is there", async () => {
    const broken = createServer((one) => one.on("data", () => one.resetAndDestroy()));
    const gone = createServer();
    const port = await relayTo(gone);
    gone.close();
    for (const one of [await relayTo(broken), port]) {
      const client = connect({ host: "::1", port: one });
      client.write("x");
      const [error] = await once(client, "error");
      expect((error as NodeJS.ErrnoException).code).to.equal("ECONNRESET");
    }
  });

  it("ends its connections when it is stopped", async () => {
    const port = await relayTo(createServer((one) => one.write("hello")));
    const client = connect({ host: "::1", port });
    await once(client, "data");
    for (const stop of stops.splice(0)) stop();
    await once(client, "close");
  });

  it("of UDP gives each peer the answers to its own", async () => {
    const server = createSocket("udp4").on("message", (message, from) =>
      server.send(`${message} of ${from.address}`, from.port, from.address),
    );
    servers.push(server);
    await new Promise<void>((resolve) => {
      server.bind(0, "127.0.0.1", resolve);
    });
    const { fd, port } = bindUdp(addressBytes("::1"), 0);
    const target = { address: "127.0.0.1", port: server.address().port };
    stops.push(relayUdp(fd, target, PARTS));
    const ask = async (word: string) => {
      const client = createSocket("udp6");
      servers.push(client);
      client.send(word, port, "::1");
      const [answer] = await once(client, "message");
      return String(answer);
    };
    const answers = await Promise.all(["one", "two"].map(ask));
    expect(answers).to.deep.equal(["one of 127.0.0.1", "two of 127.0.0.1"]);
  });
});
