import { assert } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { silentLog } from "../../core/log.ts";
import { PortConfig } from "../../proto/gen/objects.ts";
import { HostPorts } from "../../runtime/network/ports/host-ports.ts";
import { EPHEMERAL_PORTS } from "../../runtime/network/ports/port-choice.ts";
import type { PlacedBinding } from "../../runtime/network/ports/port-places.ts";
import { ServedPorts } from "./served-ports.ts";

const port = (publishedPort: number) => PortConfig.fromPartial({ targetPort: 80, publishedPort });
const binding = (hostPort: number): PlacedBinding => ({
  ...{ port: 80, protocol: "tcp" as const, hostAddresses: ["0.0.0.0"] },
  ...{ hostPortFirst: hostPort, hostPortLast: hostPort },
});

describe("data plane: ports of this machine", () => {
  let book: HostPorts;
  let served: ServedPorts;

  beforeEach(() => {
    book = new HostPorts({ hold: () => 1, release: () => {} }, EPHEMERAL_PORTS);
    served = new ServedPorts(book, silentLog);
  });

  it("that a single container has are no service's here, until it gives them back", () => {
    book.take("container", [binding(80)]);
    const wanted = [port(80), port(81), port(0)];
    assert.deepEqual([...served.settleIngress(wanted)], ["tcp . 80"]);
    book.release("container");
    assert.deepEqual([...served.settleIngress(wanted)], []);
  });

  it("that a service or a task has no single container gets", () => {
    served.settleIngress([port(80)]);
    served.take("task", [port(81)]);
    served.takeBack("older", [port(82)]);
    for (const taken of [80, 81, 82])
      assert.throws(() => book.take("container", [binding(taken)]), "port is already allocated");
    served.settleIngress([]);
    served.release("task");
    served.release("older");
    assert.lengthOf(book.take("container", [80, 81, 82].map(binding)), 3);
  });

  it("are a task's all or none", () => {
    book.take("container", [binding(80)]);
    assert.throws(() => served.take("task", [port(79), port(80)]), ClusterError, "allocated");
    book.take("other", [binding(79)]);
  });

  it("are all given back when the data plane lets go", () => {
    served.settleIngress([port(80)]);
    served.take("task", [port(81)]);
    served.close();
    book.take("container", [binding(80), binding(81)]);
  });
});
