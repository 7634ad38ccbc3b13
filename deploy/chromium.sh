#!/bin/sh
# Sees to it that there is a Chromium for the browser tests: the one without windows where it can be had, for it does the
# same in half the time. Where there is none they are left out, except in CI.
set -u

there() { command -v "$1" >/dev/null 2>&1; }

# Where there is one already, a quicker one is not waited for longer than this; the only one is waited for (0: no end).
patience=0
for name in chromium chromium-browser google-chrome; do
    there "$name" && patience=60
done

# What was fetched is installed to the end.
fetch() { timeout "$patience" apt-get -qq -y -o Acquire::http::Timeout=10 "$@"; }
debian() { fetch install --download-only --no-install-recommends --no-remove "$1"; }
get() {
    [ "$(id -u)" = 0 ] && there apt-get || return 1
    echo "Installing $1 …"
    { debian "$1" || { fetch update && debian "$1"; }; } >/dev/null 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove "$1" >/dev/null 2>&1
    there "$1"
}

there chromium-headless-shell && exit 0
get chromium-headless-shell && exit 0
[ "$patience" = 0 ] || exit 0
get chromium && exit 0
if [ -n "${CI:-}" ]; then
    echo "There is no Chromium and it could not be installed: apt install chromium" >&2
    exit 1
fi
echo "There is no Chromium (apt install chromium): the browser tests are left out." >&2
