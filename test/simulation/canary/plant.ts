import { register } from "node:module";
import { CANARIES } from "./canaries.ts";

// Loaded before everything else (`node --import`): plants the canary named by CANARY.
const name = process.env.CANARY ?? "";
const canary = CANARIES[name];
if (canary === undefined) throw new Error(`there is no canary ${JSON.stringify(name)}`);
register("./planting-loader.ts", import.meta.url, { data: canary });
