import { expect } from "chai";
import { writeEach } from "./df-each.ts";

describe("system df -v", () => {
  it("has a table for each kind", () => {
    const text = writeEach(
      {
        Images: [
          {
            ...{ Id: "sha256:0123456789abcdef", RepoTags: ["host:5000/web:1"], Containers: 1 },
            ...{ Created: 0, Size: 3000, SharedSize: 1000 },
          },
          { Id: "a", RepoTags: null, Created: 0, Size: 1, SharedSize: -1, Containers: 0 },
        ],
        Containers: [
          {
            ...{ Id: "0123456789abcdef", Image: "web", Command: "sleep 1000 and then some" },
            ...{ Created: 0, Status: "Up", Names: ["/a"], Mounts: [{ Type: "volume" }] },
          },
        ],
        Volumes: [{ Name: "data", UsageData: { Size: 10, RefCount: 2 } }],
      },
      60_000,
    );
    expect(text.split("\n").map((line) => line.replaceAll(/ {3,}/g, " | "))).to.deep.equal([
      ...["Images space usage:", ""],
      "REPOSITORY | TAG | IMAGE ID | CREATED | SIZE | SHARED SIZE | UNIQUE SIZE | CONTAINERS",
      "host:5000/web | 1 | 0123456789ab | About a minute ago | 3kB | 1kB | 2kB | 1",
      "<none> | <none> | a | About a minute ago | 1B | 0B | 1B | 0",
      ...["", "Containers space usage:", ""],
      "CONTAINER ID | IMAGE | COMMAND | LOCAL VOLUMES | SIZE | CREATED | STATUS | NAMES",
      '0123456789ab | web | "sleep 1000 and then…" | 1 | 0B | About a minute ago | Up | a',
      ...["", "Local Volumes space usage:", "", "VOLUME NAME | LINKS | SIZE", "data | 2 | 10B"],
      ...["", "Build cache usage: 0B", ""],
      ...["CACHE ID | CACHE TYPE | SIZE | CREATED | LAST USED | USAGE | SHARED", ""],
    ]);
  });
});
