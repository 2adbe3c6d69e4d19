#!/bin/sh
# Gets what the tests need: the npm packages (which bring the pinned Node), and, where apt may be used, Open MPI,
# Python's mpi4py and numpy, and the network tools. Safe to run again; does nothing when all is there.
# Needs only sh, npm and Node 20 or newer. Fails only without the npm packages: suites that lack another part are
# named by test/run.ts.
set -eu
cd "$(dirname "$0")/.."

say() { echo "set-up: $*" >&2; }

# True when node_modules holds each locked package in the locked version. Optional packages for other platforms may be
# absent.
packages_are_current() {
  [ -f node_modules/.package-lock.json ] && node -e '
    const read = (path) => JSON.parse(require("fs").readFileSync(path, "utf8")).packages;
    const locked = read("package-lock.json");
    const present = read("node_modules/.package-lock.json");
    const isCurrent = (name) =>
      name === "" || (present[name] ? present[name].version === locked[name].version : locked[name].optional);
    process.exit(Object.keys(locked).every(isCurrent) ? 0 : 1);
  '
}

for program in node npm; do
  command -v "$program" >/dev/null || {
    say "there is no $program on PATH; install Node 20 or newer with npm (on Debian and Ubuntu: apt-get install nodejs npm)"
    exit 1
  }
done

if ! packages_are_current; then
  say "installing npm packages"
  # Not npm ci: it refuses a lockfile that lacks optional packages of other platforms.
  npm install --no-save --no-audit --no-fund --loglevel=error >&2
fi

PATH="$PWD/node_modules/.bin:$PATH:/usr/sbin:/sbin"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' || {
  say "Node is $(node --version), and no pinned Node exists for this platform; use Linux on x64 or arm64, or Node 24"
  exit 1
}

missing=""
want() { # PACKAGE COMMAND...: adds the package when the command fails
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
want openmpi-bin command -v mpirun
want python3-mpi4py /usr/bin/python3 -c "import mpi4py"
want python3-numpy /usr/bin/python3 -c "import numpy"
want iproute2 command -v ip
want procps command -v ps
want strace command -v strace
want util-linux command -v unshare
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  say "some suites need these packages, which apt-get installs for root:$missing"
  exit 0
fi
say "installing$missing"
install_missing() {
  # shellcheck disable=SC2086 # One word a package.
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
}
install_missing || { apt-get update -q >&2 && install_missing; } || say "apt-get could not install:$missing"
