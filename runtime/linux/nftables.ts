import koffi, { type LibraryHandle } from "koffi";
import { ClusterError } from "../../core/errors.ts";
import { withoutSignals } from "./signals.ts";

/** libnftables: nft's own commands without starting nft. */

type Context = { readonly __brand: "nft_ctx" };
type Create = (flags: number) => Context | null;
type Free = (context: Context) => void;
type Run = (context: Context, commands: string) => number;
type Toggle = (context: Context) => number;
type Read = (context: Context) => string;
type SetFlags = (context: Context, flags: number) => void;

interface Library {
  readonly create: Create;
  readonly free: Free;
  readonly run: Run;
  readonly bufferOutput: Toggle;
  readonly bufferError: Toggle;
  readonly readOutput: Read;
  readonly readError: Read;
  readonly setOutputFlags: SetFlags;
}

let loaded: Library | undefined;

/** Loaded when first needed: a machine that runs no container of a swarm can do without. */
function library(): Library {
  loaded ??= load();
  return loaded;
}

/** @throws {ClusterError} `FailedPrecondition` when the library is not installed. */
function load(): Library {
  const handle = openLibrary();
  koffi.opaque("nft_ctx");
  return {
    create: handle.func("nft_ctx *nft_ctx_new(uint32_t flags)"),
    free: handle.func("void nft_ctx_free(nft_ctx *context)"),
    run: handle.func("int nft_run_cmd_from_buffer(nft_ctx *context, const char *commands)"),
    bufferOutput: handle.func("int nft_ctx_buffer_output(nft_ctx *context)"),
    bufferError: handle.func("int nft_ctx_buffer_error(nft_ctx *context)"),
    readOutput: handle.func("const char *nft_ctx_get_output_buffer(nft_ctx *context)"),
    readError: handle.func("const char *nft_ctx_get_error_buffer(nft_ctx *context)"),
    setOutputFlags: handle.func("void nft_ctx_output_set_flags(nft_ctx *context, uint32_t flags)"),
  };
}

function openLibrary(): LibraryHandle {
  try {
    return koffi.load(LIBRARY);
  } catch (cause) {
    const message = `cannot load ${LIBRARY}: install the Debian package libnftables1`;
    throw new ClusterError("FailedPrecondition", message, { cause });
  }
}

const LIBRARY = "libnftables.so.1";
/** Listings without counters and what rules have put into sets, so that equal tables give equal text. */
const OUTPUT_STATELESS = 1 << 2;
/** `# handle 7` behind each object: what rules are deleted by. */
const OUTPUT_HANDLE = 1 << 3;
const LISTING = OUTPUT_STATELESS | OUTPUT_HANDLE;
const ERROR_CHARS_MAX = 2000;

/**
 * nftables of one network namespace: the one that was current when it was made, for as long as it lives.
 *
 * NOTE: freeing a context right after a transaction waits 6–18 ms in the kernel for the old rules to be destroyed, and
 * 0.1 ms a little later. Keep the context while the namespace lives and close it when nothing was written for a while.
 */
export class Nftables {
  readonly #context: Context;

  constructor() {
    const { create, bufferOutput, bufferError, setOutputFlags } = library();
    const context = create(0);
    if (context === null)
      throw new ClusterError("ResourceExhausted", "cannot open nftables: no memory");
    this.#context = context;
    bufferOutput(context);
    bufferError(context);
    setOutputFlags(context, LISTING);
  }

  /**
   * Carries out commands as one transaction: all or none.
   *
   * @returns what they print.
   * @throws {ClusterError} `Internal` with nft's words.
   */
  run(commands: string): string {
    const result = this.#execute(commands);
    if (result.done) return result.output;
    const words = result.error.trim().slice(0, ERROR_CHARS_MAX);
    throw new ClusterError("Internal", `cannot change nftables: ${words}`);
  }

  /** The table's text with handles; undefined when there is none. `family` as nft spells it: "ip", "inet". */
  findTable(family: string, table: string): string | undefined {
    const result = this.#execute(`list table ${family} ${table}`);
    return result.done ? result.output : undefined;
  }

  /** Whether a set that rules fill has an element. */
  hasElements(family: string, table: string, set: string): boolean {
    const { setOutputFlags } = library();
    setOutputFlags(this.#context, 0);
    const result = this.#execute(`list set ${family} ${table} ${set}`);
    setOutputFlags(this.#context, LISTING);
    return result.output.includes("elements");
  }

  close(): void {
    library().free(this.#context);
  }

  /** Reads both buffers each time: a stream not flushed is flushed at exit, when the library is gone, and crashes. */
  #execute(commands: string): { done: boolean; output: string; error: string } {
    const { run, readOutput, readError } = library();
    // Interrupted, it would report a failure of a transaction that the kernel has made.
    const done = withoutSignals(() => run(this.#context, commands)) === 0;
    return { done, output: readOutput(this.#context), error: readError(this.#context) };
  }
}
