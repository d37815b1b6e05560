import { expect } from "chai";
import type { Command } from "commander";
import { newProgram } from "../program.ts";
import { createSpec, type Options, updateSpec } from "./spec.ts";

/** Parses a command line as `muster` does and hands over what its action gets. */
async function parse(
  verb: "create" | "update",
  line: string[],
): Promise<{ args: unknown[]; options: Options }> {
  const context = {
    client: () => expect.fail("no daemon here"),
    print() {},
    warn() {},
    isTerminal: false,
    interrupt: new AbortController().signal,
  };
  const program = await newProgram(context, "0", () => {});
  const command = program.commands.find(
    ({ _name }: Command & { _name?: string }) => _name === "service",
  );
  const found = command?.commands.find((child) => child.name() === verb);
  let seen: { args: unknown[]; options: Options } | undefined;
  found?.action((...given: unknown[]) => {
    seen = { args: given.slice(0, -2), options: given.at(-2) as Options };
  });
  await program.parseAsync(["service", verb, ...line], { from: "user" });
  return seen ?? expect.fail("the action did not run");
}

describe("cli: service create", () => {
  it("turns Docker's command line into a spec", async () => {
    const line = [
      "--name",
      "web",
      "--replicas=3",
      "-p",
      "8080:80",
      "-e",
      "A=1",
      "-e",
      "A=2",
      "--limit-memory",
      "64m",
    ];
    const { args, options } = await parse("create", [
      ...line,
      "--health-cmd",
      "true",
      "nginx",
      "sh",
      "-c",
      "ls",
      "--env",
      "X",
    ]);
    expect(createSpec(String(args[0]), args[1] as string[], options)).to.deep.equal({
      Name: "web",
      TaskTemplate: {
        ContainerSpec: {
          Image: "nginx",
          Args: ["sh", "-c", "ls", "--env", "X"],
          Healthcheck: { Test: ["CMD-SHELL", "true"] },
          Env: ["A=2"],
        },
        Resources: { Limits: { MemoryBytes: 64 * 1024 * 1024 } },
      },
      Mode: { Replicated: { Replicas: 3 } },
      EndpointSpec: {
        Ports: [{ Protocol: "tcp", TargetPort: 80, PublishMode: "ingress", PublishedPort: 8080 }],
      },
    });
  });

  const refused: { name: string; line: string[]; message: string }[] = [
    {
      name: "negative replicas",
      line: ["--replicas=-1", "a"],
      message: "invalid number of replicas '-1'",
    },
    {
      name: "fractional replicas",
      line: ["--replicas=1.5", "a"],
      message: "must be a whole number",
    },
    { name: "huge replicas", line: ["--replicas=99999999999999999999", "a"], message: "too large" },
    {
      name: "replicas of a global service",
      line: ["--mode=global", "--replicas=2", "a"],
      message: "only be used with replicated",
    },
    { name: "an unknown mode", line: ["--mode=x", "a"], message: "invalid mode 'x'" },
    { name: "port 0", line: ["-p", "0:80", "a"], message: "'0' is not a port" },
    { name: "port 65536", line: ["-p", "65536", "a"], message: "'65536' is not a port" },
    {
      name: "a host address",
      line: ["-p", "127.0.0.1:80:80", "a"],
      message: "a host address is not supported",
    },
    { name: "ranges that differ", line: ["-p", "80-81:90", "a"], message: "the ranges differ" },
    {
      name: "a bad duration",
      line: ["--restart-delay", "5", "a"],
      message: "invalid duration '5'",
    },
    { name: "a bad size", line: ["--limit-memory", "64q", "a"], message: "invalid size '64q'" },
    {
      name: "a mount without target",
      line: ["--mount", "type=bind,source=/a", "a"],
      message: "target=PATH is missing",
    },
    {
      name: "an unknown mount key",
      line: ["--mount", "bogus=1", "a"],
      message: "'bogus' is not one of",
    },
    { name: "a label without key", line: ["-l", "=x", "a"], message: "write it like key=value" },
  ];
  for (const { name, line, message } of refused) {
    it(`refuses ${name}`, async () => {
      const { args, options } = await parse("create", line);
      expect(() => createSpec(String(args[0]), [], options)).to.throw(message);
    });
  }
});

describe("cli: service update", () => {
  const current = () =>
    createSpec("nginx:1", [], { env: ["A=1", "B=2"], publish: ["80", "81"], name: "web" });

  it("changes what the flags name and nothing else", async () => {
    const line = [
      "web",
      "--image",
      "nginx:2",
      "--env-rm",
      "A",
      "--env-add",
      "C=3",
      "--publish-rm",
      "80",
      "--force",
    ];
    const { options } = await parse("update", line);
    const spec = updateSpec(current(), options);
    expect(spec.TaskTemplate.ContainerSpec).to.deep.equal({
      Image: "nginx:2",
      Env: ["B=2", "C=3"],
    });
    expect(spec.EndpointSpec?.Ports?.map((port) => port.TargetPort)).to.deep.equal([81]);
    expect(spec.TaskTemplate.ForceUpdate).to.equal(1);
    expect(spec.Mode).to.deep.equal({ Replicated: { Replicas: 1 } });
  });

  it("leaves the spec it was given alone", () => {
    const before = current();
    updateSpec(before, { envAdd: ["X=1"], replicas: "7" });
    expect(before).to.deep.equal(current());
  });

  it("refuses replicas for a global service", () => {
    const spec = createSpec("a", [], { mode: "global", name: "g" });
    expect(() => updateSpec(spec, { replicas: "2" })).to.throw(
      "cannot scale g: it is not a replicated service",
    );
  });
});
