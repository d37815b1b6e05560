import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { groupHooks, isCdiName, parseCdiSpec, planCdiEdits } from "./cdi-spec.ts";

const SPEC = {
  cdiVersion: "0.6.0",
  kind: "vendor.com/gpu",
  devices: [
    {
      name: "0",
      containerEdits: { deviceNodes: [{ path: "/dev/g0", hostPath: "/dev/real0" }] },
    },
    { name: "1", containerEdits: { deviceNodes: [{ path: "/dev/g1", permissions: "r" }] } },
  ],
  containerEdits: {
    env: ["GPU=yes"],
    mounts: [{ hostPath: "/lib/a", containerPath: "/lib/b", options: ["ro"] }],
    hooks: [{ hookName: "createContainer", path: "/bin/hook", args: ["hook", "x"] }],
    additionalGids: [44],
  },
};
const spec = parseCdiSpec(JSON.stringify(SPEC));

describe("container: devices by their vendors' files", () => {
  it("have whole names", () => {
    for (const good of ["vendor.com/gpu=0", "nvidia.com/gpu=all", "a.b/c=GPU-1:2"])
      expect(isCdiName(good), good).to.equal(true);
    for (const bad of ["gpu", "/gpu=0", "vendor.com/gpu=", "vendor.com/gpu=../x", "a=b"])
      expect(isCdiName(bad), bad).to.equal(false);
  });

  it("bring their own edits, and the file's own once", () => {
    const edits = planCdiEdits([spec], ["vendor.com/gpu=0", "vendor.com/gpu=1"]);
    expect(edits.deviceNodes).to.deep.equal([
      { path: "/dev/g0", hostPath: "/dev/real0", permissions: "rwm" },
      { path: "/dev/g1", hostPath: "/dev/g1", permissions: "r" },
    ]);
    expect([edits.env, edits.additionalGids]).to.deep.equal([["GPU=yes"], [44]]);
    expect(edits.mounts).to.deep.equal([
      { type: "bind", source: "/lib/a", destination: "/lib/b", options: ["rbind", "ro"] },
    ]);
    expect(groupHooks(edits)).to.deep.equal({
      createContainer: [{ path: "/bin/hook", args: ["hook", "x"] }],
    });
  });

  it("are refused by name when no file has them", () =>
    expect(() => planCdiEdits([spec], ["vendor.com/gpu=0", "vendor.com/gpu=7"])).to.throw(
      ClusterError,
      "unresolvable CDI devices vendor.com/gpu=7",
    ));

  const bad = [
    { text: "[]", says: "it must be an object" },
    { text: "{}", says: "kind must be a text" },
    { text: '{"kind":"a/b","devices":{}}', says: "devices must be a list" },
    {
      text: '{"kind":"a/b","containerEdits":{"hooks":[{"hookName":"poststop","path":"/x"}]}}',
      says: "hooks of the kind poststop are not run here",
    },
  ];
  for (const { text, says } of bad)
    it(`are of no use in ${text}`, () => expect(() => parseCdiSpec(text)).to.throw(says));
});
