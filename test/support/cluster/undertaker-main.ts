/**
 * Run as a process of its own: `node --import tsx undertaker-main.ts NAME`. Waits for the end of its standard input, which is the end
 * of whoever holds the other side, then removes the cluster of that name.
 */
import { once } from "node:events";
import { removeCluster } from "./remove-cluster.ts";

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error("cannot tend a cluster: no name is given");
process.stdin.resume();
await once(process.stdin, "close");
await removeCluster(name);
