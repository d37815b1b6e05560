import { expect } from "chai";
import { checkLog } from "./log-options.ts";

describe("log: options", () => {
  const taken: { driver: string; options: Record<string, string> }[] = [
    { driver: "", options: {} },
    { driver: "json-file", options: { "max-size": "10m", "max-file": "3", compress: "false" } },
    { driver: "json-file", options: { labels: "a", "env-regex": "^A", tag: "{{.Name}}" } },
    { driver: "local", options: { "max-size": "1k", mode: "blocking" } },
    { driver: "journald", options: { tag: "{{.ImageName}}/{{.ID}}" } },
    { driver: "none", options: {} },
  ];
  for (const log of taken)
    it(`are taken: ${JSON.stringify(log)}`, () => expect(checkLog(log)).to.equal(undefined));

  const refused: { driver: string; options: Record<string, string>; says: string }[] = [
    { driver: "gelf", options: {}, says: "logger: no log driver named 'gelf' is registered" },
    { driver: "toString", options: {}, says: "no log driver named 'toString' is registered" },
    { driver: "", options: { x: "1" }, says: "unknown log opt 'x' for json-file log driver" },
    { driver: "local", options: { tag: "a" }, says: "unknown log opt 'tag' for local log driver" },
    { driver: "none", options: { tag: "a" }, says: "unknown log opt 'tag' for none log driver" },
    { driver: "journald", options: { env: "A" }, says: "log opt 'env' of journald is not support" },
    { driver: "", options: { compress: "true" }, says: "log opt 'compress' is not supported" },
    { driver: "", options: { compress: "hard" }, says: "invalid log option compress: hard" },
    { driver: "", options: { mode: "non-blocking" }, says: "non-blocking is not supported" },
    { driver: "", options: { mode: "lazy" }, says: "logger: logging mode not supported: lazy" },
    { driver: "", options: { "max-buffer-size": "1m" }, says: "only supported with 'mode=non" },
    { driver: "", options: { "labels-regex": "(" }, says: "error parsing regexp: '('" },
    { driver: "", options: { tag: "{{.Colour}}" }, says: "invalid log tag" },
    { driver: "", options: { "max-size": "much" }, says: "invalid log option max-size: much" },
    { driver: "", options: { "max-file": "0" }, says: "invalid log option max-file: 0" },
  ];
  for (const { says, ...log } of refused)
    it(`are refused: ${JSON.stringify(log)}`, () => expect(() => checkLog(log)).to.throw(says));
});
