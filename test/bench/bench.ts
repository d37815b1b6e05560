import { benchCommit } from "./commit.ts";
import { benchEngine } from "./engine.ts";
import { benchFailover } from "./failover.ts";
import { benchStart } from "./start.ts";

/** Each prints a table and, as its last line, one JSON object. */
const BENCHES: Readonly<Record<string, () => Promise<void>>> = {
  start: benchStart,
  engine: benchEngine,
  commit: benchCommit,
  failover: benchFailover,
};

const [name = ""] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench === undefined) {
  process.stderr.write(
    `usage: npm run bench -- NAME, one of: ${Object.keys(BENCHES).join(", ")}\n`,
  );
  process.exitCode = 1;
} else {
  await bench();
}
