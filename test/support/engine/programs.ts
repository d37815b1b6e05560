/* Programs for Node that tests run somewhere in the lab. */

export const ECHO_PORT = 8099;
/** Answers each request with the address it came from. */
export const ECHO_ADDRESS = `require("node:http").createServer((ask, answer) => answer.end(
  ask.socket.remoteAddress.replace("::ffff:", ""))).listen(${ECHO_PORT})`;
/** Asks a container's name server for addresses of names and names of addresses. */
export const RESOLVE = `const resolver = new (require("node:dns").promises.Resolver)({ timeout: 4000, tries: 4 });
  resolver.setServers(["127.0.0.11"]);
  const ask = (name) => (/^[\\d.]+$/.test(name) ? resolver.reverse(name) : resolver.resolve4(name));
  Promise.all(process.argv.slice(1).map((name) => ask(name).catch(({ code }) => code)))
    .then((answers) => console.log(JSON.stringify(answers)));`;
/** A name server for which every name has the address 192.0.2.7. */
export const OTHER_NAMES = `const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (ask, from) => {
    const end = ask.indexOf(0, 12) + 5;
    const head = Buffer.from([ask[0], ask[1], 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7]);
    socket.send(Buffer.concat([head, ask.subarray(12, end), answer]), from.port, from.address);
  });
  socket.bind(53);`;
