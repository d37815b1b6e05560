import { expect } from "chai";
import { seededRandom } from "../../../core/random.ts";
import { Chaos } from "../../support/chaos/chaos.ts";
import { DECK_ROUNDS, type Fault, planRounds } from "../../support/chaos/plan.ts";

const SEED = 1;
/** Longer than an election takes. */
const ELECTION_MS = 3_500;
/** Longer than the silence that makes a node down. */
const CUT_MS = 3_000;

/** One swarm, from a calm to a chaos to a calm. For longer, other and larger ones: `npm run chaos`. */
describe("e2e: chaos, 3 managers and 3 workers under load", function () {
  this.timeout(300_000);
  const said: string[] = [];
  let chaos: Chaos;

  before(async () => {
    const say = (line: string) => void said.push(line);
    chaos = await Chaos.open({ name: "chaos3", managers: 3, workers: 3, seed: SEED, say });
  });
  after(async () => chaos?.close());
  afterEach(function () {
    if (this.currentTest?.state === "failed") process.stderr.write(`${said.join("\n")}\n`);
  });

  const changes: Fault[] = [
    { kind: "kill", role: "leader", forMs: ELECTION_MS },
    { kind: "pause", role: "leader", forMs: ELECTION_MS },
  ];
  for (const fault of changes) {
    it(`a leader change restarts no container: ${fault.kind}`, async () => {
      expect(await chaos.round([fault])).to.deep.equal({ hasNewLeader: true, replaced: 0 });
    });
  }

  it("a partitioned worker's tasks run elsewhere, and are reconciled on its return", async () => {
    const cut: Fault = { kind: "partition", role: "worker", direction: "both", forMs: CUT_MS };
    const { replaced } = await chaos.round([cut], (leader, id) => chaos.untilMovedFrom(id, leader));
    expect(replaced).to.equal(1);
  });

  it(`each fault there is once (${DECK_ROUNDS} rounds): only what is cut off is replaced`, async () => {
    const options = { rounds: DECK_ROUNDS, managers: 3 };
    for (const faults of planRounds(seededRandom(SEED), options)) await chaos.round(faults);
  });

  it("every acknowledged write is there, and nothing is left behind", async () => {
    const { acknowledged, traffic } = await chaos.finish();
    expect(acknowledged).to.be.greaterThan(100);
    expect(traffic.answered).to.be.greaterThan(10 * traffic.failed);
  });
});
