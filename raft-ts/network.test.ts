import { SimNetwork } from "../test/support/raft-sim/sim-network.ts";
import { confText, entryText, messageText, statusText } from "../test/support/raft-sim/trace.ts";
import { type Command, checkTestData } from "../test/support/testdata.ts";
import {
  type Accepted,
  bootstrapState,
  type ConfChange,
  emptyState,
  type Message,
  type Proposed,
  type Refusal,
} from "./index.ts";

const ELECTION_TICKS = 10;
const NO_CONTEXT = new Uint8Array(0);

/** A network driven by the commands of a golden file; each answers with what was delivered and what changed. */
class Script {
  readonly #network = new SimNetwork();
  #lines: string[] = [];
  #isQuiet = false;

  run(command: Command): string {
    this.#lines = [];
    this.#isQuiet = command.positional.includes("quiet");
    const handle = this.#commands[command.name];
    if (handle === undefined) throw new Error(`unknown command: ${command.name}`);
    const before = this.#roles();
    handle(command);
    this.#noteRoles(before);
    return this.#lines.join("\n");
  }

  readonly #commands: Readonly<Record<string, (command: Command) => void>> = {
    "new-group": (c) => this.#newGroup(c),
    newcomer: (c) => this.#add(c.id(), emptyState(), c),
    campaign: (c) => this.#network.get(c.id()).node.campaign(),
    tick: (c) => this.#tick(c),
    stabilize: () => this.#network.stabilize(),
    work: (c) => this.#work(c.id()),
    flush: (c) => this.#network.get(c.id()).flush(),
    deliver: (c) => this.#deliver(c),
    propose: (c) => this.#propose(c),
    conf: (c) => this.#changeMembers(c),
    read: (c) => this.#answer(this.#network.get(c.id()).node.readIndex(c.number("context"))),
    transfer: (c) =>
      this.#answer(this.#network.get(c.id()).node.transferLeadership(c.number("to"))),
    snapshot: (c) => this.#network.get(c.id()).snapshot(c.number("keep", 0)),
    isolate: (c) => this.#network.isolate(c.id()),
    partition: (c) => this.#network.partition(c.numbers("from"), c.numbers("to")),
    drop: (c) => this.#drop(c),
    heal: () => this.#network.heal(),
    unreachable: (c) => this.#network.get(c.id()).node.reportUnreachable(c.number("peer")),
    crash: (c) => this.#network.get(c.id()).crash(),
    restart: (c) => this.#network.get(c.id()).restart(),
    status: (c) => this.#lines.push(statusText(this.#network.get(c.id()).node.status())),
    log: (c) => this.#lines.push(...this.#network.get(c.id()).log.entries.map(entryText)),
    disk: (c) => this.#disk(c),
  };

  constructor() {
    this.#network.onDeliver = (message: Message) => {
      if (!this.#isQuiet) this.#lines.push(messageText(message));
    };
  }

  #newGroup(command: Command): void {
    const ids = command.numbers("members");
    const stored = bootstrapState(ids.map((raftId) => ({ raftId, context: NO_CONTEXT })));
    for (const id of ids) this.#add(id, stored, command);
    this.#network.stabilize();
  }

  #add(id: number, stored: ReturnType<typeof emptyState>, command: Command): void {
    this.#network.add({
      id,
      stored,
      electionTicks: ELECTION_TICKS,
      // Lower ids lose patience first, always.
      random: () => (id - 1) / ELECTION_TICKS,
      observer: {
        onApply: (member, entry) => {
          if (this.#isQuiet) return;
          const conf = entry.kind === "confChange" ? "change " : "";
          this.#lines.push(`${member.id} applies ${conf}${entryText(entry)}`);
        },
        onRead: (member, context, index) =>
          this.#lines.push(`${member.id} may serve read ${context} at ${index}`),
      },
      limits: { inflightMax: command.number("inflight", 256) },
    });
  }

  #tick(command: Command): void {
    const only = command.positional[0];
    for (let i = 0; i < command.number("n", 1); i++) {
      if (only === undefined || only === "quiet") this.#network.tick();
      else this.#network.get(Number(only)).node.tick();
      if (!command.has("alone")) this.#network.stabilize();
    }
  }

  #work(id: number): void {
    for (const parcel of this.#network.get(id).work()) {
      this.#network.parcels.push(parcel);
      this.#lines.push(`sends ${messageText(parcel.message)}`);
    }
  }

  /** What is under way (to one member), in order or reversed; `copies=2` twice. */
  #deliver(command: Command): void {
    const { parcels } = this.#network;
    const to = command.positional[0];
    const chosen = parcels.filter(({ message }) => to === undefined || message.to === Number(to));
    for (const parcel of chosen) parcels.splice(parcels.indexOf(parcel), 1);
    if (command.text("order", "") === "reversed") chosen.reverse();
    for (const parcel of chosen) {
      for (let i = 0; i < command.number("copies", 1); i++) this.#network.deliver(parcel);
    }
  }

  #propose(command: Command): void {
    const { node } = this.#network.get(command.id());
    for (const word of command.positional.slice(1)) {
      this.#answer(node.propose(new TextEncoder().encode(word)));
    }
  }

  #changeMembers(command: Command): void {
    const changes = command.positional.slice(1).map((word): ConfChange => {
      const [kind, id] = word.split(":");
      const raftId = Number(id);
      return { kind: kind as ConfChange["kind"], raftId, context: NO_CONTEXT };
    });
    const [first, ...more] = changes;
    if (first === undefined) throw new Error("no change given");
    this.#answer(this.#network.get(command.id()).node.proposeConfChange(first, ...more));
  }

  #drop(command: Command): void {
    const kinds = command.list("kind");
    this.#network.drop(({ kind }) => kinds.includes(kind));
  }

  #disk(command: Command): void {
    const { hardState, snapshot, entries } = this.#network.get(command.id()).durable;
    const { term, vote, commit } = hardState;
    this.#lines.push(`term=${term} vote=${vote} commit=${commit}`);
    if (snapshot !== undefined) {
      this.#lines.push(
        `snapshot ${snapshot.term}/${snapshot.index} ${confText(snapshot.confState)}`,
      );
    }
    this.#lines.push(...entries.map(entryText));
  }

  #answer(answer: Proposed | Accepted | Refusal): void {
    if (answer.kind === "proposed") this.#lines.push(`proposed ${answer.term}/${answer.index}`);
    if (answer.kind === "accepted") this.#lines.push("accepted");
    if (answer.kind === "refused") {
      const { kind, ...why } = answer;
      this.#lines.push(`${kind} ${Object.values(why).join(" ")}`);
    }
  }

  #roles(): Map<number, string> {
    return new Map(
      this.#network.up.map(({ id, node }) => {
        const { role, term } = node.leadership();
        return [id, `${id} is ${role} of term ${term}`];
      }),
    );
  }

  #noteRoles(before: ReadonlyMap<number, string>): void {
    for (const [id, text] of this.#roles()) {
      if (before.has(id) && before.get(id) !== text) this.#lines.push(text);
    }
  }
}

const SCRIPTS = [
  "election",
  "replication",
  "conflict",
  "flow_control",
  "disk",
  "prevote",
  "check_quorum",
  "snapshot",
  "membership",
  "joint",
  "transfer",
  "read_index",
];

describe("raft: a network by script", () => {
  for (const name of SCRIPTS) {
    it(name, () => {
      const script = new Script();
      const file = new URL(`./testdata/${name}.txt`, import.meta.url);
      checkTestData(file, (command) => script.run(command));
    });
  }
});
