import { expect } from "chai";
import { cannotBeShallow, gitCommands, gitEnvironment } from "./git-plan.ts";

describe("build: what git is told", () => {
  it("names everything foreign behind the end of options", () => {
    const commands = gitCommands({ url: "https://h/r.git", ref: "v1" }, "/work");
    for (const words of [commands.shallow, commands.whole]) {
      expect(words.slice(-3)).to.deep.equal(["--", "https://h/r.git", "v1"]);
      expect(words.slice(0, -3).join(" ")).to.not.contain("h/r.git");
    }
    expect(commands.shallow).to.include("--depth=1");
    expect(commands.whole).to.not.include("--depth=1");
    expect(gitCommands({ url: "u", ref: "" }, "/work").shallow.at(-1)).to.equal("HEAD");
  });

  it("speaks no protocol but those of networks, and asks nobody", () => {
    const env = gitEnvironment({ PATH: "/bin", http_proxy: "p", HOME: "/root", GIT_SSH: "x" });
    expect(env).to.include({ PATH: "/bin", http_proxy: "p", GIT_ALLOW_PROTOCOL: "http:https:git" });
    expect(env).to.include({ GIT_TERMINAL_PROMPT: "0", HOME: "/nonexistent" });
    expect(env).to.not.have.property("GIT_SSH");
  });

  it("tells a server that cannot give a part from one that has nothing", () => {
    expect(cannotBeShallow("fatal: dumb http transport does not support shallow capabilities")).to
      .be.true;
    expect(cannotBeShallow("fatal: repository not found")).to.be.false;
  });
});
