import { expect } from "chai";
import { logAttributes, writeLogAttributes } from "./log-attributes.ts";

describe("log: attributes", () => {
  const container = { labels: { a: "1", b: "x y", c: "3" }, env: ["E=f", "G"] };
  const attributes = (options: Record<string, string>) =>
    writeLogAttributes(
      logAttributes({
        id: "0123456789abcdef",
        imageId: "sha256:1",
        settings: { ...container, name: "n", image: "i", log: { options } },
      }),
    );
  it("are none unless asked for", () => expect(attributes({})).to.equal(""));
  it("are the labels and variables the options name", () =>
    expect(attributes({ labels: "a,b", env: "E,none" })).to.equal("E=f,a=1,b=x%20y"));
  it("are those that match, and a tag", () =>
    expect(attributes({ "labels-regex": "^[ac]$", tag: "{{.Name}}" })).to.equal("a=1,c=3,tag=n"));
  it("are none of a pattern that is none", () =>
    expect(attributes({ "env-regex": "(" })).to.equal(""));
});
