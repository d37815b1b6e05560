import { assert } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { clashes, type HostPort, hostPortText } from "./host-port.ts";
import { HostPorts, type PortSockets } from "./host-ports.ts";
import type { PlacedBinding } from "./port-places.ts";

const RANGE = { first: 40_000, last: 40_002 };

/** Sockets of a machine of its own, where other programs may have ports. */
class MemorySockets implements PortSockets {
  readonly others: HostPort[] = [];
  readonly open = new Map<number, HostPort>();
  #last = 0;

  hold(port: HostPort): number {
    const refuse = (errno: string) =>
      new ClusterError("Internal", "cannot bind", { details: { errno } });
    if (port.protocol === "sctp") throw refuse("EPROTONOSUPPORT");
    if (port.hostAddress.startsWith("192.")) throw refuse("EADDRNOTAVAIL");
    if ([...this.others, ...this.open.values()].some((one) => clashes(one, port)))
      throw refuse("EADDRINUSE");
    this.#last += 1;
    this.open.set(this.#last, port);
    return this.#last;
  }

  release(handle: number): void {
    assert.isTrue(this.open.delete(handle), "released twice");
  }
}

function tcp(first: number, last = first, ...hostAddresses: string[]): PlacedBinding {
  const at = hostAddresses.length > 0 ? hostAddresses : ["0.0.0.0"];
  return {
    ...{ port: 80, protocol: "tcp", hostAddresses: at },
    ...{ hostPortFirst: first, hostPortLast: last },
  };
}

const ANY = tcp(0);

describe("host ports", () => {
  let sockets: MemorySockets;
  let ports: HostPorts;
  const given = (owner: string, ...bindings: PlacedBinding[]) =>
    ports.take(owner, bindings).map(hostPortText).join(" ");

  beforeEach(() => {
    sockets = new MemorySockets();
    ports = new HostPorts(sockets, RANGE);
  });

  it("are given as asked for, any from the range, and held by sockets", () => {
    assert.equal(
      given("a", tcp(8080), tcp(8081, 8081, "127.0.0.1"), ANY, ANY),
      "0.0.0.0:8080 127.0.0.1:8081 0.0.0.0:40000 0.0.0.0:40001",
    );
    assert.equal(sockets.open.size, 4);
    ports.release("a");
    assert.equal(sockets.open.size, 0);
  });

  it("are passed over where another program or container has them", () => {
    sockets.others.push({ protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 40_000 });
    assert.equal(given("a", ANY), "0.0.0.0:40001");
    assert.equal(given("b", tcp(40_000, 40_005)), "0.0.0.0:40002");
    assert.equal(given("c", tcp(8000, 8000, "127.0.0.1")), "127.0.0.1:8000");
    assert.equal(given("d", tcp(8000, 8000, "127.0.0.2")), "127.0.0.2:8000");
  });

  it("of both families have one number, and are two", () => {
    const both = ["0.0.0.0", "::"];
    sockets.others.push({ protocol: "tcp", hostAddress: "::1", hostPort: 40_000 });
    assert.equal(given("a", tcp(0, 0, ...both)), "0.0.0.0:40001 [::]:40001");
    assert.equal(sockets.open.size, 2, "40000 is not held");
    assert.equal(given("b", tcp(80, 80, "::1")), "[::1]:80");
    assert.equal(given("c", tcp(80, 80, "0.0.0.0")), "0.0.0.0:80");
    assert.throws(() => ports.take("d", [tcp(80, 80, ...both)]), "Bind for 0.0.0.0:80 failed");
    assert.throws(() => ports.take("d", [tcp(81), tcp(80, 80, "::")]), "Bind for :::80 failed");
    const six = { protocol: "tcp", hostAddress: "::1", hostPort: 80 } as const;
    assert.isNumber(ports.handleOf(six));
    ports.release("b");
    assert.isUndefined(ports.handleOf(six));
  });

  it("that were given back are given last", () => {
    given("a", ANY);
    ports.release("a");
    assert.equal(given("b", ANY, ANY, ANY), "0.0.0.0:40001 0.0.0.0:40002 0.0.0.0:40000");
  });

  const REFUSALS: readonly [string, PlacedBinding[], string, string][] = [
    [
      "another has",
      [tcp(80)],
      "AlreadyExists",
      "Bind for 0.0.0.0:80 failed: port is already allocated",
    ],
    [
      "another has on all addresses",
      [tcp(80, 80, "127.0.0.1")],
      "AlreadyExists",
      "Bind for 127.0.0.1:80 failed: port is already allocated",
    ],
    [
      "one has twice",
      [tcp(7), tcp(7)],
      "AlreadyExists",
      "Bind for 0.0.0.0:7 failed: port is already allocated",
    ],
    [
      "another program has",
      [tcp(22)],
      "AlreadyExists",
      "failed to bind host port 0.0.0.0:22/tcp: address already in use",
    ],
    [
      "are all taken",
      [ANY, ANY, ANY, ANY],
      "AlreadyExists",
      "Bind for 0.0.0.0 failed: all ports are allocated",
    ],
    [
      "are a range with none left",
      [tcp(80, 80), tcp(80, 81, "127.0.0.1")],
      "AlreadyExists",
      "Bind for 0.0.0.0:80 failed: port is already allocated",
    ],
    [
      "are all of a range taken",
      [tcp(81, 82), tcp(81, 82), tcp(81, 82)],
      "AlreadyExists",
      "Bind for 0.0.0.0:81-82 failed: all ports are allocated",
    ],
    [
      "are of an address that is not here",
      [tcp(5, 9, "192.0.2.1")],
      "InvalidArgument",
      "failed to bind host port 192.0.2.1:5/tcp: cannot assign requested address",
    ],
    [
      "the kernel has no protocol for",
      [{ ...tcp(5), protocol: "sctp" }],
      "Unimplemented",
      "failed to bind host port 0.0.0.0:5/sctp: protocol not supported by this kernel",
    ],
  ];
  for (const [name, bindings, code, message] of REFUSALS)
    it(`are not given that ${name}, and then none at all`, () => {
      given("holder", tcp(80));
      sockets.others.push({ protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 22 });
      const wanted = [tcp(9), ...bindings];
      assert.throws(() => ports.take("a", wanted), ClusterError, message);
      try {
        ports.take("a", wanted);
      } catch (error) {
        assert.equal((error as ClusterError).code, code);
      }
      assert.deepEqual([...sockets.open.values()].map(hostPortText), ["0.0.0.0:80"]);
      assert.equal(given("b", tcp(9)), "0.0.0.0:9");
    });

  it("are settled as wanted: those that are new are taken, those not wanted any more given back", () => {
    const port = (hostPort: number): HostPort => ({
      ...{ protocol: "tcp", hostAddress: "0.0.0.0", hostPort },
    });
    const held = () => [...sockets.open.values()].map(hostPortText).join(" ");
    sockets.others.push(port(22));
    given("a", tcp(81, 81, "127.0.0.1"));
    const refused = ports.settle("swarm", [port(80), port(81), port(22), port(80)]);
    assert.deepEqual(refused.map(hostPortText), ["0.0.0.0:81"]);
    assert.equal(held(), "127.0.0.1:81 0.0.0.0:80");
    assert.throws(() => ports.take("a", [tcp(22)]), "port is already allocated");
    ports.release("a");
    assert.deepEqual(ports.settle("swarm", [port(81)]), []);
    assert.equal(held(), "0.0.0.0:81");
    assert.equal(given("a", tcp(80)), "0.0.0.0:80");
    ports.settle("swarm", []);
    assert.equal(held(), "0.0.0.0:80");
  });

  it("of an earlier daemon are taken back, also those another program has taken", () => {
    const before = ports.take("a", [tcp(80), tcp(81)]);
    const next = new HostPorts(sockets, RANGE);
    ports.close();
    sockets.others.push({ protocol: "tcp", hostAddress: "0.0.0.0", hostPort: 81 });
    assert.deepEqual(next.takeBack("a", before).map(hostPortText), ["0.0.0.0:81"]);
    assert.throws(() => next.take("b", [tcp(81)]), "port is already allocated");
    next.release("a");
    assert.equal(sockets.open.size, 0);
  });
});
