import { join } from "node:path";
import { unpackPackages } from "./debian-packages.ts";

/** What Python's packages need: each other, and libraries. */
const FOLLOW = /^(lib|zlib|python3)/;

/** How Debian's Python is run from where it was unpacked, without being installed. */
export interface Python {
  /** Words before a script's path or `-c`. */
  readonly command: readonly string[];
  /** Debian's Compose, the one written in Python: its script. */
  readonly composeScript: string;
}

/** Docker's client library for Python and the Compose made with it, as Debian has them. */
export async function pythonClients(): Promise<Python> {
  const root = await unpackPackages(["docker-compose"], { withLibraries: true, follow: FOLLOW });
  const environment = [
    `PYTHONHOME=${root}/usr`,
    `PYTHONPATH=${root}/usr/lib/python3/dist-packages`,
    `LD_LIBRARY_PATH=${root}/usr/lib/x86_64-linux-gnu:${root}/lib/x86_64-linux-gnu`,
    "PYTHONDONTWRITEBYTECODE=1",
  ];
  return {
    command: ["env", ...environment, join(root, "usr/bin/python3")],
    composeScript: join(root, "usr/bin/docker-compose"),
  };
}
