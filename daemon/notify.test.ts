import { expect } from "chai";
import { takeListenFds } from "./notify.ts";

describe("daemon: sockets of systemd", () => {
  const CASES: readonly [string, NodeJS.ProcessEnv, number[]][] = [
    ["one", { LISTEN_FDS: "1", LISTEN_PID: "7" }, [3]],
    ["two", { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "a:b" }, [3, 4]],
    ["those of another process", { LISTEN_FDS: "1", LISTEN_PID: "8" }, []],
    ["none", {}, []],
    ["nonsense", { LISTEN_FDS: "x", LISTEN_PID: "7" }, []],
    ["too many", { LISTEN_FDS: "99", LISTEN_PID: "7" }, []],
  ];
  for (const [name, env, expected] of CASES)
    it(`${name}: ${expected}, and children know nothing of them`, () => {
      expect(takeListenFds(env, 7)).to.deep.equal(expected);
      expect(env).to.deep.equal({});
    });
});
