import { expect } from "chai";
import type { VolumeOptions } from "./types.ts";
import {
  checkVolumeName,
  checkVolumeOptions,
  kernelWords,
  planVolumeMount,
  withAddress,
  withoutPassword,
} from "./volume-options.ts";

const NFS = { type: "nfs", device: ":/exports/a" };

describe("volume options", () => {
  const names: { name: string; says: string | undefined }[] = [
    { name: "ab", says: undefined },
    { name: "0.a_b-C", says: undefined },
    { name: "a".repeat(255), says: undefined },
    { name: "a", says: "create a: volume name is too short, names should be at least two" },
    { name: "a".repeat(256), says: "volume name is too long" },
    { name: "../etc", says: '"../etc" includes invalid characters for a local volume name, only' },
    { name: ".hidden", says: "invalid characters" },
    { name: "a/b", says: "invalid characters" },
    { name: "ä", says: "invalid characters" },
    { name: "näme", says: "invalid characters" },
    { name: "a\n", says: "invalid characters" },
  ];
  for (const { name, says } of names)
    it(`${says === undefined ? "take" : "refuse"} the name ${JSON.stringify(name.slice(0, 20))}`, () => {
      const check = () => checkVolumeName(name);
      if (says === undefined) check();
      else expect(check).to.throw(says);
    });

  const options: { options: VolumeOptions; says: string | undefined }[] = [
    { options: {}, says: undefined },
    { options: { type: "tmpfs", device: "tmpfs", o: "size=1m" }, says: undefined },
    { options: NFS, says: undefined },
    { options: { size: "0" }, says: undefined },
    { options: { colour: "red" }, says: 'create v: invalid option: "colour"' },
    { options: { type: "tmpfs" }, says: 'missing required option: "device"' },
    { options: { device: "/a" }, says: 'missing required option: "type"' },
    { options: { o: "bind" }, says: 'missing required option: "device"' },
    { options: { o: "bind", device: "/a" }, says: 'missing required option: "type"' },
    { options: { type: "none", device: "" }, says: "missing device in volume options" },
    { options: { size: "1g" }, says: "quota size requested but no quota support" },
    { options: { size: "1 GiB" }, says: "quota size requested but no quota support" },
    { options: { size: "much" }, says: "invalid size: 'much'" },
    { options: { type: "none", device: "/a\0" }, says: 'invalid value of option "device"' },
    { options: { type: "none", device: "/a", o: "x".repeat(4096) }, says: 'of option "o"' },
  ];
  for (const { options: given, says } of options)
    it(`${says === undefined ? "take" : "refuse"} ${JSON.stringify(given).slice(0, 60)}`, () => {
      const check = () => checkVolumeOptions("v", given);
      if (says === undefined) check();
      else expect(check).to.throw(says);
    });

  it("plan no mount for a directory of its own", () => {
    expect(planVolumeMount({})).to.equal(undefined);
    expect(planVolumeMount({ size: "0" })).to.equal(undefined);
  });

  const hosts = [
    { o: "addr=nas.test,rw", hostName: "nas.test" },
    { o: "rw,addr=nas.test", hostName: "nas.test" },
    { o: "addr=192.0.2.1,rw", hostName: "" },
    { o: "addr=2001:db8::1", hostName: "" },
    { o: "rw,clientaddr=nas.test", hostName: "" },
    { o: "", hostName: "" },
  ];
  for (const { o, hostName } of hosts)
    it(`find the host's name in ${JSON.stringify(o)}`, () => {
      expect(planVolumeMount({ ...NFS, o })).to.deep.equal({ ...NFS, options: o, hostName });
      expect(planVolumeMount({ type: "ext4", device: "/d", o })?.hostName).to.equal("");
    });

  it("name the address in place of the host", () => {
    const plan = planVolumeMount({ ...NFS, o: "addr=nas.test,rw" });
    expect(plan && withAddress(plan, "192.0.2.1")).to.equal("addr=192.0.2.1,rw");
  });

  const said: [string, string][] = [
    ["mount: /v: special device /no/such does not exist.", "no such file or directory"],
    ["mount: /v: unknown filesystem type 'odd'.\n  dmesg(1) may have more", "no such device"],
    ["mount: /v: wrong fs type, bad option, bad superblock on tmpfs, …", "invalid argument"],
    ["mount.nfs: access denied", "mount.nfs: access denied"],
  ];
  for (const [message, words] of said)
    it(`say "${words}" when they cannot be mounted`, () =>
      expect(kernelWords(message)).to.equal(words));

  it("keep a password out of messages", () => {
    const said = "cannot mount with username=a,password=secret: no";
    expect(withoutPassword(said, "username=a,password=secret")).to.equal(
      "cannot mount with username=a,password=********: no",
    );
    expect(withoutPassword(said, "ro")).to.equal(said);
  });
});
