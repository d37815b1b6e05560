import { readFileSync } from "node:fs";
import type { InitializeHook, LoadHook } from "node:module";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Canary } from "./canaries.ts";

let canary: Canary;

export const initialize: InitializeHook<Canary> = (data) => {
  canary = data;
};

/** Loads one file changed, every other as it is. */
export const load: LoadHook = async (url, context, nextLoad) => {
  if (!url.startsWith("file:") || !new URL(url).pathname.endsWith(`/${canary.file}`)) {
    return nextLoad(url, context);
  }
  const text = readFileSync(fileURLToPath(new URL(new URL(url).pathname, "file:")), "utf8");
  const [before, after, ...more] = text.split(canary.find);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${canary.file} does not have this text once: ${canary.find}`);
  }
  const { outputText } = ts.transpileModule(before + canary.replace + after, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return { format: "module", source: outputText, shortCircuit: true };
};
