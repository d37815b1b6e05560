import { ClusterError } from "../../core/errors.ts";
import type { IndexEntry } from "./manifest.ts";
import type { Platform } from "./types.ts";

/** Node's word for a processor → Go's, which images use. */
const ARCHITECTURES: Readonly<Record<string, { architecture: string; variant: string }>> = {
  x64: { architecture: "amd64", variant: "" },
  ia32: { architecture: "386", variant: "" },
  arm64: { architecture: "arm64", variant: "v8" },
  arm: { architecture: "arm", variant: "v7" },
  ppc64: { architecture: "ppc64le", variant: "" },
  loong64: { architecture: "loong64", variant: "" },
  riscv64: { architecture: "riscv64", variant: "" },
  s390x: { architecture: "s390x", variant: "" },
};
const ARM_VARIANTS = ["v8", "v7", "v6", "v5"];

/** The platform of a machine, from Node's `process.arch`. */
export function platformOf(nodeArchitecture: string): Platform {
  const known = ARCHITECTURES[nodeArchitecture];
  return { os: "linux", ...(known ?? { architecture: nodeArchitecture, variant: "" }) };
}

/** The platform with its empty parts as on `own`; a variant belongs to its architecture. */
export function completePlatform(wanted: Platform, own: Platform): Platform {
  const os = wanted.os || own.os;
  if (wanted.architecture === "") return { ...own, os };
  return { ...wanted, os };
}

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== "").join("/");
}

/**
 * Chooses the image of an index that runs best on `wanted`.
 *
 * @throws {ClusterError} NotFound, which says what there is.
 * Source: containerd, platforms, "Only".
 */
export function selectPlatform(entries: readonly IndexEntry[], wanted: Platform): IndexEntry {
  for (const candidate of runnablePlatforms(wanted)) {
    const entry = entries.find(({ platform }) => platform && samePlatform(platform, candidate));
    if (entry) return entry;
  }
  const known = entries.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
  throw new ClusterError(
    "NotFound",
    `no image for ${formatPlatform(wanted)}; there is ${known.join(", ") || "none at all"}`,
  );
}

/** Platforms whose programs run on `platform`, best first. */
function runnablePlatforms(platform: Platform): readonly Platform[] {
  const { os, architecture } = platform;
  if (architecture === "amd64")
    return [platform, { os, architecture, variant: "" }, { os, architecture: "386", variant: "" }];
  if (architecture === "arm64") {
    const arm = ARM_VARIANTS.map((variant) => ({ os, architecture: "arm", variant }));
    return [platform, { os, architecture, variant: "v8" }, ...arm];
  }
  if (architecture !== "arm") return [platform];
  const from = Math.max(0, ARM_VARIANTS.indexOf(platform.variant || "v7"));
  return ARM_VARIANTS.slice(from).map((variant) => ({ os, architecture, variant }));
}

function samePlatform(a: Platform, b: Platform): boolean {
  return (
    a.os === b.os && a.architecture === b.architecture && defaultVariant(a) === defaultVariant(b)
  );
}

/** Builders leave out the variant everybody has. */
function defaultVariant({ architecture, variant }: Platform): string {
  if (architecture === "arm64") return variant || "v8";
  if (architecture === "arm") return variant || "v7";
  if (architecture === "amd64") return variant === "v1" ? "" : variant;
  return variant;
}
