import type { Platform } from "../../image/types.ts";

const PART = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** `os/architecture[/variant]` or an operating system alone; undefined: it is none. */
export function parsePlatformText(text: string): Platform | undefined {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || !parts.every((part) => PART.test(part))) return undefined;
  const [os = "", architecture = "", variant = ""] = parts;
  return { os, architecture, variant };
}
