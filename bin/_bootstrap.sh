#!/bin/sh
# Makes .venv from a lock file, unless it was made from that one, or from another that is as good:
#   bin/_bootstrap.sh requirements-embedded.txt requirements-dev.txt
# Needs Python 3.11 with pip or uv; nothing else.
set -eu
stamp=.venv/.made-from

die() {
    echo "$*" >&2
    exit 1
}

# Of the lock and of the Python: an environment doesn't survive the system's upgrade to another one.
made_from() {
    .venv/bin/python -IS -c '
import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), "%d.%d" % sys.version_info[:2])' "$1"
}

is_made() {
    [ -f "$stamp" ] && [ -x .venv/bin/python ] || return 1
    for lock in "$@"; do
        [ "$(made_from "$lock")" != "$(cat "$stamp")" ] || return 0
    done
    return 1
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    die "Python 3.11 or newer is needed; found: $(python3 --version 2>/dev/null || echo none)."
}

works() {
    "$@" --version >/dev/null 2>&1
}

find_uv() {
    for uv in uv .boot/bin/uv; do
        if works "$uv"; then
            echo "$uv"
            return
        fi
    done
    echo "Getting uv, which installs quickly …" >&2
    PIP_USER=0 "$python" -m pip install $pip_options --target .boot --upgrade --require-hashes -r bin/uv.txt >&2 &&
        echo .boot/bin/uv
}

with_uv() {
    uv=$(find_uv) || return 1
    [ -x .venv/bin/python ] || "$uv" venv --quiet --clear --relocatable --python "$python" .venv || return 1
    "$uv" pip install $quiet --python .venv/bin/python --require-hashes -r "$1"
}

# A Debian without python3-venv can make an environment without pip, and fill it from outside.
with_pip() {
    echo "uv could not do it; trying pip, which takes a minute …" >&2
    [ -x .venv/bin/python ] || "$python" -m venv --clear --without-pip .venv || return 1
    "$python" -m pip --python .venv/bin/python install $pip_options --require-hashes -r "$1"
}

if is_made "$@"; then exit; fi

# One at a time: the kernel lets go of the lock when this process ends, however it ends.
if [ -z "${HUNTAZE_BOOTSTRAP_LOCKED:-}" ]; then
    python=$(find_python)
    mkdir -p .boot
    HUNTAZE_BOOTSTRAP_LOCKED=$python exec "$python" -IS -c '
import fcntl, os, sys
lock = os.open(".boot/lock", os.O_CREAT | os.O_RDWR)
os.set_inheritable(lock, True)
fcntl.flock(lock, fcntl.LOCK_EX)
os.execvp("sh", ["sh", *sys.argv[1:]])' "$0" "$@"
fi

python=$HUNTAZE_BOOTSTRAP_LOCKED
quiet=
[ -t 2 ] || quiet=--quiet
pip_options="--disable-pip-version-check --root-user-action ignore $quiet"
works uv || works .boot/bin/uv || works "$python" -m pip ||
    die "pip is needed, and $python has none (Debian: apt install python3-pip)."
echo "Installing the locked dependencies of $1 (some seconds, or a minute on a slow line) …" >&2
began=$(date +%s)
rm -f "$stamp"
with_uv "$1" || with_pip "$1" || die "The dependencies could not be installed; the reason stands above."
made_from "$1" >"$stamp"
echo "Installed after $(($(date +%s) - began)) s." >&2
