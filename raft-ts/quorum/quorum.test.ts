import { type Command, runTestData } from "../../test/support/testdata.ts";
import { jointIndex, jointVote } from "./joint.ts";
import { majorityIndex, majorityVote } from "./majority.ts";

const ANSWERS: Readonly<Record<string, boolean>> = { y: true, n: false };

/** `(1,2) idx=(12,5)`: the first voter acknowledged 12, the second 5; `_` nothing. */
function zip(command: Command, key: string): Map<number, string> {
  const voters = [...new Set([...command.numbers("cfg"), ...command.numbers("out")])];
  const values = command.list(key);
  return new Map(voters.map((voter, i) => [voter, values[i] ?? "_"]));
}

describe("quorum: majority", () => {
  runTestData(new URL("./testdata/majority_commit.txt", import.meta.url), (command) => {
    const acked = zip(command, "idx");
    return String(majorityIndex(command.numbers("cfg"), (id) => Number(acked.get(id)) || 0));
  });

  runTestData(new URL("./testdata/majority_vote.txt", import.meta.url), (command) => {
    const said = zip(command, "votes");
    return majorityVote(command.numbers("cfg"), (id) => ANSWERS[said.get(id) ?? "_"]);
  });
});

describe("quorum: joint", () => {
  runTestData(new URL("./testdata/joint_commit.txt", import.meta.url), (command) => {
    const acked = zip(command, "idx");
    const conf = { voters: command.numbers("cfg"), votersOutgoing: command.numbers("out") };
    return String(jointIndex(conf, (id) => Number(acked.get(id)) || 0));
  });

  runTestData(new URL("./testdata/joint_vote.txt", import.meta.url), (command) => {
    const said = zip(command, "votes");
    const conf = { voters: command.numbers("cfg"), votersOutgoing: command.numbers("out") };
    return jointVote(conf, (id) => ANSWERS[said.get(id) ?? "_"]);
  });
});
