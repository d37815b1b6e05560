import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface, type Interface } from "node:readline";
import { assert } from "chai";
import { eventually } from "../support/eventually.ts";
import { createLab, type Lab, type LabHost } from "../support/lab/lab.ts";
import { TestNode } from "../support/network/node.ts";
import {
  CLIENT,
  DNS_SERVER,
  RESOLVE,
  SERVER,
  STREAM,
  UDP_CLIENT,
  UDP_SERVER,
} from "../support/network/programs.ts";
import {
  APP_NETWORK,
  APP_VIP,
  appTable,
  INGRESS_NETWORK,
  ingressTable,
  type Placement,
  PUBLISHED_PORT,
  SERVICE_PORT,
  sandboxSpec,
  taskId,
} from "../support/network/tables.ts";

const HOST_PORT = 9090;
const CONNECTIONS = 40;

/** h1 runs tasks 1 and 2, h2 runs task 3, h3 runs none. */
describe("data plane: three hosts", function () {
  this.timeout(60_000);
  let lab: Lab;
  let root: string;
  let nodes: readonly [TestNode, TestNode, TestNode];
  let placements: Placement[];
  let version = 0;
  const programs: ChildProcess[] = [];
  const servers: { readonly slot: number; readonly child: ChildProcess }[] = [];

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    root = mkdtempSync(`${tmpdir()}/muster-data-plane-`);
    lab = await createLab({ name: "dataplane", hosts: 3 });
    const [first, second, third] = lab.hosts;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error("a lab without hosts");
    const node = (host: LabHost) => new TestNode(lab, host, `${root}/${host.name}`);
    nodes = [node(first), node(second), node(third)];
    // h1 is a machine where Docker has been: what it does not forward itself is dropped.
    const docker = [
      "add table ip filter",
      "add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }",
    ];
    await lab.exec(first, ["nft", docker.join("; ")]);
    await Promise.all(nodes.map((one) => one.start()));
    for (const { host, ...one } of nodes.map((node) => ({ node, host: node.host })))
      await one.node.setNode({ nodeId: host.name, dataAddress: host.ip, dataPathPort: 4789 });
    placements = [
      { slot: 1, host: first, serving: true },
      { slot: 2, host: first, serving: true },
      { slot: 3, host: second, serving: true },
    ];
    await publish();
    await Promise.all(
      placements.map(async ({ slot, host }) => {
        await nodeOf(host).createSandbox(sandboxSpec(slot, slot === 3 ? HOST_PORT : undefined));
        await serve(slot);
      }),
    );
  });

  after(async () => {
    for (const program of programs) program.kill("SIGKILL");
    for (const node of nodes ?? []) await node.kill();
    await lab?.close();
    if (root !== undefined) removeTree(root);
  });

  /** Sends every node the tables for `placements`. */
  async function publish(): Promise<void> {
    version++;
    for (const node of nodes) {
      await node.applyTable(appTable(version, placements));
      await node.applyTable(ingressTable(version, placements, lab.hosts));
    }
  }

  async function setServing(slot: number, serving: boolean): Promise<void> {
    placements = placements.map((one) => (one.slot === slot ? { ...one, serving } : one));
    await publish();
  }

  function nodeOf(host: LabHost): TestNode {
    const node = nodes.find((one) => one.host === host);
    if (node === undefined) throw new Error(`no node on ${host.name}`);
    return node;
  }

  function inSandbox(slot: number): string[] {
    const host = placements.find((one) => one.slot === slot)?.host;
    if (host === undefined) throw new Error(`no task ${slot}`);
    return nodeOf(host).inside(taskId(slot));
  }

  /** Starts a program and waits until it is ready. */
  async function start(
    words: readonly string[],
  ): Promise<{ child: ChildProcess; lines: Interface }> {
    const [host] = lab.hosts;
    if (host === undefined) throw new Error("no host");
    const child = lab.spawn(host, words, { stdio: ["pipe", "pipe", "inherit"] });
    programs.push(child);
    if (child.stdout === null) throw new Error("no output");
    const lines = createInterface({ input: child.stdout });
    await once(lines, "line");
    return { child, lines };
  }

  async function serve(slot: number): Promise<void> {
    for (const program of [SERVER, UDP_SERVER]) {
      const { child } = await start([
        ...inSandbox(slot),
        process.execPath,
        "-e",
        program,
        taskId(slot),
        String(SERVICE_PORT),
      ]);
      servers.push({ slot, child });
    }
  }

  /** How often each task answered. `where`: words that run a command there. */
  function ask(where: readonly string[], host: string, port: number, count = CONNECTIONS) {
    const [program = "", ...words] = [
      ...where,
      ...[process.execPath, "-e", CLIENT, host, String(port), String(count)],
    ];
    return JSON.parse(execFileSync(program, words, { encoding: "utf8" })) as Record<string, number>;
  }

  function resolve(slot: number, name: string, type = "A"): unknown {
    const [program = "", ...words] = [
      ...inSandbox(slot),
      process.execPath,
      "-e",
      RESOLVE,
      name,
      type,
    ];
    return JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
  }

  /** All that nft, ip and bridge say of a node's namespaces. */
  function kernelState(node: TestNode): string {
    const commands =
      "ip -o link; ip -o -4 address; bridge fdb; ip neigh show nud permanent; nft list ruleset";
    const state = [lab.enter(node.host), node.inside("_fabric")].map((where) => {
      const [program = "", ...words] = [...where, "sh", "-c", commands];
      return execFileSync(program, words, { encoding: "utf8" });
    });
    return state.join("\n");
  }

  it("a VIP leads to every serving task, from any container", () => {
    for (const slot of [1, 2, 3]) {
      const seen = ask(inSandbox(slot), APP_VIP, SERVICE_PORT);
      assert.sameMembers(Object.keys(seen), ["task1", "task2", "task3"], JSON.stringify(seen));
    }
  });

  it("names lead to the VIP, to all tasks, to one task, to oneself", () => {
    assert.deepEqual(resolve(1, "web"), [APP_VIP]);
    assert.deepEqual(resolve(3, "WWW"), [APP_VIP]);
    assert.deepEqual(resolve(3, "web.app"), [APP_VIP]);
    assert.deepEqual(resolve(1, "tasks.web"), ["10.0.1.11", "10.0.1.12", "10.0.1.13"]);
    assert.deepEqual(resolve(1, "web.3.task3"), ["10.0.1.13"]);
    assert.deepEqual(resolve(2, "host2"), ["10.0.0.12", "10.0.1.12"]);
    assert.deepEqual(resolve(1, "13.1.0.10.in-addr.arpa", "PTR"), ["web.3.task3.app"]);
  });

  it("a known name has no IPv6 address, which is not the same as no such name", () => {
    assert.equal(resolve(1, "web", "AAAA"), "ENODATA");
  });

  it("other names are asked elsewhere; the second server when the first does not answer", async () => {
    const [first, , third] = lab.hosts;
    if (first === undefined || third === undefined) throw new Error("no host");
    await start([...lab.enter(third), process.execPath, "-e", DNS_SERVER, third.ip]);
    const reached = placements.length + 1;
    // Nobody listens on port 53 of h1, and nobody at all has the last address.
    for (const [id, servers, expected] of [
      ["refused", [first.ip, third.ip], ["192.0.2.7"]],
      ["silent", [first.ip.replace(/\d+$/, "250")], "ESERVFAIL"],
    ] as const) {
      const spec = { ...sandboxSpec(reached, undefined, servers), id };
      await nodeOf(first).createSandbox(spec);
      const [program = "", ...words] = [
        ...nodeOf(first).inside(id),
        ...[process.execPath, "-e", RESOLVE, "elsewhere.example", "A"],
      ];
      const found: unknown = JSON.parse(execFileSync(program, words, { encoding: "utf8" }));
      assert.deepEqual(found, expected);
      await nodeOf(first).removeSandbox(id);
    }
  });

  it("a published port answers on every host, also on one without a task, also for itself", () => {
    for (const from of lab.hosts)
      for (const to of [...lab.hosts.map((host) => host.ip), "127.0.0.1"]) {
        const seen = ask(lab.enter(from), to, PUBLISHED_PORT, 30);
        assert.sameMembers(
          Object.keys(seen),
          ["task1", "task2", "task3"],
          `${from.name} to ${to}: ${JSON.stringify(seen)}`,
        );
      }
  });

  it("a container reaches published ports of its own node and of others", () => {
    for (const host of lab.hosts)
      assert.hasAllKeys(ask(inSandbox(1), host.ip, PUBLISHED_PORT, 30), [
        "task1",
        "task2",
        "task3",
      ]);
  });

  it("a port in host mode leads to the task on that host only", () => {
    const [first, second] = lab.hosts;
    if (first === undefined || second === undefined) throw new Error("no host");
    assert.deepEqual(ask(lab.enter(first), second.ip, HOST_PORT, 5), { task3: 5 });
    assert.deepEqual(ask(lab.enter(second), "127.0.0.1", HOST_PORT, 5), { task3: 5 });
    assert.deepEqual(ask(lab.enter(second), first.ip, HOST_PORT, 5), { ECONNREFUSED: 5 });
  });

  it("containers reach the world outside and not each other by the local bridge", async () => {
    const [, second] = lab.hosts;
    if (second === undefined) throw new Error("no host");
    await start([...lab.enter(second), process.execPath, "-e", SERVER, "outside", "6000"]);
    assert.deepEqual(ask(inSandbox(1), second.ip, 6000, 3), { outside: 3 });
    // Task 2's address on the local bridge: no ARP answer comes through an isolated port.
    const seen = ask(inSandbox(1), "172.20.0.3", SERVICE_PORT, 1);
    assert.notProperty(seen, "task2");
  });

  it("a task that serves no more gets no new connection, and keeps those it has", async () => {
    const { child, lines } = await start([
      ...inSandbox(3),
      ...[process.execPath, "-e", STREAM, "10.0.1.11", String(SERVICE_PORT)],
    ]);
    await setServing(1, false);
    const seen = ask(inSandbox(3), APP_VIP, SERVICE_PORT);
    assert.sameMembers(Object.keys(seen), ["task2", "task3"], JSON.stringify(seen));
    for (const host of lab.hosts)
      assert.notProperty(ask(lab.enter(host), host.ip, PUBLISHED_PORT, 20), "task1");
    assert.deepEqual(resolve(3, "tasks.web"), ["10.0.1.12", "10.0.1.13"]);
    child.stdin?.write("\n");
    const [line] = (await once(lines, "line")) as [string];
    assert.isAbove((JSON.parse(line) as { echoed: number }).echoed, 1);
    child.kill();
    await setServing(1, true);
  });

  it("a UDP flow leaves a task that serves no more", async () => {
    const { child, lines } = await start([
      ...inSandbox(3),
      ...[process.execPath, "-e", UDP_CLIENT, APP_VIP, String(SERVICE_PORT)],
    ]);
    const outside = await start([
      ...lab.enter(lab.hosts[2] ?? nodes[0].host),
      ...[process.execPath, "-e", UDP_CLIENT, "127.0.0.1", String(PUBLISHED_PORT)],
    ]);
    const send = async (one: { child: ChildProcess; lines: Interface }) => {
      one.child.stdin?.write("\n");
      const [name] = (await once(one.lines, "line")) as [string];
      return name;
    };
    for (const client of [{ child, lines }, outside]) {
      const name = await send(client);
      assert.equal(await send(client), name, "a flow stays with its task");
      const slot = Number(name.replace("task", ""));
      await setServing(slot, false);
      const next = await send(client);
      assert.match(next, /^task/);
      assert.notEqual(next, name);
      await setServing(slot, true);
    }
    child.kill();
    outside.child.kill();
  });

  it("a service without a serving task refuses at once", async () => {
    for (const slot of [1, 2, 3]) await setServing(slot, false);
    const start = performance.now();
    assert.deepEqual(ask(inSandbox(1), APP_VIP, SERVICE_PORT, 5), { ECONNREFUSED: 5 });
    const third = lab.hosts[2] ?? nodes[0].host;
    assert.deepEqual(ask(lab.enter(third), "127.0.0.1", PUBLISHED_PORT, 5), { ECONNREFUSED: 5 });
    const first = nodes[0].host;
    assert.deepEqual(ask(lab.enter(third), first.ip, PUBLISHED_PORT, 5), { ECONNREFUSED: 5 });
    assert.isBelow(performance.now() - start, 3000);
    assert.deepEqual(resolve(1, "web"), [APP_VIP]);
    assert.equal(resolve(1, "tasks.web"), "ENODATA");
    for (const slot of [1, 2, 3]) await setServing(slot, true);
  });

  it("the same table a second time changes nothing", async () => {
    const before = nodes.map(kernelState);
    for (const node of nodes) {
      await node.applyTable(appTable(version, placements));
      await node.applyTable(ingressTable(version, placements, lab.hosts));
    }
    assert.deepEqual(nodes.map(kernelState), before);
  });

  it("a sandbox asked for twice is the same one", async () => {
    const before = await nodes[0].sandboxes();
    const again = await nodes[0].createSandbox(sandboxSpec(1));
    assert.deepEqual(
      again,
      before.find((one) => one.id === taskId(1)),
    );
  });

  it("a crash of the daemon interrupts no connection; the next one takes over", async () => {
    const [first] = nodes;
    const stream = await start([
      ...inSandbox(3),
      ...[process.execPath, "-e", STREAM, "10.0.1.11", String(SERVICE_PORT)],
    ]);
    const outside = await start([
      ...lab.enter(lab.hosts[2] ?? first.host),
      ...[process.execPath, "-e", STREAM, first.host.ip, String(PUBLISHED_PORT)],
    ]);
    const before = kernelState(first);
    await first.kill();
    assert.hasAllKeys(ask(inSandbox(1), APP_VIP, SERVICE_PORT), ["task1", "task2", "task3"]);
    await first.start();
    assert.deepEqual(comparable(kernelState(first)), comparable(before));
    assert.hasAllKeys(ask(inSandbox(1), APP_VIP, SERVICE_PORT), ["task1", "task2", "task3"]);
    assert.deepEqual(resolve(1, "web"), [APP_VIP]);
    assert.lengthOf(await first.sandboxes(), 2);
    for (const { child, lines } of [stream, outside]) {
      child.stdin?.write("\n");
      const [line] = (await once(lines, "line")) as [string];
      const { echoed, gap } = JSON.parse(line) as { echoed: number; gap: number };
      assert.isAbove(echoed, 20);
      assert.isBelow(gap, 1000);
      child.kill();
    }
  });

  it("a daemon that starts again sets right what was broken meanwhile", async () => {
    const [first] = nodes;
    const before = kernelState(first);
    await first.kill();
    const damage = [
      [...lab.enter(first.host), "nft", "delete", "table", "ip", "muster"],
      [
        ...first.inside("_fabric"),
        "sh",
        "-c",
        "ip link delete $(ip -o link | grep -o 'vx-app[a-z0-9]*' | head -1)",
      ],
      [...first.inside("_fabric"), "ip", "link", "add", "stray", "type", "bridge"],
      [...lab.enter(first.host), "ip", "link", "delete", "muster-in"],
    ];
    for (const [program = "", ...words] of damage) execFileSync(program, words);
    await first.start();
    await eventually("every task answers on h1's port again", () => {
      const seen = ask(lab.enter(first.host), first.host.ip, PUBLISHED_PORT, 30);
      return ["task1", "task2", "task3"].every((name) => name in seen);
    });
    assert.hasAllKeys(ask(inSandbox(1), APP_VIP, SERVICE_PORT), ["task1", "task2", "task3"]);
    assert.notInclude(kernelState(first), "stray");
    assert.equal(countLinks(kernelState(first)), countLinks(before));
  });

  it("a removed sandbox and a network not needed leave nothing behind", async () => {
    const [first] = nodes;
    const third = nodes[2];
    placements = placements.filter((one) => one.slot !== 2);
    await publish();
    for (const { child } of servers.filter((one) => one.slot === 2)) child.kill("SIGKILL");
    await first.removeSandbox(taskId(2));
    await first.removeSandbox(taskId(2));
    await eventually("its namespace and interfaces are gone", () => {
      const gone = !existsSync(`${first.execRoot}/netns/${taskId(2)}`);
      // Per task one port at the local bridge and one in each network.
      return gone && (kernelState(first).match(/: (v|mgw)[a-z0-9]{6,}@/g) ?? []).length === 3;
    });
    await third.removeNetwork(APP_NETWORK);
    await third.removeNetwork(INGRESS_NETWORK);
    assert.notMatch(kernelState(third), /: (vx-|br-|muster-in)/);
  });

  it("cleanup leaves neither links, rules, namespaces, mounts nor files", async () => {
    for (const program of programs.splice(0)) program.kill("SIGKILL");
    for (const node of nodes) {
      await node.cleanup();
      const [program = "", ...words] = [
        ...lab.enter(node.host),
        ...["sh", "-c", "ip -o link | grep -v -e ' lo:' -e ' eth0@' -e ' ifb'; nft list ruleset"],
      ];
      const left = execFileSync(program, words, { encoding: "utf8" });
      assert.notMatch(left, /muster|mgw|link\//);
      assert.deepEqual(readdirSync(node.execRoot), []);
    }
    assert.notInclude(readFileSync("/proc/self/mountinfo", "utf8"), root);
  });
});

/** Lines in any order: a table written anew lists its chains in another one. */
function comparable(state: string): string[] {
  return state
    .replace(/dnat to 127\.0\.0\.11:\d+/g, "dns")
    .split("\n")
    .sort();
}

function countLinks(state: string): number {
  return (state.match(/mtu \d+/g) ?? []).length;
}

/** Also what a failed test left mounted. */
function removeTree(root: string): void {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  for (const line of mounts.toReversed()) {
    const target = line.split(" ")[4] ?? "";
    if (target.startsWith(`${root}/`)) execFileSync("umount", ["--lazy", target]);
  }
  rmSync(root, { recursive: true, force: true });
}
