#!/bin/sh
# Makes the four streams with three replicas, as the services would make them with one. A stream that is there stays.
set -eu

for name in identity directory certificates notifications; do
    stream=$(echo "$name" | tr a-z A-Z)
    nats stream info "$stream" >/dev/null 2>&1 ||
        nats stream add "$stream" --subjects "$name.>" --replicas 3 --storage file --retention limits \
            --max-age 30d --dupe-window 10m --defaults
done
