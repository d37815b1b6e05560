import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { refuseReadOnly } from "./writable.ts";

describe("archive: where may be written", () => {
  const mounts = [
    { type: "volume", target: "/data", readOnly: false },
    { type: "bind", target: "/data/ro/", readOnly: true },
    { type: "tmpfs", target: "/run", readOnly: false },
  ] as const;
  const CASES = [
    { path: "/etc", readOnlyRootfs: false, refusal: undefined },
    { path: "/", readOnlyRootfs: true, refusal: "container rootfs is marked read-only" },
    { path: "/database", readOnlyRootfs: true, refusal: "container rootfs is marked read-only" },
    { path: "/data", readOnlyRootfs: true, refusal: undefined },
    { path: "/data/x", readOnlyRootfs: true, refusal: undefined },
    { path: "/data/ro", readOnlyRootfs: false, refusal: "mounted volume is marked read-only" },
    { path: "/data/ro/x", readOnlyRootfs: false, refusal: "mounted volume is marked read-only" },
    { path: "/run/x", readOnlyRootfs: false, refusal: "it is in memory (tmpfs at /run)" },
  ];
  for (const { path, readOnlyRootfs, refusal } of CASES)
    it(`${path}, read-only root: ${readOnlyRootfs}: ${refusal ?? "yes"}`, () => {
      const work = () => refuseReadOnly({ mounts, readOnlyRootfs }, path);
      if (refusal === undefined) expect(work).not.to.throw();
      else expect(work).to.throw(ClusterError, refusal);
    });
});
