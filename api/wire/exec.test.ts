import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { readConsoleSize, readExecCreate, readExecStart, writeExec } from "./exec.ts";

describe("wire: exec", () => {
  it("reads what clients send, and shows it again", () => {
    const config = readExecCreate({
      Cmd: ["sh", "-c", "ls"],
      Env: null,
      User: "web",
      Tty: true,
      AttachStdout: true,
      DetachKeys: "ctrl-a",
    });
    expect(
      writeExec({ id: "e", containerId: "c", config, state: "exited", pid: 3, exitCode: 4 }),
    ).to.deep.equal({
      ID: "e",
      Running: false,
      ExitCode: 4,
      ProcessConfig: {
        tty: true,
        entrypoint: "sh",
        arguments: ["-c", "ls"],
        privileged: false,
        user: "web",
      },
      OpenStdin: false,
      OpenStderr: false,
      OpenStdout: true,
      CanRemove: false,
      ContainerID: "c",
      DetachKeys: "Y3RybC1h",
      Pid: 3,
    });
  });

  const badBodies: unknown[] = [
    {},
    { Cmd: [] },
    { Cmd: [1] },
    { Cmd: ["a"], Env: "A=1" },
    { Cmd: ["a"], Tty: 1 },
    { Cmd: ["a"], User: 0 },
    [],
  ];
  for (const body of badBodies)
    it(`refuses ${JSON.stringify(body)}`, () =>
      expect(() => readExecCreate(body)).to.throw(ClusterError));

  const starts: { body: unknown; expected: unknown }[] = [
    { body: {}, expected: { detach: false, size: undefined } },
    { body: { Detach: true, ConsoleSize: null }, expected: { detach: true, size: undefined } },
    { body: { ConsoleSize: [0, 0] }, expected: { detach: false, size: undefined } },
    { body: { ConsoleSize: [2, 3] }, expected: { detach: false, size: { rows: 2, columns: 3 } } },
  ];
  for (const { body, expected } of starts)
    it(`a start of ${JSON.stringify(body)}`, () =>
      expect(readExecStart(body)).to.deep.equal(expected));
  for (const size of [[1], [1, 2, 3], [-1, 2], [1.5, 2], ["1", 2], [65_536, 1], "1"])
    it(`refuses the size ${JSON.stringify(size)}`, () =>
      expect(() => readExecStart({ ConsoleSize: size })).to.throw(ClusterError));

  it("reads a window's size", () =>
    expect(readConsoleSize(new URLSearchParams("h=3&w=4"))).to.deep.equal({ rows: 3, columns: 4 }));
  for (const query of ["", "h=1", "w=1", "h=-1&w=1", "h=1&w=1e3", "h=65536&w=1", "h=1&w=x"])
    it(`refuses the window ${JSON.stringify(query)}`, () =>
      expect(() => readConsoleSize(new URLSearchParams(query))).to.throw(
        ClusterError,
        /^invalid resize (height|width)/,
      ));
});
