import { ClusterError } from "../../core/errors.ts";
import type { Platform } from "../backends/images.ts";
import { JsonReader } from "../http/json-reader.ts";

const PART = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const SHOWN_LENGTH_MAX = 200;
const SYSTEMS = ["linux", "windows", "darwin", "freebsd"];
/** Other people's words for processors. Source: containerd, platforms/database.go. */
const ARCHITECTURES: Readonly<Record<string, readonly [string, string]>> = {
  x86_64: ["amd64", ""],
  "x86-64": ["amd64", ""],
  i386: ["386", ""],
  aarch64: ["arm64", ""],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

/**
 * Reads `os[/arch[/variant]]`, or an architecture alone; empty parts are this machine's. Undefined for the empty text.
 *
 * @throws {ClusterError} `InvalidArgument`, in the words of containerd.
 */
export function parsePlatform(text: string): Platform | undefined {
  if (text === "") return undefined;
  const parts = text.split("/");
  const shown = JSON.stringify(text.slice(0, SHOWN_LENGTH_MAX));
  if (text.includes("*")) throw invalid(`${shown}: wildcards not yet supported`);
  const wrong = parts.find((part) => !PART.test(part));
  if (wrong !== undefined)
    throw invalid(
      `${JSON.stringify(wrong.slice(0, SHOWN_LENGTH_MAX))} is an invalid component of ${shown}: platform specifier component must match "^[A-Za-z0-9_.-]+$"`,
    );
  if (parts.length > 3) throw invalid(`${shown}: cannot parse platform specifier`);
  const [first = "", second = "", third = ""] = parts.map((part) => part.toLowerCase());
  if (parts.length > 1) return { os: first, ...architectureOf(second, third) };
  if (SYSTEMS.includes(first)) return { os: first, architecture: "", variant: "" };
  return { os: "linux", ...architectureOf(first, "") };
}

/** The same as JSON of an OCI platform, as clients send it where an image that is here is meant. */
export function readPlatformJson(text: string): Platform | undefined {
  if (text === "") return undefined;
  try {
    const fields = new JsonReader(JSON.parse(text), "platform");
    const [os, architecture] = [fields.string("os"), fields.string("architecture")];
    return { os, architecture, variant: fields.string("variant") };
  } catch (cause) {
    throw new ClusterError(
      "InvalidArgument",
      `failed to parse platform: not a JSON object of os, architecture and variant`,
      { cause },
    );
  }
}

/** Whether an image is for what was asked; an empty part asks for any. */
export function isPlatform(actual: Platform, wanted: Platform): boolean {
  const fits = (name: keyof Platform) => wanted[name] === "" || wanted[name] === actual[name];
  return fits("os") && fits("architecture") && (fits("variant") || actual.variant === "");
}

/** Docker's words for an image that is for another platform than was asked for. */
export function platformMismatch(ref: string, actual: Platform, wanted: Platform): string {
  const [is, other] = [formatPlatform(actual), formatPlatform(wanted)];
  return `image with reference ${ref} was found but its platform (${is}) does not match the specified platform (${other})`;
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== "").join("/");
}

function invalid(reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `${reason}: invalid argument`);
}

function architectureOf(word: string, variant: string): Omit<Platform, "os"> {
  const [architecture, implied] = ARCHITECTURES[word] ?? [word, ""];
  return { architecture, variant: variant || implied };
}
