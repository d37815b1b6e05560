/** Dockerfiles that cannot be built, and what is said of them. */
export const WRONG_BUILDS: readonly (readonly [text: string, message: string])[] = [
  ["FROM busybox\nFOO\n", "dockerfile parse error on line 2: unknown instruction: FOO"],
  [
    "FROM busybox\nCOPY gone /\n",
    "COPY failed: file not found in build context or excluded by .dockerignore: stat gone: file does not exist",
  ],
  [
    "FROM busybox\nCOPY ../../../../etc/shadow /\n",
    "COPY failed: forbidden path outside the build context: ../../../../etc/shadow ()",
  ],
  ["FROM busybox\nCOPY --from=busybox .. /\n", "forbidden path outside the build context: .. ()"],
  [
    "FROM scratch\nRUN x\n",
    'OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
  ],
  ["FROM busybox\nCOPY --from=7 a /\n", "invalid from flag value 7: index out of bounds"],
  [
    "FROM busybox\nADD http://127.0.0.1:1/x /\n",
    'ADD failed: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
  ],
  ["FROM busybox\nCOPY http://127.0.0.1:1/x /\n", "source can't be a URL for COPY"],
  ["FROM busybox\nCOPY --chown=who Dockerfile /\n", "no such user: who"],
  ["FROM busybox\nSTOPSIGNAL SIGNOTHING\n", "invalid signal: SIGNOTHING"],
  ["FROM scratch\n", "No image was generated. Is your Dockerfile empty?"],
  ["FROM busybox\nRUN --mount=type=cache,target=/x y\n", "the --mount option requires BuildKit"],
];

/** A program for Node.js: a server of a Dockerfile and of what it adds, on port 8099. */
export const FILE_SERVER = `
const files = {
  "/Dockerfile": 'FROM busybox\\nADD http://127.0.0.1:8099/a.txt /to/\\nCMD stat -c "%a %Y %u" /to/a.txt | tr "\\\\n" " "; cat /to/a.txt\\n',
  "/a.txt": "content",
};
require("node:http").createServer((request, response) => {
  response.setHeader("Last-Modified", "Fri, 01 Mar 2024 12:00:00 GMT");
  response.statusCode = request.url in files ? 200 : 404;
  response.end(files[request.url]);
}).listen(8099, "127.0.0.1", () => console.log("ready"));
`;

/** A Dockerfile with stages, arguments, heredocs and owners; it wants a file `name` and a base `BASE`. */
export const STAGES = [
  "# escape=\\",
  "ARG BASE=nowhere",
  "FROM $BASE AS first",
  "ARG NAME=nobody",
  "ARG UNSAID",
  "RUN <<EOF",
  "mkdir /made",
  'echo "I am $NAME" >/made/name',
  "chown 7:8 /made/name",
  "EOF",
  "RUN <<EOF",
  "#!/bin/awk -f",
  'BEGIN { print "by awk" >"/made/awk" }',
  "EOF",
  "FROM scratch AS unused",
  "COPY name /",
  "FROM busybox AS last",
  "RUN mkdir -p /etc && echo daemon:x:1:1:: >>/etc/passwd",
  "COPY --from=first /made/ /kept/",
  "COPY --from=0 --chown=daemon:50 --chmod=640 /made/na?e /owned/",
  "COPY --chown=7 <<one <<'two' /inline/",
  "$PATH",
  "one",
  "$PATH",
  "two",
  "CMD cat /kept/name /kept/awk /inline/two; stat -c '%u:%g %a' /kept/name /owned /owned/name /inline/one",
].join("\n");
