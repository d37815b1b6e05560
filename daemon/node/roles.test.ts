import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { BACKDATE_MS } from "../../manager/ca/certificates.ts";
import { RETRY_MS } from "../../manager/ca/renewal.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { Roles, SETTLE_FIRST_MS, SETTLE_MAX_MS } from "./roles.ts";
import { Serial } from "./serial.ts";

const { MANAGER, WORKER } = NodeRole;
const LIFE_MS = 100 * RETRY_MS;

/** A node whose deeds are written down, and fail as often as the test says. */
class FakeNode {
  readonly clock = new FakeClock();
  readonly deeds: string[] = [];
  /** The role the swarm gives in the next certificate. */
  granted: NodeRole = WORKER;
  role: NodeRole = WORKER;
  failures = { renew: 0, run: 0 };
  #bornMs = this.clock.nowMs();

  readonly roles = new Roles({
    identity: this.#identity(),
    managerPart: {
      run: () => this.#do("run"),
      end: () => this.#do("end"),
    },
    findManagers: () => ["manager:1"],
    serial: new Serial(),
    clock: this.clock,
    random: { next: () => 0 },
    log: silentLog,
  });

  #identity() {
    const facts = () => ({
      identity: { nodeId: "n", role: this.role, clusterId: "c" },
      notBeforeMs: this.#bornMs - BACKDATE_MS,
      notAfterMs: this.#bornMs + LIFE_MS,
    });
    const role = () => this.role;
    const isExpired = () => this.clock.nowMs() > facts().notAfterMs;
    return {
      get isExpired() {
        return isExpired();
      },
      get role() {
        return role();
      },
      credentials: {
        get facts() {
          return facts();
        },
      },
      renew: async (managers: readonly string[]) => {
        await this.#do("renew");
        expect(managers).to.deep.equal(["manager:1"]);
        this.role = this.granted;
        this.#bornMs = this.clock.nowMs();
      },
    };
  }

  async #do(deed: "renew" | "run" | "end"): Promise<void> {
    this.deeds.push(deed);
    if (deed === "end" || this.failures[deed] === 0) return;
    this.failures[deed]--;
    throw new ClusterError("Unavailable", `cannot ${deed}`);
  }
}

describe("node: roles", () => {
  let node: FakeNode;
  beforeEach(() => {
    node = new FakeNode();
  });
  afterEach(() => node.roles.close());

  it("becomes a manager with a new certificate, then a worker again", async () => {
    node.granted = MANAGER;
    await node.roles.want(MANAGER);
    expect(node.deeds).to.deep.equal(["renew", "run"]);
    node.granted = WORKER;
    await node.roles.want(WORKER);
    expect(node.deeds.slice(2)).to.deep.equal(["renew", "end"]);
  });

  it("tries again where it stopped, and says meanwhile what is wrong", async () => {
    node.granted = MANAGER;
    node.failures = { renew: 1, run: 2 };
    await node.roles.want(MANAGER);
    expect(node.roles.error).to.equal("");
    await node.clock.advance(SETTLE_FIRST_MS);
    expect(node.roles.error).to.equal("cannot run");
    await node.clock.advance(2 * SETTLE_FIRST_MS + 4 * SETTLE_FIRST_MS);
    expect(node.deeds).to.deep.equal(["renew", "renew", "run", "run", "run"]);
    expect(node.roles.error).to.equal("");
  });

  it("slows down when it keeps failing", async () => {
    node.failures.renew = Number.POSITIVE_INFINITY;
    await node.roles.want(MANAGER);
    await node.clock.advance(10 * SETTLE_MAX_MS);
    expect(node.deeds.length).to.be.within(10, 16);
  });

  it("drops a wish for the next one", async () => {
    node.failures.renew = 1;
    await node.roles.want(MANAGER);
    await node.roles.want(WORKER);
    await node.clock.advance(SETTLE_MAX_MS);
    expect(node.deeds).to.deep.equal(["renew", "end"]);
  });

  it("keeps to what the swarm said last when its manager part is ended from outside", async () => {
    node.role = MANAGER;
    await node.roles.want(MANAGER);
    node.failures.renew = 1;
    await node.roles.want(WORKER);
    await node.roles.settleAgain();
    expect(node.deeds).to.deep.equal(["run", "renew", "renew", "end"]);
  });

  it("takes its certificate's role again when nothing else was said", async () => {
    node.role = MANAGER;
    await node.roles.settleAgain();
    expect(node.deeds).to.deep.equal(["run"]);
  });

  it("waits for a certificate that says so", async () => {
    await node.roles.want(MANAGER);
    expect(node.deeds).to.deep.equal(["renew"]);
    node.granted = MANAGER;
    await node.clock.advance(SETTLE_FIRST_MS);
    expect(node.deeds).to.deep.equal(["renew", "renew", "run"]);
  });

  it("has nothing to do when told what it is", async () => {
    await node.roles.want(WORKER);
    expect(node.deeds).to.deep.equal(["end"]);
    expect(node.roles.error).to.equal("");
  });

  it("renews in time, and takes the role that comes with it", async () => {
    node.granted = MANAGER;
    await node.clock.advance(LIFE_MS / 2 - 1);
    expect(node.deeds).to.deep.equal([]);
    await node.clock.advance(1);
    expect(node.deeds).to.deep.equal(["renew", "run"]);
  });

  it("runs an expired manager's manager part first, which alone may be able to sign", async () => {
    node.role = MANAGER;
    node.granted = MANAGER;
    node.failures.renew = Number.POSITIVE_INFINITY;
    await node.clock.advance(LIFE_MS);
    node.deeds.length = 0;
    node.failures.renew = 0;
    await node.clock.advance(RETRY_MS);
    expect(node.deeds.slice(0, 3)).to.deep.equal(["run", "renew", "run"]);
  });

  it("does nothing once closed", async () => {
    node.failures.renew = 1;
    await node.roles.want(MANAGER);
    node.roles.close();
    await node.roles.want(MANAGER);
    await node.clock.advance(LIFE_MS);
    expect(node.deeds).to.deep.equal(["renew"]);
  });
});
