import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { API_VERSION, agreedVersion, askedVersion, isOlder } from "./api-version.ts";

describe("client: API versions", () => {
  const agreed: [newest: string | undefined, spoken: string][] = [
    ["1.41", "1.41"],
    ["1.24", "1.24"],
    [API_VERSION, API_VERSION],
    ["1.52", API_VERSION],
    ["2.0", API_VERSION],
    [undefined, API_VERSION],
    ["", API_VERSION],
    ["new", API_VERSION],
  ];
  for (const [newest, spoken] of agreed)
    it(`with a daemon of ${newest} is ${spoken}`, () =>
      expect(agreedVersion(newest, "unix:///a")).to.equal(spoken));

  it("refuses a daemon that is too old, by name", () =>
    expect(() => agreedVersion("1.9", "unix:///a")).to.throw(
      ClusterError,
      "the daemon at unix:///a speaks API version 1.9, and muster needs 1.24 or newer",
    ));

  it("are older by number", () => {
    expect(isOlder("1.9", "1.10")).to.equal(true);
    expect(isOlder("1.10", "1.9")).to.equal(false);
    expect(isOlder("1.41", "1.41")).to.equal(false);
    expect(isOlder("1.51", "2.0")).to.equal(true);
  });

  it("are as the environment has them", () => {
    expect(askedVersion({})).to.equal(undefined);
    expect(askedVersion({ DOCKER_API_VERSION: "" })).to.equal(undefined);
    expect(askedVersion({ DOCKER_API_VERSION: "1.41" })).to.equal("1.41");
    expect(askedVersion({ DOCKER_API_VERSION: "v1.41" })).to.equal("1.41");
    expect(askedVersion({ DOCKER_API_VERSION: "1.41", MUSTER_API_VERSION: "1.44" })).to.equal(
      "1.44",
    );
    for (const text of ["new", "1", "1.4.1", "2.0", "1.41/../x"])
      expect(() => askedVersion({ DOCKER_API_VERSION: text }), text).to.throw(ClusterError, text);
  });
});
