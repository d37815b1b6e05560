import { expect } from "chai";
import { planExecConmonArgs } from "../conmon-args.ts";
import type { OciProcess } from "../spec/oci-spec.ts";
import { type ExecInput, planExecProcess } from "./exec-process.ts";
import type { ExecConfig } from "./types.ts";

const EXEC: ExecConfig = {
  command: ["ls", "-l"],
  env: [],
  user: "",
  workdir: "",
  tty: false,
  privileged: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  detachKeys: "",
};
const BASE: OciProcess = {
  terminal: true,
  consoleSize: { height: 1, width: 2 },
  user: { uid: 0, gid: 0, additionalGids: [10] },
  args: ["sleep"],
  env: ["PATH=/own", "HOSTNAME=h", "TERM=xterm", "LANG=C", "A=1", "HOME=/root", "GPU=all"],
  cwd: "/srv",
  capabilities: { bounding: ["CAP_KILL"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"] },
  rlimits: [],
  noNewPrivileges: true,
  apparmorProfile: "mine",
  oomScoreAdj: 5,
};

function plan(exec: Partial<ExecConfig>, more: Partial<ExecInput> = {}): OciProcess {
  return planExecProcess({
    exec: { ...EXEC, ...exec },
    base: BASE,
    config: { env: ["A=1"] },
    image: { env: ["PATH=/own", "LANG=C"] },
    user: { uid: 0, gid: 0, additionalGids: [], home: "/root" },
    ownCapabilities: "3",
    size: undefined,
    ...more,
  });
}

describe("exec: the process of a command", () => {
  it("is the container's own but for the command, and has no terminal unless asked", () => {
    const { consoleSize: _, ...base } = BASE;
    expect(plan({})).to.deep.equal({
      ...base,
      terminal: false,
      args: ["ls", "-l"],
      env: ["PATH=/own", "HOSTNAME=h", "A=1", "GPU=all", "LANG=C", "HOME=/root"],
    });
  });
  it("has a terminal of the size that is asked for", () => {
    const { terminal, consoleSize, env } = plan({ tty: true }, { size: { rows: 3, columns: 4 } });
    expect({ terminal, consoleSize }).to.deep.equal({
      terminal: true,
      consoleSize: { height: 3, width: 4 },
    });
    expect(env).to.include("TERM=xterm");
  });
  it("is somebody else's, elsewhere, with more variables and without others", () => {
    const user = { uid: 7, gid: 8, additionalGids: [9], home: "/home/web" };
    const other = plan({ user: "web", workdir: "/tmp", env: ["A", "B=2"] }, { user });
    expect(other.user).to.deep.equal({ uid: 7, gid: 8, additionalGids: [9] });
    expect([other.cwd, other.env.includes("A=1")]).to.deep.equal(["/tmp", false]);
    expect(other.env).to.include.members(["B=2", "HOME=/home/web"]);
    expect(other.capabilities).to.deep.equal({
      bounding: ["CAP_KILL"],
      effective: [],
      permitted: [],
    });
  });
  it("may all that we may when it is privileged", () => {
    const { capabilities, apparmorProfile } = plan({ privileged: true });
    expect(capabilities.effective).to.deep.equal(["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
    expect(apparmorProfile).to.equal(undefined);
  });
});

describe("exec: its conmon", () => {
  const args = (tty: boolean, attached: boolean, isOpen: boolean) =>
    planExecConmonArgs({
      containerId: "abc",
      execId: "def",
      dir: "/e/def",
      runtimePath: "/usr/sbin/runc",
      runtimeRoot: "/e/runtime",
      tty,
      attached,
      input: { isOpen, endsWithClient: !tty },
    }).join(" ");
  const cases: { name: string; given: string; expected: RegExp }[] = [
    { name: "unattached", given: args(false, false, false), expected: /--no-sync-log$/ },
    { name: "input", given: args(false, true, true), expected: /--exec-attach --stdin$/ },
    {
      name: "a terminal",
      given: args(true, true, true),
      expected: /--exec-attach --terminal --stdin --leave-stdin-open$/,
    },
  ];
  for (const { name, given, expected } of cases)
    it(`is told of ${name}`, () => {
      expect(given).to.match(expected);
      expect(given).to.include("--cid abc --cuuid def").and.to.include("--bundle /e/def");
    });
});
