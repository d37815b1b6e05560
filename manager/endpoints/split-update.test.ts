import { expect } from "chai";
import { Endpoint, EndpointNetwork, EndpointUpdate } from "../../proto/gen/endpoints.ts";
import { CHUNK_BYTES_MAX } from "../../proto/limits.ts";
import { splitUpdate } from "./split-update.ts";

describe("endpoints: an update in parts", () => {
  const endpoints = (count: number, aliases: readonly string[] = []) =>
    Array.from({ length: count }, (_, i) =>
      Endpoint.fromPartial({ taskId: `t${i}`, addresses: ["10.0.0.1"], aliases: [...aliases] }),
    );
  const update = (putEndpoints: Endpoint[]) =>
    EndpointUpdate.fromPartial({
      networkId: "net",
      version: 7,
      fromVersion: 3,
      network: EndpointNetwork.create({ name: "net" }),
      removeTaskIds: ["old"],
      putEndpoints,
    });

  it("is one part when it is small, and says that no other follows", () => {
    const [part, ...others] = splitUpdate(update(endpoints(2)));
    expect(others).to.deep.equal([]);
    expect(part).to.deep.equal({ ...update(endpoints(2)), last: true });
  });

  it("has no part beyond a chunk, however many aliases its endpoints have", () => {
    const aliases = Array.from({ length: 200 }, (_, i) => `alias-${i}-${"x".repeat(40)}`);
    const whole = update(endpoints(300, aliases));
    const parts = splitUpdate(whole);
    expect(parts.length).to.be.greaterThan(10);
    for (const part of parts) {
      expect(EndpointUpdate.encode(part).finish().length).to.be.at.most(CHUNK_BYTES_MAX);
      expect([part.networkId, part.version, part.fromVersion]).to.deep.equal(["net", 7, 3]);
    }
    expect(parts.flatMap((part) => part.putEndpoints)).to.deep.equal(whole.putEndpoints);
    expect(parts.filter(({ last }) => last)).to.deep.equal([parts.at(-1)]);
  });
});
