import { expect } from "chai";
import { applyChanges, type ConfigObject } from "./image-changes.ts";

describe("changes of an image's configuration", () => {
  const cases: { changes: string[]; before?: ConfigObject; expected: ConfigObject }[] = [
    { changes: ['CMD ["sh", "-x"]'], expected: { Cmd: ["sh", "-x"] } },
    { changes: ["cmd echo hi"], expected: { Cmd: ["/bin/sh", "-c", "echo hi"] } },
    { changes: ["CMD [ -f x ]"], expected: { Cmd: ["/bin/sh", "-c", "[ -f x ]"] } },
    {
      changes: ['CMD ["b"]', 'ENTRYPOINT ["a"]'],
      expected: { Cmd: ["b"], Entrypoint: ["a"] },
    },
    {
      changes: ['ENTRYPOINT ["a"]'],
      before: { Cmd: ["b"] },
      expected: { Entrypoint: ["a"], Cmd: null },
    },
    {
      changes: ['CMD ["c"]', 'ENTRYPOINT ["a"]'],
      before: { Cmd: ["b"] },
      expected: { Entrypoint: ["a"], Cmd: ["c"] },
    },
    {
      changes: ['ENV A=1 B="two words" C=x\\ y', "ENV D is the rest"],
      before: { Env: ["A=0", "Z=9"] },
      expected: { Env: ["A=1", "Z=9", "B=two words", "C=x y", "D=is the rest"] },
    },
    {
      changes: ["EXPOSE 80 443/udp 1000-1002"],
      expected: {
        ExposedPorts: {
          "80/tcp": {},
          "443/udp": {},
          "1000/tcp": {},
          "1001/tcp": {},
          "1002/tcp": {},
        },
      },
    },
    {
      changes: ["LABEL a=b 'c d'='e'\n# why\n\nLABEL __proto__=x"],
      before: { Labels: { k: "v" } },
      expected: { Labels: JSON.parse('{"k":"v","a":"b","c d":"e","__proto__":"x"}') },
    },
    {
      changes: ['VOLUME ["/a b"]', "VOLUME /c /d"],
      expected: { Volumes: { "/a b": {}, "/c": {}, "/d": {} } },
    },
    { changes: ["WORKDIR /a", "WORKDIR b/../c"], expected: { WorkingDir: "/a/c" } },
    {
      changes: ["USER www:www", "STOPSIGNAL SIGINT"],
      expected: { User: "www:www", StopSignal: "SIGINT" },
    },
    {
      changes: ["HEALTHCHECK --interval=1m30s --retries=3 CMD test -f /x"],
      expected: {
        Healthcheck: { Test: ["CMD-SHELL", "test -f /x"], Interval: 90e9, Retries: 3 },
      },
    },
    {
      changes: ["HEALTHCHECK NONE", 'HEALTHCHECK CMD ["true"]'],
      expected: { Healthcheck: { Test: ["CMD", "true"] } },
    },
    { changes: ["HEALTHCHECK NONE"], expected: { Healthcheck: { Test: ["NONE"] } } },
    { changes: ["ONBUILD RUN x y"], expected: { OnBuild: ["RUN x y"] } },
    {
      changes: ["ENV PATH=$PATH:/x A='$PATH' B=\"${NONE:-b}\"", "ENV C $B c", "LABEL of=${C}"],
      before: { Env: ["PATH=/bin"] },
      expected: {
        Env: ["PATH=/bin:/x", "A=$PATH", "B=b", "C=b c"],
        Labels: { of: "b c" },
      },
    },
    {
      changes: ["EXPOSE $P", "VOLUME $V", "USER $U", "WORKDIR ${V}/in", "CMD echo $P"],
      before: { Env: ["P=1 2", "V=/v", "U=me"] },
      expected: {
        Env: ["P=1 2", "V=/v", "U=me"],
        ExposedPorts: { "1/tcp": {}, "2/tcp": {} },
        Volumes: { "/v": {} },
        User: "me",
        WorkingDir: "/v/in",
        Cmd: ["/bin/sh", "-c", "echo $P"],
      },
    },
  ];
  for (const { changes, before = {}, expected } of cases) {
    it(changes.join("; "), () => expect(applyChanges(before, changes)).to.deep.equal(expected));
  }

  const refused: [string, RegExp][] = [
    ["RUN x", /^RUN is not a valid change command/],
    ["constructor x", /^constructor is not a valid change command$/],
    ["CMD", /CMD requires at least one argument/],
    ["EXPOSE 0", /invalid containerPort: 0/],
    ["EXPOSE 70000", /invalid containerPort/],
    ["ENV A", /ENV must have two arguments/],
    ["LABEL a=b c", /can't find = in "c"/],
    ['LABEL a="b', /looking for matching double-quote/],
    ["HEALTHCHECK true", /Unknown type "true" in HEALTHCHECK/],
    ["HEALTHCHECK --interval=1us CMD x", /give 1ms or more/],
    ["HEALTHCHECK --colour=1s CMD x", /unknown flag: colour/],
    ["HEALTHCHECK --retries=-1 CMD x", /--retries must be a whole number/],
    ["HEALTHCHECK CMD", /Missing command/],
    ["USER a b", /USER requires exactly one argument/],
    ["USER", /^USER requires exactly one argument$/],
    ["", /^file with no instructions$/],
    ["# why", /^file with no instructions$/],
    ["ONBUILD ONBUILD RUN x", /^Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed$/],
    ["ONBUILD from x", /^FROM isn't allowed as an ONBUILD trigger$/],
  ];
  for (const [change, message] of refused) {
    it(`refuse ${change}`, () => expect(() => applyChanges({}, [change])).to.throw(message));
  }
});
