import { expect } from "chai";
import { Hello } from "../../proto/gen/dispatcher.ts";
import type { DeepPartial } from "../../proto/gen/objects.ts";
import { ENDPOINT_VERSIONS_MAX } from "../../proto/limits.ts";
import { checkHello, DESCRIPTION_BYTES_MAX } from "./check-hello.ts";

const check = (hello: DeepPartial<Hello>) => () => checkHello(Hello.fromPartial(hello));
const versions = (length: number) =>
  Array.from({ length }, (_, i) => ({ networkId: `${i}`, version: 1 }));

describe("dispatcher: what a node says of itself", () => {
  for (const addr of ["", "10.0.0.1", "127.0.0.1", "fd00::1", "fe80::1%eth0"]) {
    it(`may be that it is at ${addr === "" ? "no address" : addr}`, () => {
      expect(check({ addr })).to.not.throw();
    });
  }

  const nowhere = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "host", "1.2.3.4:5"];
  for (const addr of [...nowhere, "10.0.0.1\n", "x".repeat(10_000)]) {
    it(`is not that it is at ${JSON.stringify(addr.slice(0, 20))}`, () => {
      expect(check({ addr })).to.throw(/its address is no address/);
    });
  }

  it("has a bound", () => {
    const hostname = "h".repeat(DESCRIPTION_BYTES_MAX);
    expect(check({ description: { hostname } })).to.throw(/at most 65536 are stored/);
    expect(check({ endpointVersions: versions(ENDPOINT_VERSIONS_MAX) })).to.not.throw();
    expect(check({ endpointVersions: versions(ENDPOINT_VERSIONS_MAX + 1) })).to.throw(/networks/);
  });

  it("does not write on the terminals of those who read it", () => {
    const command = "\u001b[2J";
    const descriptions = [
      { hostname: command },
      { engineVersion: command },
      { platform: { os: command } },
      { engineLabels: { label: command } },
      { engineLabels: { [command]: "label" } },
    ];
    for (const description of descriptions) {
      expect(check({ description })).to.throw(/control characters/);
    }
    expect(check({ description: { hostname: "käse-\u{1f9c0}" } })).to.not.throw();
  });
});
