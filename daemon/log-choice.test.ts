import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { checkLogConfig, chooseLog, type LogConfig } from "./log-choice.ts";

const RAFT: LogConfig = {
  log: "raft",
  etcd: [],
  etcdPrefix: "/muster",
  etcdCacert: "",
  etcdCert: "",
  etcdKey: "",
  etcdUserFile: "",
};
const ETCD: LogConfig = { ...RAFT, log: "etcd", etcd: ["http://a:2379", "http://[fd00::1]:2379"] };
const TLS: LogConfig = { ...ETCD, etcd: ["https://a:2379"] };

const REFUSED: { name: string; config: LogConfig; says: string }[] = [
  { name: "another log", config: { ...RAFT, log: "consul" }, says: "must be raft or etcd" },
  { name: "etcd without a URL", config: { ...ETCD, etcd: [] }, says: "needs --etcd" },
  { name: "URLs without etcd", config: { ...ETCD, log: "raft" }, says: "need --log etcd" },
  { name: "no URL", config: { ...ETCD, etcd: ["a:2379"] }, says: "'a:2379' must be http" },
  {
    name: "a password in a URL, which everybody may read",
    config: { ...ETCD, etcd: ["http://u:p@a:2379"] },
    says: "must be http",
  },
  {
    name: "http beside https",
    config: { ...ETCD, etcd: ["http://a:1", "https://b:1"] },
    says: "all http or all https",
  },
  {
    name: "certificates over http",
    config: { ...ETCD, etcdCacert: "/ca.pem" },
    says: "need https",
  },
  {
    name: "a certificate without its key",
    config: { ...TLS, etcdCacert: "/ca.pem", etcdCert: "/c.pem" },
    says: "go together",
  },
  {
    name: "a prefix that is none",
    config: { ...ETCD, etcdPrefix: "muster" },
    says: "must begin with /",
  },
];

describe("daemon: choice of the log", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-log-choice-"));
  after(() => rmSync(folder, { recursive: true }));

  function file(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  it("is the embedded one unless etcd is asked for", () => {
    expect(chooseLog(RAFT).kind).to.equal("raft");
    expect(chooseLog(ETCD).kind).to.equal("etcd");
  });

  for (const { name, config, says } of REFUSED) {
    it(`refuses ${name}`, () => {
      expect(() => checkLogConfig(config))
        .to.throw("cannot use the configuration")
        .with.property("code", "InvalidArgument");
      expect(() => checkLogConfig(config)).to.throw(says);
    });
  }

  it("reads user and password from a file, and says which file it cannot read", () => {
    const good = { ...ETCD, etcdUserFile: file("user", "muster:a:secret\n") };
    expect(chooseLog(good).kind).to.equal("etcd");
    const bad = { ...ETCD, etcdUserFile: file("nobody", "secret\n") };
    // The whole message: the password is not in it.
    expect(() => chooseLog(bad)).to.throw(
      `cannot use the configuration: ${bad.etcdUserFile} must hold one line user:password`,
    );
    const missing = { ...TLS, etcdCacert: join(folder, "none.pem") };
    expect(() => chooseLog(missing)).to.throw("none.pem cannot be read (ENOENT)");
  });
});
