import { expect } from "chai";
import { inRuncsWords } from "./runtime-words.ts";

describe("runtime: what crun says, in runc's words", () => {
  const cases = [
    {
      said: "executable file `gone` not found in $PATH: No such file or directory",
      expected:
        'exec failed: unable to start container process: exec: "gone": executable file not found in $PATH',
    },
    {
      said: "executable file `/bin/gone` not found in $PATH: No such file or directory",
      expected:
        'exec failed: unable to start container process: exec: "/bin/gone": stat /bin/gone: no such file or directory',
    },
    {
      said: "open executable: Operation not permitted",
      expected: 'exec failed: unable to start container process: exec: "web": permission denied',
    },
    {
      said: "open executable: Permission denied",
      expected: 'exec failed: unable to start container process: exec: "web": permission denied',
    },
    {
      said: "chdir `/etc/text`: Not a directory",
      expected:
        'exec failed: unable to start container process: chdir to cwd ("/etc/text") set in config.json failed: not a directory',
    },
    {
      said: "mount `/a` to `b`: No such file or directory",
      expected: "mount `/a` to `b`: no such file or directory",
    },
    {
      said: 'runc create failed: unable to start container process: exec: "x": permission denied',
      expected:
        'runc create failed: unable to start container process: exec: "x": permission denied',
    },
    { said: "unknown version specified", expected: "unknown version specified" },
  ];
  for (const { said, expected } of cases)
    it(said, () => expect(inRuncsWords(said, "web", "exec")).to.equal(expected));
});
