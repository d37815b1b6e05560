import { expect } from "chai";
import { chooseAdvertiseAddr, chooseListenAddr, localAddr, parseHostPort } from "./addresses.ts";

const LO = { interfaceName: "lo", address: "127.0.0.1" };
const ETH0 = { interfaceName: "eth0", address: "10.1.0.5" };
const ETH1 = { interfaceName: "eth1", address: "10.2.0.5" };
const ANY = { host: "0.0.0.0", port: 2377 };

describe("node addresses: to advertise", () => {
  const good: {
    name: string;
    text: string;
    own: (typeof LO)[];
    listen?: typeof ANY;
    expected: object;
  }[] = [
    {
      name: "the only one there is",
      text: "",
      own: [LO, ETH0],
      expected: { host: "10.1.0.5", port: 2377 },
    },
    {
      name: "the one said",
      text: "10.9.9.9",
      own: [LO, ETH0, ETH1],
      expected: { host: "10.9.9.9", port: 2377 },
    },
    {
      name: "with its port",
      text: "10.9.9.9:99",
      own: [ETH0],
      expected: { host: "10.9.9.9", port: 99 },
    },
    {
      name: "the interface said",
      text: "eth1",
      own: [ETH0, ETH1],
      expected: { host: "10.2.0.5", port: 2377 },
    },
    {
      name: "the one listened at",
      text: "",
      own: [ETH0, ETH1],
      listen: { host: "10.2.0.5", port: 7 },
      expected: { host: "10.2.0.5", port: 7 },
    },
    {
      name: "with the listener's port",
      text: "10.1.0.5",
      own: [ETH0],
      listen: { host: "0.0.0.0", port: 7 },
      expected: { host: "10.1.0.5", port: 7 },
    },
    {
      name: "an IPv6 one",
      text: "[fd00::1]:99",
      own: [ETH0],
      expected: { host: "fd00::1", port: 99 },
    },
  ];
  for (const { name, text, own, listen = ANY, expected } of good) {
    it(`takes ${name}`, () => {
      expect(chooseAdvertiseAddr(text, listen, own)).to.deep.equal(expected);
    });
  }

  const bad: { name: string; text: string; own: (typeof LO)[]; message: string }[] = [
    {
      name: "several to choose from",
      text: "",
      own: [ETH0, ETH1],
      message: "10.1.0.5 on eth0 and 10.2.0.5 on eth1",
    },
    { name: "none", text: "", own: [LO], message: "could not find an IP address" },
    {
      name: "the unspecified",
      text: "0.0.0.0",
      own: [ETH0],
      message: "must be a non-zero IP address",
    },
    {
      name: "an unknown interface",
      text: "eth9",
      own: [ETH0],
      message: "no interface of this name",
    },
    {
      name: "a bad port",
      text: "10.0.0.1:99999",
      own: [ETH0],
      message: "invalid advertise address",
    },
  ];
  for (const { name, text, own, message } of bad) {
    it(`refuses ${name}`, () => {
      expect(() => chooseAdvertiseAddr(text, ANY, own)).to.throw(message);
    });
  }
});

describe("node addresses: to listen at", () => {
  it("is all of them unless said", () => expect(chooseListenAddr("", [ETH0])).to.deep.equal(ANY));
  it("must be an own one", () =>
    expect(() => chooseListenAddr("10.9.9.9", [ETH0])).to.throw("not an address of this machine"));
  for (const text of ["", ":2377", "a b", "1.2.3.4:0", "http://x", "[::1"]) {
    it(`is not '${text}'`, () =>
      expect(() => parseHostPort(text, "listen address")).to.throw("invalid listen address"));
  }
});

describe("node addresses: of its own manager part", () => {
  const cases = [
    { listen: "0.0.0.0:2377", expected: "127.0.0.1:2377" },
    { listen: "[::]:99", expected: "[::1]:99" },
    { listen: "10.1.0.5:2377", expected: "10.1.0.5:2377" },
  ];
  for (const { listen, expected } of cases) {
    it(`${listen} is reached at ${expected}`, () => expect(localAddr(listen)).to.equal(expected));
  }
});
