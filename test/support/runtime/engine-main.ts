/**
 * A process that opens an engine, starts containers and waits to be killed: `engine-main.ts BASE`. Prints the ids as JSON.
 *
 * `runs` runs on, `ends` ends by itself with code 7 when /stop/now appears in its volume.
 */
import { join } from "node:path";
import { busyboxConfig, openEngine } from "./engine-fixture.ts";

const base = process.argv[2] ?? "";
const engine = await openEngine({
  base,
  dataRoot: join(base, "data"),
  execRoot: join(base, "exec"),
});
const { containers } = engine;
const runs = await containers.create(
  busyboxConfig("runs", ["sh", "-c", "echo before; sleep 1000"]),
);
const ends = await containers.create(
  busyboxConfig("ends", ["sh", "-c", "until [ -e /stop/now ]; do sleep 0.05; done; exit 7"], {
    mounts: [
      {
        type: "volume",
        source: "stop",
        target: "/stop",
        readOnly: false,
        propagation: "",
        tmpfsSizeBytes: 0,
        tmpfsMode: 0,
        noCopy: false,
      },
    ],
  }),
);
await Promise.all([containers.start(runs.id), containers.start(ends.id)]);
process.stdout.write(`${JSON.stringify({ runs: runs.id, ends: ends.id })}\n`);
setInterval(() => {}, 1_000_000);
