import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import { VALUE_BYTES_MAX } from "../../manager/log/etcd/record.ts";
import { ENTRY_BYTES_MAX } from "../../manager/log/replicated-log.ts";
import { createChange, updateChange } from "../../manager/store/changes.ts";
import { Proposer } from "../../manager/store/proposer.ts";
import { Store } from "../../manager/store/store.ts";
import { Config } from "../../proto/gen/objects.ts";
import { CONFIG_BYTES_MAX } from "../../proto/limits.ts";
import { type EtcdCluster, startEtcd, startEtcdCluster } from "../support/etcd.ts";
import { EtcdLogs } from "../support/etcd-logs.ts";
import { failureOf } from "../support/failure-of.ts";
import { freePort } from "../support/free-port.ts";
import { ListState } from "../support/raft/list-state.ts";
import { memberOf, untilLeads } from "../support/raft/memory-cluster.ts";
import { describeLogGroup } from "./log-group.ts";
import { describeReplicatedLog } from "./replicated-log.ts";

/** Source: etcd, embed/config.go, DefaultMaxRequestBytes. */
const ETCD_REQUEST_BYTES_MAX = 1.5 * 1024 * 1024;

describe("against a real etcd", () => {
  let etcd: EtcdCluster;
  before(async function () {
    this.timeout(60_000);
    etcd = await startEtcdCluster(1);
  });
  after(async () => etcd?.close());

  describeReplicatedLog("etcd, one member", async () => {
    const logs = new EtcdLogs(etcd.urls);
    const state = new ListState();
    const log = await logs.open(1, state);
    return { log, state, close: () => logs.close() };
  });

  describeLogGroup("etcd", async () => new EtcdLogs(etcd.urls));

  describeReplicatedLog("etcd, three members", async () => {
    const logs = new EtcdLogs(etcd.urls);
    const state = new ListState();
    const log = await logs.open(1, state);
    await untilLeads(log);
    for (const raftId of [2, 3]) {
      await logs.open(raftId, new ListState());
      await log.addMember(memberOf(raftId));
    }
    return { log, state, close: () => logs.close() };
  });

  describe("what etcd takes at most in one request", () => {
    let logs: EtcdLogs;
    beforeEach(() => {
      logs = new EtcdLogs(etcd.urls);
    });
    afterEach(async () => logs.close());

    it("matters to no entry: those around it are stored like any, beside small ones", async () => {
      const [state, other] = [new ListState(), new ListState()];
      const log = await logs.open(1, state);
      await untilLeads(log);
      const sizes = [-9, -8, -1, 0, 1].map((more) => VALUE_BYTES_MAX + more);
      sizes.push(ETCD_REQUEST_BYTES_MAX - 300, ETCD_REQUEST_BYTES_MAX, ENTRY_BYTES_MAX);
      const entries = sizes.flatMap((size) => ["x".repeat(size), `after ${size}`]);
      await Promise.all(entries.map((entry) => log.propose(Buffer.from(entry))));
      expect(state.entries).to.deep.equal(entries);
      await logs.open(2, other);
      await log.addMember(memberOf(2));
      expect(other.entries).to.deep.equal(entries);
    });

    it("matters to no config: one of the largest size is stored and changed", async () => {
      const store = new Store();
      const log = await logs.open(1, store);
      await untilLeads(log);
      const proposer = new Proposer(log, systemClock);
      const data = Buffer.alloc(CONFIG_BYTES_MAX, "x");
      const config = Config.fromPartial({ id: "large", spec: { name: "large" }, data });
      await proposer.propose([createChange("config", config)]);
      const spec = { name: "large", labels: { changed: "yes" } };
      await proposer.propose([updateChange("config", "large", { spec })]);
      const stored = store.view().configs.get("large");
      expect(stored?.data.length).to.equal(CONFIG_BYTES_MAX);
      expect(stored?.spec.labels).to.deep.equal({ changed: "yes" });
    });

    it("is asked for at the start: an etcd that takes less is refused before anything is written", async function () {
      this.timeout(30_000);
      const dir = await mkdtemp(join(tmpdir(), "muster-etcd-small-"));
      const ports = { clientPort: await freePort(), peerPort: await freePort() };
      const small = await startEtcd({ dir, ...ports, flags: ["--max-request-bytes", "65536"] });
      const state = new ListState();
      try {
        const error = await failureOf(new EtcdLogs([small.url]).open(1, state));
        expect(error).to.have.property("code", "ResourceExhausted");
        expect(error.message).to.contain("--max-request-bytes");
      } finally {
        await small.close();
        await rm(dir, { recursive: true, force: true });
      }
    });
  });
});
