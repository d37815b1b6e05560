#!/bin/sh
# Makes the machine and the checkout ready, saying what it does, then runs the given command. Doing it twice does nothing.
# Needs: root, Debian 12 or 13, Node 20 or newer. Installs: the Debian packages below, npm packages, and builds.
set -eu
cd "$(dirname "$0")/.."

# What containers and networks are made with; the rest the tests unpack for themselves and never install.
PACKAGES="runc crun conmon tini nftables libnftables1 iproute2 golang-github-containers-common busybox-static ca-certificates"

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { printf 'setup: cannot go on: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "root is needed to make containers and networks: run it again with sudo or as root"
[ -r /etc/os-release ] || fail "/etc/os-release is missing: this is made for Debian 12 and 13"
. /etc/os-release
case "${ID:-}:${VERSION_ID:-}" in
  debian:12 | debian:13) ;;
  *) fail "this is ${PRETTY_NAME:-an unknown system}, made for Debian 12 and 13. By hand: install $PACKAGES, then 'npm ci --ignore-scripts && npm run build'" ;;
esac
command -v node >/dev/null || fail "Node.js 20 or newer is missing"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old: version 20 or newer is needed"

missing=""
for package in $PACKAGES; do
  case "$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)" in
    ii*) ;;
    *) missing="$missing $package" ;;
  esac
done
if [ -n "$missing" ]; then
  say "installing Debian packages:$missing"
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install$missing (is a Debian mirror reachable?)"
  fi
  rm -f "$log"
fi

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say "installing npm packages (npm ci)"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 ||
    fail "npm ci failed (is the npm registry reachable?)"
  touch node_modules/.package-lock.json
fi

say "generating code and building"
npm run --silent generate || fail "buf could not generate code from proto/*.proto"
npm run --silent build || fail "the build failed: see the compiler's messages above"

exec "$@"
