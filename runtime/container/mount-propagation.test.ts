import { expect } from "chai";
import { propagationOf } from "./mount-propagation.ts";

describe("container: propagation of a bind", () => {
  const ROOT = "/var/lib/muster";
  for (const [source, asked, expected] of [
    ["/srv", "", ""],
    ["/srv", "private", "private"],
    ["/var/lib/muster2", "", ""],
    ["/", "", "rslave"],
    ["/var/lib", "", "rslave"],
    ["/var/lib/", "", "rslave"],
    [ROOT, "", "rslave"],
    [`${ROOT}/volumes/v`, "", "rslave"],
    ["/", "rshared", "rshared"],
  ] as const)
    it(`${source} ${asked || "without a word"}: ${expected || "the default"}`, () =>
      expect(propagationOf({ source, propagation: asked }, ROOT)).to.equal(expected));
  it("what would hold other containers' mounts is refused in Docker's words", () =>
    expect(() => propagationOf({ source: "/", propagation: "rprivate" }, ROOT)).to.throw(
      'must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root',
    ));
});
