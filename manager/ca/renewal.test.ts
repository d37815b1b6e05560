import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { seededRandom } from "../../core/random.ts";
import { NodeRole } from "../../proto/gen/objects.ts";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { BACKDATE_MS } from "./certificates.ts";
import { CertificateRenewal, EXPIRED_RETRY_MS, LOOK_MS, RETRY_MS, renewAtMs } from "./renewal.ts";

const HOUR_MS = 3_600_000;

function credentialsFor(clock: FakeClock, hours: number) {
  const identity = { nodeId: "n", role: NodeRole.WORKER, clusterId: "c" };
  const nowMs = clock.nowMs();
  return {
    facts: {
      identity,
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: nowMs + hours * HOUR_MS,
    },
  };
}

describe("ca: renewal", () => {
  it("falls between half and four fifths of the certificate's life", () => {
    const life = { notBeforeMs: 1000 - BACKDATE_MS, notAfterMs: 2000 };
    const ends = [0, 1 - 2 ** -32].map((value) => renewAtMs(life, { next: () => value }));
    expect(ends[0]).to.equal(1500);
    expect(ends[1]).to.be.closeTo(1800, 0.01);
  });

  it("renews in time, again and again", async () => {
    const clock = new FakeClock();
    let credentials = credentialsFor(clock, 10);
    const renewedAt: number[] = [];
    const startMs = clock.nowMs();
    const renewal = new CertificateRenewal({
      credentials: {
        get facts() {
          return credentials.facts;
        },
      },
      renew: async () => {
        renewedAt.push((clock.nowMs() - startMs) / HOUR_MS);
        credentials = credentialsFor(clock, 10);
      },
      clock,
      random: seededRandom(1),
      log: silentLog,
    });
    await clock.advance(4.9 * HOUR_MS);
    expect(renewedAt).to.deep.equal([]);
    await clock.advance(20 * HOUR_MS);
    expect(renewedAt[0]).to.be.within(5, 8);
    expect(renewedAt).to.have.length.within(2, 4);
    renewal.close();
    const before = renewedAt.length;
    await clock.advance(20 * HOUR_MS);
    expect(renewedAt).to.have.length(before);
  });

  it("tries a failed renewal again, and not in a hurry", async () => {
    const clock = new FakeClock();
    let tries = 0;
    const renewal = new CertificateRenewal({
      credentials: credentialsFor(clock, 2),
      renew: () => {
        tries++;
        return Promise.reject(new ClusterError("Unavailable", "no leader"));
      },
      clock,
      random: { next: () => 0 },
      log: silentLog,
    });
    await clock.advance(HOUR_MS);
    expect(tries).to.equal(1);
    await clock.advance(10 * RETRY_MS);
    expect(tries).to.equal(11);
    renewal.close();
  });

  it("says why the node is shut out, once its certificate has expired", async () => {
    const clock = new FakeClock();
    const credentials = credentialsFor(clock, 1);
    let fails = true;
    const renewal = new CertificateRenewal({
      credentials,
      renew: async () => {
        if (fails) throw new ClusterError("Unavailable", "no leader");
        credentials.facts = credentialsFor(clock, 1).facts;
      },
      clock,
      random: { next: () => 0 },
      log: silentLog,
    });
    await clock.advance(0.6 * HOUR_MS);
    expect(renewal.error).to.equal("");
    await clock.advance(HOUR_MS);
    expect(renewal.error).to.match(/^the certificate of this node expired on 1970-\S+: no leader$/);
    fails = false;
    await clock.advance(2 * EXPIRED_RETRY_MS);
    expect(renewal.error).to.equal("");
    renewal.close();
  });

  it("notices that the machine slept, or that its clock was put right", async () => {
    const clock = new FakeClock();
    const credentials = credentialsFor(clock, 1);
    let sleptMs = 0;
    let tries = 0;
    const renewal = new CertificateRenewal({
      credentials,
      renew: async () => {
        tries++;
      },
      clock: {
        nowMs: () => clock.nowMs() + sleptMs,
        monotonicMs: () => clock.monotonicMs(),
        after: (delayMs, fn) => clock.after(delayMs, fn),
      },
      random: { next: () => 0 },
      log: silentLog,
    });
    await clock.advance(LOOK_MS);
    expect(tries).to.equal(0);
    sleptMs = 0.6 * HOUR_MS;
    await clock.advance(LOOK_MS);
    expect(tries).to.equal(1);
    renewal.close();
  });

  it("hurries when the certificate has expired: the node is shut out", async () => {
    const clock = new FakeClock();
    let tries = 0;
    const renewal = new CertificateRenewal({
      credentials: credentialsFor(clock, -1),
      renew: () => {
        tries++;
        return Promise.reject(new ClusterError("Unavailable", "no leader"));
      },
      clock,
      random: { next: () => 0 },
      log: silentLog,
    });
    await clock.advance(1);
    await clock.advance(10 * EXPIRED_RETRY_MS);
    expect(tries).to.equal(11);
    renewal.close();
  });

  it("goes by the life of the certificate that replaced the one it knew", async () => {
    const clock = new FakeClock();
    const credentials = credentialsFor(clock, 2000);
    let tries = 0;
    const renewal = new CertificateRenewal({
      credentials,
      renew: async () => {
        tries++;
      },
      clock,
      random: { next: () => 0 },
      log: silentLog,
    });
    credentials.facts = credentialsFor(clock, 1).facts;
    renewal.onReplaced();
    await clock.advance(0.5 * HOUR_MS + RETRY_MS);
    expect(tries).to.be.at.least(1);
    renewal.close();
  });
});
