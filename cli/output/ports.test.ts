import { expect } from "chai";
import { portsText, type WirePort } from "./ports.ts";

/** `80/tcp`, `8080->80/tcp` and `0.0.0.0:8080->80/tcp`. */
function port(text: string): WirePort {
  const [, IP, host, inside, Type = ""] =
    /^(?:(.+):(\d+)->)?(\d+)\/(\w+)$/.exec(text) ?? expect.fail(text);
  const own = { PrivatePort: Number(inside), Type };
  return IP === undefined ? own : { ...own, IP, PublicPort: Number(host) };
}

describe("output: ports", () => {
  const cases: { ports: string[]; expected: string }[] = [
    { ports: [], expected: "" },
    { ports: ["80/tcp", "53/udp"], expected: "53/udp, 80/tcp" },
    { ports: ["82/tcp", "80/tcp", "81/tcp", "84/tcp"], expected: "80-82/tcp, 84/tcp" },
    {
      ports: ["0.0.0.0:8080->80/tcp", ":::8080->80/tcp"],
      expected: "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
    },
    {
      ports: ["0.0.0.0:80->80/tcp", "0.0.0.0:81->81/tcp", ":::80->80/tcp", "9/tcp"],
      expected: "9/tcp, 0.0.0.0:80-81->80-81/tcp, [::]:80->80/tcp",
    },
    {
      ports: ["1.2.3.4:81->80/udp", "1.2.3.4:80->80/tcp"],
      expected: "1.2.3.4:80->80/tcp, 1.2.3.4:81->80/udp",
    },
  ];
  for (const { ports, expected } of cases)
    it(ports.join(" "), () => expect(portsText(ports.map(port))).to.equal(expected));
});
