import { Option } from "commander";
import { ClusterError } from "../../../core/errors.ts";

/** Docker's flag, known so that the refusal can say what to do instead. */
export function externalCaOption(): Option {
  return new Option(
    "--external-ca <spec>",
    "Not supported: managers sign certificates themselves",
  ).argParser((): never => {
    throw new ClusterError(
      "InvalidArgument",
      "cannot use an external CA: a swarm's managers sign certificates themselves; leave --external-ca out, or move to a CA of your own with 'muster swarm ca --rotate --ca-cert FILE --ca-key FILE'",
    );
  });
}
