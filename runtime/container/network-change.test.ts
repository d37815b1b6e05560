import { assert } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { plainEndpoint } from "../network/types.ts";
import { withHosts, withoutHosts } from "./hosts.ts";
import { withEndpoint, withoutEndpoint, withRenamedLinks } from "./network-change.ts";
import type { ContainerRecord } from "./record.ts";
import type { NetworkMode } from "./types.ts";

const record = (network: NetworkMode) =>
  ({ id: "c", config: { network } }) as unknown as ContainerRecord;
const LOCAL = record({ kind: "local", network: "a", endpoints: ["a", "b"].map(plainEndpoint) });
const names = ({ endpoints }: { endpoints: readonly { network: string }[] }) =>
  endpoints.map(({ network }) => network).join(" ");

describe("container: its networks", () => {
  it("are one more, or one less", () => {
    assert.equal(names(withEndpoint(LOCAL, plainEndpoint("c"), true)), "a b c");
    assert.equal(names(withoutEndpoint(LOCAL, "a")), "b");
  });

  it("of one that does not run can be asked for otherwise", () => {
    const { endpoints } = withEndpoint(LOCAL, { ...plainEndpoint("a"), aliases: ["x"] }, false);
    assert.equal(names({ endpoints }), "a b");
    assert.deepEqual(endpoints[0]?.aliases, ["x"]);
    assert.throws(
      () => withEndpoint(LOCAL, plainEndpoint("a"), true),
      ClusterError,
      "container c is already attached to network a",
    );
  });

  it("keep the links of the default network to a container that has another name", () => {
    const linked = (network: string): NetworkMode => ({
      ...{ kind: "local", network },
      endpoints: [{ ...plainEndpoint(network), links: ["db:data"] }],
    });
    const after = withRenamedLinks(linked("bridge"), "db", "new");
    assert.deepEqual(after?.endpoints[0]?.links, ["new:data"]);
    assert.isUndefined(withRenamedLinks(linked("bridge"), "dbx", "new"));
    assert.isUndefined(withRenamedLinks(linked("app"), "db", "new"));
    assert.isUndefined(withRenamedLinks({ kind: "host" }, "db", "new"));
  });

  const REFUSED: readonly [NetworkMode, string, RegExp][] = [
    [{ kind: "host" }, "a", /disconnected from host network or connected to host network/],
    [LOCAL.config.network, "host", /connected to host network/],
    [{ kind: "none" }, "a", /private \(none\) mode/],
    [LOCAL.config.network, "none", /private \(none\) mode/],
    [{ kind: "container", id: "d" }, "a", /sharing network namespace/],
  ];
  for (const [mode, network, words] of REFUSED)
    it(`of ${mode.kind} and ${network} are not changed`, () => {
      assert.throws(() => withEndpoint(record(mode), plainEndpoint(network), true), words);
      assert.throws(() => withoutEndpoint(record(mode), network), words);
    });

  it("cannot lose what they are not", () => {
    assert.throws(
      () => withoutEndpoint(LOCAL, "z"),
      "container c is not connected to the network z",
    );
  });
});

describe("container: its hosts file", () => {
  it("has its addresses line by line; what others wrote stays", () => {
    const more = withHosts("127.0.0.1\tlocalhost\n10.0.0.1 mine", "web", ["10.1.0.2", "fd00::2"]);
    assert.equal(more, "127.0.0.1\tlocalhost\n10.0.0.1 mine\n10.1.0.2\tweb\nfd00::2\tweb\n");
    assert.equal(
      withoutHosts(more, ["10.1.0.2"]),
      "127.0.0.1\tlocalhost\n10.0.0.1 mine\nfd00::2\tweb\n",
    );
  });
});
