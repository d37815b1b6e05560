import { expect } from "chai";
import { parseFileReference } from "./file-reference.ts";

describe("cli: --config and --secret", () => {
  it("takes a name alone", () => {
    expect(parseFileReference("secret", "password")).to.deep.equal({
      source: "password",
      file: { Name: "password", UID: "0", GID: "0", Mode: 0o444 },
    });
  });

  it("takes where, whose and which mode", () => {
    const text = "source=site,target=/etc/nginx/nginx.conf,uid=33,gid=34,mode=0440";
    expect(parseFileReference("config", text)).to.deep.equal({
      source: "site",
      file: { Name: "/etc/nginx/nginx.conf", UID: "33", GID: "34", Mode: 0o440 },
    });
  });

  const refused = [
    { name: "no source", text: "target=x", message: "source is required" },
    { name: "an unknown field", text: "source=a,owner=b", message: "owner" },
    { name: "a field without a value", text: "source=a,target", message: "key=value pair" },
    { name: "a mode that is none", text: "source=a,mode=rw", message: "invalid mode rw" },
  ];
  for (const { name, text, message } of refused) {
    it(`refuses ${name}`, () => {
      expect(() => parseFileReference("secret", text)).to.throw(message);
    });
  }
});
