import { expect } from "chai";
import { ClusterError } from "../core/errors.ts";
import { silentLog } from "../core/log.ts";
import { FakeClock } from "../test/support/fake-clock.ts";
import { LeadershipCell } from "./log/leadership.ts";
import { CATCH_UP_RETRY_MS, TermOfOffice } from "./term-of-office.ts";

/** A log whose leadership and barriers are the test's to give. */
class FakeLog {
  readonly #cell = new LeadershipCell();
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];

  get waiting(): number {
    return this.#waiting.length;
  }

  leadership() {
    return this.#cell.current;
  }

  onLeadership(listener: Parameters<LeadershipCell["listen"]>[0]) {
    return this.#cell.listen(listener);
  }

  readBarrier(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  lead(term: number): void {
    this.#cell.set({ leaderRaftId: 1, isLeader: true, term });
  }

  follow(term: number): void {
    this.#cell.set({ leaderRaftId: 2, isLeader: false, term });
  }

  /** Answers the barrier that was asked for first. */
  async answer(kind: "applied" | "unavailable"): Promise<void> {
    const one = this.#waiting.shift();
    if (one === undefined) throw new Error("nobody waits for a barrier");
    if (kind === "applied") one.resolve();
    else one.reject(new ClusterError("Unavailable", "no majority answered"));
    await turn();
  }
}

/** Lets all that is due happen. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("manager: term of office", () => {
  let log: FakeLog;
  let clock: FakeClock;
  let seen: string[];
  let office: TermOfOffice;

  beforeEach(() => {
    log = new FakeLog();
    clock = new FakeClock();
    seen = [];
    office = new TermOfOffice({
      replicatedLog: log,
      onBegin: (term) => seen.push(`begin ${term}`),
      onEnd: () => seen.push("end"),
      clock,
      log: silentLog,
    });
  });
  afterEach(() => office.close());

  const elect = async (term: number) => {
    log.lead(term);
    await turn();
  };
  const depose = async (term: number) => {
    log.follow(term);
    await turn();
  };

  it("begins when everything committed is applied, not before", async () => {
    await elect(3);
    expect(seen).to.deep.equal([]);
    await log.answer("applied");
    expect(seen).to.deep.equal(["begin 3"]);
  });

  it("ends with leadership", async () => {
    await elect(3);
    await log.answer("applied");
    await depose(4);
    expect(seen).to.deep.equal(["begin 3", "end"]);
  });

  it("tries again, after a wait, as long as leadership lasts", async () => {
    await elect(3);
    for (let failures = 0; failures < 5; failures++) {
      await log.answer("unavailable");
      await clock.advance(CATCH_UP_RETRY_MS - 1);
      expect(log.waiting).to.equal(0);
      await clock.advance(1);
      expect(log.waiting).to.equal(1);
    }
    await log.answer("applied");
    expect(seen).to.deep.equal(["begin 3"]);
  });

  it("gives up with leadership", async () => {
    await elect(3);
    await log.answer("unavailable");
    await depose(4);
    await clock.advance(10 * CATCH_UP_RETRY_MS);
    expect(log.waiting).to.equal(0);
    expect(seen).to.deep.equal([]);
  });

  it("does not take the barrier of one term for another's", async () => {
    await elect(3);
    await depose(4);
    await elect(5);
    expect(log.waiting).to.equal(2);
    await log.answer("applied");
    expect(seen).to.deep.equal([]);
    await log.answer("applied");
    expect(seen).to.deep.equal(["begin 5"]);
  });

  it("retries once for each failure when an old term's barrier fails late", async () => {
    await elect(3);
    await depose(4);
    await elect(5);
    await log.answer("unavailable");
    await clock.advance(CATCH_UP_RETRY_MS);
    expect(log.waiting).to.equal(1);
  });

  it("is a new one when leadership was lost and won between two looks", async () => {
    await elect(3);
    await log.answer("applied");
    await elect(5);
    await log.answer("applied");
    expect(seen).to.deep.equal(["begin 3", "end", "begin 5"]);
  });

  it("does not begin on leadership that the log has lost and not told of yet", async () => {
    await elect(3);
    log.follow(4);
    await log.answer("applied");
    expect(seen).to.deep.equal([]);
  });

  it("ends when closed, and begins no other", async () => {
    await elect(3);
    await log.answer("applied");
    office.close();
    await elect(5);
    expect(seen).to.deep.equal(["begin 3", "end"]);
    expect(log.waiting).to.equal(0);
  });

  it("tries no more when closed", async () => {
    await elect(3);
    await log.answer("unavailable");
    office.close();
    await clock.advance(10 * CATCH_UP_RETRY_MS);
    expect(log.waiting).to.equal(0);
  });
});
