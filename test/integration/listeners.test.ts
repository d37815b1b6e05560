import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ApiServer } from "../../api/http/server.ts";
import { silentLog } from "../../core/log.ts";
import { listenAt } from "../../daemon/listeners.ts";
import { failureOf } from "../support/failure-of.ts";

const PERMISSIONS = 0o777;

describe("integration: where the API listens", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-listeners-"));
  const path = join(folder, "api.sock");
  let server: ApiServer;
  beforeEach(() => {
    server = new ApiServer([], { version: "1" }, silentLog);
  });
  afterEach(() => server.close());
  after(() => rmSync(folder, { recursive: true }));

  const listen = (group: string, on = server) =>
    listenAt(on, [`unix://${path}`], { group, tls: undefined, log: silentLog });
  const found = () => {
    const { mode, gid } = statSync(path);
    return { mode: mode & PERMISSIONS, gid };
  };

  it("lets the socket be used by its group, and by root alone when there is none", async () => {
    const [, name = "", gid = ""] = /^(daemon|adm):[^:]*:(\d+):/m.exec(groups()) ?? [];
    await listen(name);
    expect(found()).to.deep.equal({ mode: 0o660, gid: Number(gid) });
    await server.close();
    await listen("no-such-group");
    expect(found()).to.include({ mode: 0o600 });
  });

  it("takes the place of a socket nobody serves, and not of one somebody does", async () => {
    rmSync(path, { force: true });
    writeFileSync(path, "");
    await listen("");
    const second = new ApiServer([], { version: "1" }, silentLog);
    const error = await failureOf(listen("", second));
    expect(error.message).to.equal(`cannot listen at unix://${path}: the address is in use`);
  });
});

function groups(): string {
  return readFileSync("/etc/group", "utf8");
}
