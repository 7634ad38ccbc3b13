#!/bin/sh
# Sees to it that there is a Chromium for the browser tests. Where it cannot be had they are left out, except in CI.
set -u

for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests …"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 &&
        command -v chromium >/dev/null 2>&1 && exit 0
fi
if [ -n "${CI:-}" ]; then
    echo "There is no Chromium and it could not be installed: apt install chromium" >&2
    exit 1
fi
echo "There is no Chromium (apt install chromium): the browser tests are left out." >&2
