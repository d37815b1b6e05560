import { existsSync } from "node:fs";
import { arch } from "node:os";
import { libc } from "./libc.ts";

/** Which kinds of programs this kernel can run besides its own. */

const cSyscall: (number: number) => number = libc.func("intptr_t syscall(long number)");

/** getpid by the x32 table: harmless where it works. */
const X32_GETPID = 0x4000_0000 + 39;
/** There when the kernel was built to run 32-bit x86 programs. */
const IA32_SETTING = "/proc/sys/abi/vsyscall32";

/** Foreign architectures, in libseccomp's spelling, whose system calls this kernel does not have at all. */
export function absentArchitectures(): string[] {
  if (arch() !== "x64") return [];
  const absent: string[] = [];
  if (cSyscall(X32_GETPID) === -1) absent.push("SCMP_ARCH_X32");
  if (!existsSync(IA32_SETTING)) absent.push("SCMP_ARCH_X86");
  return absent;
}
