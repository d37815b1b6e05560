import { expect } from "chai";
import { TaskState } from "./gen/objects.ts";
import {
  DESIRED_STATES,
  isTerminalState,
  moverOf,
  type TaskMover,
  wisherOf,
} from "./task-transitions.ts";

const STATES = Object.values(TaskState);
const LETTER: Record<TaskMover, string> = {
  orchestrator: "O",
  allocator: "A",
  scheduler: "S",
  worker: "W",
  reaper: "R",
};

/** One line for each state to come from, one letter for each state to go to: whose move it is. */
function table(
  names: readonly string[],
  mover: (from: TaskState | undefined, to: TaskState) => TaskMover | undefined,
): string[] {
  const from = names.map((name) => [name, TaskState[name as keyof typeof TaskState]] as const);
  return [["(none)", undefined] as const, ...from].map(([name, state]) => {
    const letters = from.map(([, to]) => {
      const found = mover(state, to);
      return found === undefined ? "." : LETTER[found];
    });
    return `${name.padEnd(9)} ${letters.join("")}`;
  });
}

describe("proto: transitions of tasks", () => {
  it("each observed move belongs to one component, and no other is possible", () => {
    // To: NEW PENDING ASSIGNED ACCEPTED PREPARING READY STARTING RUNNING | COMPLETE SHUTDOWN FAILED REJECTED REMOVE ORPHANED
    expect(table(Object.keys(TaskState), moverOf)).to.deep.equal([
      "(none)    O.............",
      "NEW       .A.......R....",
      "PENDING   ..S......R....",
      "ASSIGNED  ...WWWWWWWWW.R",
      "ACCEPTED  ....WWWWWWWW.R",
      "PREPARING .....WWWWWWW.R",
      "READY     ......WWWWWW.R",
      "STARTING  .......WWWW..R",
      "RUNNING   ........WWW..R",
      "COMPLETE  ..............",
      "SHUTDOWN  ..............",
      "FAILED    ..............",
      "REJECTED  ..............",
      "REMOVE    ..............",
      "ORPHANED  ..............",
    ]);
  });

  it("the wish is the orchestrator's, and rises", () => {
    const names = ["NEW", "READY", "RUNNING", "COMPLETE", "SHUTDOWN", "REMOVE"];
    expect(table(names, wisherOf)).to.deep.equal([
      "(none)    .OO...",
      "NEW       ......",
      "READY     ..O.OO",
      "RUNNING   ....OO",
      "COMPLETE  ......",
      "SHUTDOWN  .....O",
      "REMOVE    ......",
    ]);
    const never = STATES.filter((state) => !DESIRED_STATES.includes(state));
    for (const from of [undefined, ...STATES])
      for (const to of never) expect(wisherOf(from, to)).to.equal(undefined);
  });

  it("states only rise", () => {
    for (const from of STATES)
      for (const to of STATES) {
        if (to > from) continue;
        expect(moverOf(from, to), `${from} to ${to}`).to.equal(undefined);
        expect(wisherOf(from, to), `${from} to ${to}`).to.equal(undefined);
      }
  });

  it("a report may skip states: what leads there in steps leads there at once", () => {
    for (const from of STATES)
      for (const via of STATES)
        for (const to of STATES) {
          if (moverOf(from, via) !== "worker" || moverOf(via, to) !== "worker") continue;
          expect(moverOf(from, to), `${from} over ${via} to ${to}`).to.equal("worker");
        }
  });

  it("nothing follows an end", () => {
    const ends = STATES.filter(isTerminalState);
    for (const end of ends) for (const to of STATES) expect(moverOf(end, to)).to.equal(undefined);
    expect(ends).to.have.length(6);
  });

  it("a number of another version is no state", () => {
    expect(moverOf(TaskState.ASSIGNED, 600 as TaskState)).to.equal(undefined);
    expect(moverOf(600 as TaskState, TaskState.ORPHANED)).to.equal(undefined);
    expect(moverOf(65 as TaskState, TaskState.SHUTDOWN)).to.equal(undefined);
  });
});
