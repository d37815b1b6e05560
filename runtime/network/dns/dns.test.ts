import { assert } from "chai";
import {
  type Answer,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type RecordType,
} from "dns-packet";
import { seededRandom } from "../../../core/random.ts";
import { FrameReader, frame } from "./frame.ts";
import { NameView, ZoneBuilder } from "./name-view.ts";
import { parseResolvConf, renderResolvConf } from "./resolv-conf.ts";
import { type Reaction, respond, type Transport } from "./respond.ts";

/** A network where so many serve one name. */
function network(tasks: number): NameView {
  const zone = new ZoneBuilder("app");
  zone.add("Web", ["10.0.1.2", "fd00::2"]);
  zone.add("idle", []);
  zone.name(["10.0.1.2", "fd00::2"], "web");
  for (let at = 0; at < tasks; at++)
    zone.add("tasks", [`10.0.${1 + Math.floor(at / 200)}.${10 + (at % 200)}`]);
  return new NameView([zone]);
}

const VIEW = network(3);

function query(name: string, type: RecordType = "A", more: Partial<Packet> = {}): Buffer {
  return encode({ type: "query", id: 4711, flags: 0x100, questions: [{ type, name }], ...more });
}

function react(bytes: Buffer, view = VIEW, transport: Transport = "udp"): Reaction {
  return respond(bytes, view, { transport, random: seededRandom(1) });
}

function reply(bytes: Buffer, view = VIEW, transport: Transport = "udp") {
  const reaction = react(bytes, view, transport);
  if (reaction.kind !== "reply") throw new Error(`no reply but ${reaction.kind}`);
  return decode(reaction.bytes) as DecodedPacket & { rcode: string };
}

function data(answers: Answer[] | undefined): unknown[] {
  return (answers ?? []).map((answer) => ("data" in answer ? answer.data : undefined)).sort();
}

describe("dns: names of a network", () => {
  const cases = [
    { name: "web", expected: ["10.0.1.2"] },
    { name: "WEB.App", expected: ["10.0.1.2"] },
    { name: "tasks", expected: ["10.0.1.10", "10.0.1.11", "10.0.1.12"] },
    { name: "idle", expected: [] },
  ];
  for (const { name, expected } of cases)
    it(`${name} → ${expected.join(" ") || "no address"}`, () => {
      const packet = reply(query(name));
      assert.equal(packet.rcode, "NOERROR");
      assert.deepEqual(data(packet.answers), expected);
      assert.equal(packet.id, 4711);
    });

  it("has addresses of both families", () => {
    assert.deepEqual(data(reply(query("web", "AAAA")).answers), ["fd00::2"]);
  });

  it("an address has a name", () => {
    assert.deepEqual(data(reply(query("2.1.0.10.in-addr.arpa", "PTR")).answers), ["web.app"]);
    const six = `2.${"0.".repeat(29)}d.f.ip6.arpa`;
    assert.deepEqual(data(reply(query(six, "PTR")).answers), ["web.app"]);
    for (const other of ["9.9.9.9.in-addr.arpa", "1.ip6.arpa", "x.in-addr.arpa"])
      assert.equal(react(query(other, "PTR")).kind, "forward");
  });
});

describe("dns: answers", () => {
  for (const type of ["MX", "TXT"] as const)
    it(`${type} of a known name: it exists and has none`, () => {
      const packet = reply(query("web", type));
      assert.equal(packet.rcode, "NOERROR");
      assert.isEmpty(packet.answers);
    });

  it("an unknown name is for others, with SERVFAIL if nobody answers", () => {
    const reaction = react(query("example.com"));
    if (reaction.kind !== "forward") throw new Error(reaction.kind);
    const failure = decode(reaction.failure) as DecodedPacket & { rcode: string };
    assert.equal(failure.rcode, "SERVFAIL");
    assert.equal(failure.id, 4711);
    assert.equal(failure.questions?.[0]?.name, "example.com");
  });

  it("too many for a packet are cut, and whole over TCP", () => {
    const view = network(150);
    const small = reply(query("tasks"), view);
    assert.isTrue(small.flag_tc);
    assert.isAbove(small.answers?.length ?? 0, 10);
    const whole = reply(query("tasks"), view, "tcp");
    assert.isFalse(whole.flag_tc);
    assert.lengthOf(whole.answers ?? [], 150);
  });

  it("a client that takes more gets more, within reason", () => {
    const view = network(150);
    const edns = {
      additionals: [{ type: "OPT", name: ".", udpPayloadSize: 60_000, flags: 0, options: [] }],
    } as unknown as Partial<Packet>;
    const reaction = react(query("tasks", "A", edns), view);
    if (reaction.kind !== "reply") throw new Error(reaction.kind);
    assert.isAbove(reaction.bytes.length, 512);
    assert.isAtMost(reaction.bytes.length, 1232);
  });

  it("what is no query is refused or ignored", () => {
    assert.equal(react(Buffer.from([1, 2, 3])).kind, "ignore");
    assert.equal(react(encode({ type: "response", id: 1, questions: [] })).kind, "ignore");
    assert.equal(reply(encode({ type: "query", id: 1, questions: [] })).rcode, "FORMERR");
    const status = query("web");
    status[2] = 0x10;
    assert.equal(reply(status).rcode, "NOTIMP");
  });

  it("a name that points at itself does not hang", () => {
    const loop = query("web");
    loop.writeUInt16BE(0xc00c, 12);
    assert.equal(reply(loop).rcode, "FORMERR");
  });
});

describe("dns: over TCP", () => {
  it("messages are found whatever the chunks", () => {
    const stream = Buffer.concat([frame(Buffer.from("one")), frame(Buffer.from("three"))]);
    const reader = new FrameReader();
    const found = [...stream].flatMap((byte) => reader.push(Buffer.of(byte)));
    assert.deepEqual(found.map(String), ["one", "three"]);
  });
});

describe("dns: resolv.conf", () => {
  it("of the host is read", () => {
    const text =
      "# x\nnameserver 10.0.0.1\nnameserver 10.0.0.2 # y\nsearch a b\ndomain c\noptions x\n";
    assert.deepEqual(parseResolvConf(text), {
      nameservers: ["10.0.0.1", "10.0.0.2"],
      search: ["c"],
    });
  });
  it("of a container names our server", () => {
    const host = { nameservers: ["10.0.0.1"], search: ["corp"] };
    const dns = { nameservers: [], search: [], options: [] };
    assert.equal(
      renderResolvConf(dns, host),
      "nameserver 127.0.0.11\nsearch corp\noptions ndots:0\n",
    );
    assert.equal(
      renderResolvConf({ ...dns, search: ["x"], options: ["ndots:2", "timeout:1"] }, host),
      "nameserver 127.0.0.11\nsearch x\noptions ndots:2 timeout:1\n",
    );
  });
});
