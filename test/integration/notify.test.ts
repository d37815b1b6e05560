import { closeSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { checked, libc } from "../../runtime/linux/libc.ts";
import { sendToUnixSocket } from "../../runtime/linux/notify.ts";

type Socket = (family: number, type: number, protocol: number) => number;
type Bind = (fd: number, address: Uint8Array, size: number) => number;
type Receive = (fd: number, bytes: Uint8Array, size: number, flags: number) => number;

const cSocket: Socket = libc.func("int socket(int, int, int)");
const cBind: Bind = libc.func("int bind(int, const uint8_t *, uint32_t)");
const cReceive: Receive = libc.func("intptr_t recv(int, _Out_ uint8_t *, size_t, int)");
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

describe("linux: datagrams to a service manager", () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-notify-"));
  after(() => rmSync(folder, { recursive: true }));

  /** What arrives at a socket of that name. */
  function received(name: string, send: () => void): string {
    const fd = checked(cSocket(AF_UNIX, SOCK_DGRAM, 0), "open a socket");
    try {
      const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
      checked(cBind(fd, address, address.length), "bind a socket");
      send();
      const buffer = Buffer.alloc(100);
      const size = checked(cReceive(fd, buffer, buffer.length, MSG_DONTWAIT), "receive");
      return buffer.subarray(0, size).toString();
    } finally {
      closeSync(fd);
    }
  }

  it("arrive by path and by abstract name", () => {
    const path = join(folder, "socket");
    expect(received(path, () => sendToUnixSocket(path, "READY=1"))).to.equal("READY=1");
    const name = `muster-test-${process.pid}`;
    expect(received(`\0${name}`, () => sendToUnixSocket(`@${name}`, "a"))).to.equal("a");
  });

  it("that nobody takes are an error", () => {
    expect(() => sendToUnixSocket(join(folder, "none"), "x")).to.throw(ClusterError, "ENOENT");
    for (const path of ["relative", "", `/${"x".repeat(200)}`])
      expect(() => sendToUnixSocket(path, "x")).to.throw(ClusterError, "not a path of a socket");
  });
});
