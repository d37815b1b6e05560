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
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import { EndpointSpec_Mode } from "../../../proto/gen/objects.ts";
import { FrameReader, frame } from "./frame.ts";
import { parseResolvConf, renderResolvConf } from "./resolv-conf.ts";
import { type Reaction, respond, type Transport } from "./respond.ts";
import { NameView, ownZone, planZone } from "./zone.ts";

function table(tasks: number, mode: EndpointSpec_Mode = EndpointSpec_Mode.VIP): EndpointTable {
  return EndpointTable.fromPartial({
    networkId: "net",
    version: 1,
    network: { name: "app" },
    services: [
      {
        serviceId: "s",
        name: "Web",
        mode,
        virtualIps: mode === EndpointSpec_Mode.VIP ? ["10.0.1.2"] : [],
        aliases: ["www"],
      },
      { serviceId: "t", name: "other", mode, virtualIps: ["10.0.1.3"], aliases: ["www"] },
      { serviceId: "u", name: "idle", mode: EndpointSpec_Mode.DNSRR },
    ],
    endpoints: Array.from({ length: tasks }, (_, at) => ({
      taskId: `task${at}`,
      serviceId: "s",
      addresses: [`10.0.${1 + Math.floor(at / 200)}.${10 + (at % 200)}`],
      aliases: [`Web.${at}.task${at}`],
      serving: at !== 1,
    })),
  });
}

const VIEW = new NameView([ownZone("me", ["10.0.1.77"]), planZone(table(3))]);

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
    { name: "tasks.web", expected: ["10.0.1.10", "10.0.1.12"] },
    { name: "web.0.task0", expected: ["10.0.1.10"] },
    { name: "me", expected: ["10.0.1.77"] },
    { name: "www", expected: ["10.0.1.2", "10.0.1.3"] },
    { name: "idle", expected: [] },
  ];
  for (const { name, expected } of cases)
    it(`${name} → ${expected.join(" ") || "no address"}`, () => {
      const packet = reply(query(name));
      assert.equal(packet.rcode, "NOERROR");
      assert.deepEqual(data(packet.answers), expected);
      assert.equal(packet.id, 4711);
    });

  it("a service without a VIP is its serving tasks", () => {
    const view = new NameView([planZone(table(3, EndpointSpec_Mode.DNSRR))]);
    assert.deepEqual(data(reply(query("web"), view).answers), ["10.0.1.10", "10.0.1.12"]);
  });

  it("a task that does not serve has no name", () => {
    assert.equal(react(query("web.1.task1")).kind, "forward");
  });

  it("an address has a name", () => {
    assert.deepEqual(data(reply(query("2.1.0.10.in-addr.arpa", "PTR")).answers), ["Web.app"]);
    assert.equal(react(query("9.9.9.9.in-addr.arpa", "PTR")).kind, "forward");
  });

  it("the ingress network has no names", () => {
    const ingress = EndpointTable.fromPartial({
      ...table(3),
      network: { name: "i", ingress: true },
    });
    assert.equal(planZone(ingress).addresses.size, 0);
  });
});

describe("dns: answers", () => {
  for (const type of ["AAAA", "MX", "TXT"] as const)
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
    const view = new NameView([planZone(table(150))]);
    const small = reply(query("tasks.web"), view);
    assert.isTrue(small.flag_tc);
    assert.isAbove(small.answers?.length ?? 0, 10);
    const whole = reply(query("tasks.web"), view, "tcp");
    assert.isFalse(whole.flag_tc);
    assert.lengthOf(whole.answers ?? [], 149);
  });

  it("a client that takes more gets more, within reason", () => {
    const view = new NameView([planZone(table(150))]);
    const edns = {
      additionals: [{ type: "OPT", name: ".", udpPayloadSize: 60_000, flags: 0, options: [] }],
    } as unknown as Partial<Packet>;
    const reaction = react(query("tasks.web", "A", edns), view);
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
  it("of a sandbox names our server", () => {
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
