import type { OciDeviceRule } from "./oci-spec.ts";

/**
 * Which devices a container may open: none but the harmless ones. The runtime adds those it makes itself (terminals).
 *
 * Source: moby, daemon/pkg/oci/defaults.go.
 */
export const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: "rwm" },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
];

function character(major: number, minor: number): OciDeviceRule {
  return { allow: true, type: "c", major, minor, access: "rwm" };
}
