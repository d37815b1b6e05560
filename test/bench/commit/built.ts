import { register } from "node:module";

// Loaded before everything else (`node --import`). What tsx makes of the sources is slower: each function is given its
// name again whenever it is made.
register("./built-loader.ts", import.meta.url);
