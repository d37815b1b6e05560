import { readFileSync, statSync, writeSync } from "node:fs";
import { basename } from "node:path";
import koffi from "koffi";
import { checked, libc } from "./libc.ts";

type MemfdCreate = (name: string, flags: number) => number;
type Fcntl = (fd: number, command: number, seals: number) => number;
const cMemfdCreate: MemfdCreate = libc.func(
  "int memfd_create(const char *name, unsigned int flags)",
);
const cFcntl: Fcntl = libc.func("int fcntl(int fd, int command, int seals)");

/** MFD_CLOEXEC and MFD_ALLOW_SEALING. */
const SEALABLE = 1 | 2;
/** Since Linux 6.3, where the machine may have copies without it not run. */
const MFD_EXEC = 16;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE. */
const ALL_SEALS = 1 | 2 | 4 | 8;
const EINVAL = 22;

/**
 * A program started from a copy in memory that nobody can ever change.
 *
 * An OCI runtime that is started from its file makes such a copy itself each time and starts once more from it, so that no
 * container can reach the file through `/proc/self/exe` (CVE-2019-5736). Here the copy is made once.
 */
export class SealedProgram {
  readonly #file: string;
  #copy: { readonly fd: number; readonly of: string } | undefined;

  /** @param file absolute path of the program. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * What to start it by, good as long as this process runs: the copy, made anew when the file is another than before; the
   * file where the kernel gives no such copy.
   */
  get path(): string {
    const { ino, mtimeMs, size } = statSync(this.#file);
    const of = `${ino} ${mtimeMs} ${size}`;
    if (this.#copy?.of !== of) {
      const fd = sealedCopy(this.#file);
      if (fd === undefined) return this.#file;
      // The one before stays open: somebody may just be starting it.
      this.#copy = { fd, of };
    }
    return `/proc/${process.pid}/fd/${this.#copy.fd}`;
  }
}

/** Undefined when this machine forbids programs in memory, as `vm.memfd_noexec` does. */
function sealedCopy(file: string): number | undefined {
  const name = basename(file);
  let fd = cMemfdCreate(name, SEALABLE | MFD_EXEC);
  if (fd === -1 && koffi.errno() === EINVAL) fd = cMemfdCreate(name, SEALABLE);
  if (fd === -1) return undefined;
  const content = readFileSync(file);
  for (let written = 0; written < content.length; ) written += writeSync(fd, content, written);
  checked(cFcntl(fd, F_ADD_SEALS, ALL_SEALS), `seal the copy of ${file}`);
  return fd;
}
