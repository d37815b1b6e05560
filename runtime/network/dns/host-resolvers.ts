import { readFileSync } from "node:fs";
import type { Clock } from "../../../core/clock.ts";
import { parseResolvConf, type ResolvConf } from "./resolv-conf.ts";

const PATH = "/etc/resolv.conf";
/** DHCP may write another one at any time. */
const FRESH_MS = 5000;

/** The machine's own name servers, as of a few seconds ago. */
export class HostResolvers {
  readonly #clock: Clock;
  readonly #path: string;
  #read: { readonly atMs: number; readonly conf: ResolvConf } | undefined;

  constructor(clock: Clock, path = PATH) {
    this.#clock = clock;
    this.#path = path;
  }

  get(): ResolvConf {
    const nowMs = this.#clock.monotonicMs();
    if (this.#read === undefined || nowMs - this.#read.atMs > FRESH_MS)
      this.#read = { atMs: nowMs, conf: parseResolvConf(this.#text()) };
    return this.#read.conf;
  }

  /** A machine without the file has no name servers. */
  #text(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
      throw error;
    }
  }
}
