import { libc } from "./libc.ts";

const setMask = libc.func(
  "int pthread_sigmask(int how, const uint8_t *set, _Out_ uint8_t *before)",
);

const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
/** Of a glibc sigset_t. */
const SIGSET_BYTES = 128;
const ALL_SIGNALS = Buffer.alloc(SIGSET_BYTES, 0xff);

/**
 * Runs `work` with all signals held back from this thread; they come when it is done.
 *
 * For calls into libraries that give up half-way when a signal comes (EINTR): what they were doing in the kernel may be
 * done or not. `work` must be short and must not wait for anything but the kernel.
 */
export function withoutSignals<T>(work: () => T): T {
  const before = Buffer.alloc(SIGSET_BYTES);
  setMask(SIG_BLOCK, ALL_SIGNALS, before);
  try {
    return work();
  } finally {
    setMask(SIG_SETMASK, before, Buffer.alloc(SIGSET_BYTES));
  }
}
