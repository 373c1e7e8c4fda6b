#!/bin/sh
# ESLint and eslint-plugin-sonarjs, which tests hold the metrics of JavaScript against. Installed once, in the versions of
# the lock file; without npm the tests that need them say so.
set -eu
folder="$(dirname "$0")/../tests/source/metrics/javascript_oracle"
if command -v npm >/dev/null 2>&1 && ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed"; then
    (cd "$folder" && npm ci --silent --no-progress >/dev/null && cp package-lock.json node_modules/.installed)
fi
