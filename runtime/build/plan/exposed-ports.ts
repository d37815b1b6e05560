import { invalid } from "../../../core/shell-words/invalid.ts";

const PORT_MAX = 65_535;
const SPEC = /^(?:(?:.*:)?[\d-]*:)?(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/;
const PROTOCOLS = ["tcp", "udp", "sctp"];

/**
 * Ports of EXPOSE, as `80/tcp` each. An address and a port of the host before them mean nothing to an image.
 *
 * @throws {ClusterError} InvalidArgument. Docker's words.
 */
export function readExposedPorts(specs: readonly string[]): readonly string[] {
  const ports = specs.flatMap(readSpec);
  return [...new Set(ports)];
}

function readSpec(spec: string): readonly string[] {
  const [, first = "", last = first, protocol = "tcp"] = SPEC.exec(spec) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === "" || from < 1 || to > PORT_MAX || to < from)
    throw invalid(`invalid containerPort: ${spec.slice(0, 100)}`);
  const name = protocol.toLowerCase();
  if (!PROTOCOLS.includes(name)) throw invalid(`invalid proto: ${protocol}`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${name}`);
}
