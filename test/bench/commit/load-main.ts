/** The load generator, a process of its own. Argument: a LoadRequest as JSON. Prints a LoadResult as JSON. */
import type { NodeCertificate } from "../../../manager/ca/node-certificate.ts";
import { EtcdDriver } from "./etcd-driver.ts";
import { type LoadOptions, load } from "./load.ts";
import { MusterDriver } from "./muster-driver.ts";

/** Which system to load, where, and how. */
export type LoadRequest = LoadOptions &
  (
    | { readonly system: "etcd"; readonly url: string }
    | { readonly system: "muster"; readonly addr: string; readonly certificate: NodeCertificate }
  );

const request = JSON.parse(process.argv[2] ?? "") as LoadRequest;
const driver =
  request.system === "etcd"
    ? new EtcdDriver(request.url)
    : new MusterDriver(request.addr, request.certificate);
process.stdout.write(`${JSON.stringify(await load(driver, request))}\n`);
process.exit(0);
