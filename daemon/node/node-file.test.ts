import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { newKeySet } from "../../manager/log/seal/key-ring.ts";
import { decodeNodeFile, encodeNodeFile, isLocked, type NodeFile } from "./node-file.ts";

const CERTIFICATE = { certPem: "the certificate", rootPem: "the root", keyPem: "the private key" };
const KEYS = { ...newKeySet(true), older: [newKeySet(false).current] };
const LOCK = { key: new Uint8Array(32).fill(9), version: 4 };

/** As it goes to the disk and comes back. */
function written(own: Parameters<typeof encodeNodeFile>[0]): NodeFile {
  return JSON.parse(JSON.stringify(encodeNodeFile(own))) as NodeFile;
}

describe("node file", () => {
  it("gives back what was written, in clear and locked", () => {
    for (const lock of [{ key: new Uint8Array(), version: 5 }, LOCK]) {
      const own = { certificate: CERTIFICATE, keys: KEYS, lock };
      expect(decodeNodeFile(written(own), lock.key)).to.deep.equal(own);
    }
  });

  it("reads a worker's, and one of a version that knew no keys", () => {
    const own = decodeNodeFile(CERTIFICATE);
    expect(own.certificate).to.deep.equal(CERTIFICATE);
    expect(own.keys).to.equal(undefined);
    expect(isLocked(CERTIFICATE)).to.equal(false);
  });

  it("shows the certificate and no secret when locked", () => {
    const text = JSON.stringify(written({ certificate: CERTIFICATE, keys: KEYS, lock: LOCK }));
    expect(text).to.contain("the certificate");
    const current = Buffer.from(KEYS.current.bytes).toString("base64");
    for (const secret of ["the private key", current, Buffer.from(LOCK.key).toString("base64")])
      expect(text).to.not.contain(secret);
  });

  it("opens with no other key, and not without one", () => {
    const file = written({ certificate: CERTIFICATE, keys: KEYS, lock: LOCK });
    expect(isLocked(file)).to.equal(true);
    expect(() => decodeNodeFile(file))
      .to.throw(ClusterError, "needs to be unlocked")
      .with.property("code", "Unavailable");
    const wrong = LOCK.key.slice();
    wrong[31] = 8;
    expect(() => decodeNodeFile(file, wrong))
      .to.throw(ClusterError, "invalid key provided")
      .with.property("code", "Unauthenticated");
  });

  it("does not open once anything in it was changed", () => {
    const file = written({ certificate: CERTIFICATE, keys: KEYS, lock: LOCK });
    const sealed = Buffer.from(file.sealed ?? "", "base64");
    for (let byte = 0; byte < sealed.length; byte++) {
      const changed = Buffer.from(sealed);
      changed[byte] = (changed[byte] ?? 0) ^ 1;
      const other = { ...file, sealed: changed.toString("base64") };
      expect(() => decodeNodeFile(other, LOCK.key), `byte ${byte}`).to.throw("invalid key");
    }
    expect(() => decodeNodeFile({ ...file, certPem: "another" }, LOCK.key)).to.throw("invalid key");
    expect(() => decodeNodeFile({ ...file, lockVersion: 5 }, LOCK.key)).to.throw("invalid key");
  });
});
