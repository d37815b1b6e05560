import type { TarInput } from "../support/tar-writer.ts";

/** Valid inputs that fuzzing starts from: a little of everything the formats have. */

const NOTE = { "user.note": Buffer.from([0, 255, 10]) };

export const TARS: readonly (readonly TarInput[])[] = [
  [
    { name: "etc/", mode: 0o755 },
    { name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\n", uid: 3_000_000 },
    { name: `${"long/".repeat(30)}name`, content: "x", xattrs: NOTE },
    { name: "bin", type: "symlink", linkName: "usr/bin" },
    { name: "bin/sh", content: "#!" },
  ],
  [
    { name: "usr/bin/ash", content: "y".repeat(1000), mode: 0o4755 },
    { name: "usr/bin/sh", type: "hardLink", linkName: "usr/bin/ash" },
    { name: "dev/null", type: "charDevice", major: 1, minor: 3 },
    { name: "run/pipe", type: "fifo" },
    { name: "dev/.wh.zero", content: "" },
    { name: "opt/.wh..wh..opq", content: "" },
  ],
  [
    { name: "../up", content: "x" },
    { name: "/abs", type: "symlink", linkName: "n".repeat(200) },
  ],
];

const HEX = "0123456789abcdef".repeat(4);

export const REFERENCES: readonly string[] = [
  "busybox",
  "library/nginx:1.25-alpine",
  `registry.example.com:5000/team/app:v1@sha256:${HEX}`,
  `localhost/a_b.c-d__e@sha256:${HEX}`,
  "[::1]:5000/x",
  HEX,
];

export const DOCKERFILES: readonly string[] = [
  [
    "# syntax=docker/dockerfile:1",
    "ARG VERSION=1",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own
    "FROM --platform=linux/amd64 busybox:${VERSION:-latest} AS build",
    'ENV A=1 B="two words" C=three\\ words',
    "RUN --mount=type=cache,target=/x set -e; \\",
    "  echo $A",
    "COPY --from=build --chown=1:2 --chmod=755 a b* /dst/",
    'CMD ["sh", "-c", "true"]',
  ].join("\n"),
  [
    "# escape=`",
    "FROM scratch",
    "RUN <<EOF",
    "echo heredoc",
    "EOF",
    "COPY <<'A' <<-B /dst/",
    "one",
    "A",
    "\ttwo",
    "B",
    "HEALTHCHECK --interval=5s --retries=3 CMD true",
    "ONBUILD ADD https://example.com/x /y",
    'SHELL ["/bin/sh", "-c"]',
    "LABEL a=b c='d e'",
    "EXPOSE 80/tcp 90-100/udp",
    "STOPSIGNAL SIGTERM",
    "USER 1:1",
    "VOLUME /a /b",
    "WORKDIR x",
  ].join("\n"),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a Dockerfile's own
  "FROM a\nENV X=${A:+${B:-c}} Y=${Z#*/} W=${V/a/b}\nENTRYPOINT x $Y\n",
];

export const IGNORE_FILES: readonly string[] = [
  "# comment\n*.log\n!keep.log\n**/node_modules\n/a/*/b?[c-e]\n",
  "\ufeff.git\n\\#x\n[^a]\n**\n!**/*.go\n",
];
