/** Small programs tests run inside sandboxes and on hosts, as arguments of `node -e`. */

/** Says its name to whoever connects, then echoes. Prints "ready" when it listens. */
export const SERVER = `
const [name, port] = process.argv.slice(1);
const server = require("node:net").createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.write(name + "\\n");
  socket.pipe(socket);
});
server.listen(Number(port), () => console.log("ready"));
`;

/** As SERVER, by UDP: answers each packet with its name. */
export const UDP_SERVER = `
const [name, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (_, from) => socket.send(name, from.port, from.address));
socket.bind(Number(port), () => console.log("ready"));
`;

/** Connects \`count\` times, one after the other; prints how often each name answered, as JSON. */
export const CLIENT = `
const [host, port, count] = process.argv.slice(1);
const seen = {};
const once = () => new Promise((resolve) => {
  const socket = require("node:net").connect({ host, port: Number(port) });
  const finish = (name) => { seen[name] = (seen[name] ?? 0) + 1; socket.destroy(); resolve(); };
  socket.setTimeout(3000, () => finish("timeout"));
  socket.on("error", (error) => finish(error.code));
  socket.once("data", (data) => finish(String(data).trim()));
});
(async () => {
  for (let i = 0; i < Number(count); i++) await once();
  console.log(JSON.stringify(seen));
})();
`;

/** Keeps one connection, sends a byte every 10 ms; each line of input makes it print "echoed N, longest gap M ms". */
export const STREAM = `
const [host, port] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port: Number(port) });
let echoed = 0, last = 0, gap = 0;
socket.on("data", () => {
  const now = performance.now();
  if (last > 0) gap = Math.max(gap, now - last);
  last = now; echoed++;
  if (echoed === 1) console.log("ready");
});
const fail = (word) => { console.log("broken " + word); process.exit(1); };
socket.on("error", (error) => fail(error.code));
socket.on("close", () => fail("closed"));
setInterval(() => socket.write("x"), 10);
process.stdin.on("data", () => console.log(JSON.stringify({ echoed, gap })));
`;

/** Sends UDP packets from one socket; each line of input sends one and prints who answered within a second. */
export const UDP_CLIENT = `
const [host, port] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
let timer;
socket.on("message", (data) => { clearTimeout(timer); console.log(String(data)); });
process.stdin.on("data", () => {
  timer = setTimeout(() => console.log("timeout"), 1000);
  socket.send("x", Number(port), host);
});
console.log("ready");
`;

/** Asks the name server of its namespace; prints addresses, or the error's code, as JSON. */
export const RESOLVE = `
const [name, type] = process.argv.slice(1);
const resolver = new (require("node:dns").promises.Resolver)({ timeout: 4000, tries: 1 });
resolver.setServers(["127.0.0.11"]);
resolver.resolve(name, type).then((found) => found.sort(), (error) => error.code)
  .then((outcome) => console.log(JSON.stringify(outcome)));
`;

/** A name server that knows one address for everything: 192.0.2.7. Listens on the address and port 53. */
export const DNS_SERVER = `
const [address] = process.argv.slice(1);
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (query, from) => {
  let end = 12;
  while (query[end] !== 0) end += 1 + query[end];
  const answer = Buffer.from("c00c00010001000000050004c0000207", "hex");
  const reply = Buffer.concat([query.subarray(0, end + 5), answer]);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(1, 6);
  reply.writeUInt32BE(0, 8);
  socket.send(reply, from.port, from.address);
});
socket.bind(53, address, () => console.log("ready"));
`;
