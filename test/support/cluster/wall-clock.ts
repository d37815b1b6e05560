import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackPackages } from "../debian-packages.ts";

const SHARED_MEMORY = "/dev/shm";

/**
 * The wall clock of real daemons, which can be put forward while they run: libfaketime in their environment. Timers and
 * the monotonic clock go on as ever, as in a machine that slept.
 */
export class WallClock {
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  #shiftSeconds = 0;

  private constructor(library: string) {
    this.#folder = mkdtempSync(join(tmpdir(), "muster-clock-"));
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    this.#write();
  }

  static async make(): Promise<WallClock> {
    const libraries = join(await unpackPackages(["libfaketime"]), "usr/lib");
    const [triplet = ""] = readdirSync(libraries);
    return new WallClock(join(libraries, triplet, "faketime/libfaketimeMT.so.1"));
  }

  /** The daemons see it within a second. */
  forward(hours: number): void {
    this.#shiftSeconds += hours * 3600;
    this.#write();
  }

  nowMs(): number {
    return Date.now() + this.#shiftSeconds * 1000;
  }

  /** The daemons must have ended: what the library keeps for processes that were killed goes too. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    for (const name of readdirSync(SHARED_MEMORY)) {
      const [, pid] = /^(?:sem\.)?faketime_(?:sem|shm)_(\d+)$/.exec(name) ?? [];
      if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
        rmSync(join(SHARED_MEMORY, name), { force: true });
      }
    }
  }

  get #file(): string {
    return join(this.#folder, "shift");
  }

  #write(): void {
    writeFileSync(this.#file, `+${this.#shiftSeconds}\n`);
  }
}
