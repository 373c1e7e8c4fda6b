#!/bin/sh
# Programs of the system that some tests need: Chromium shows the report as a person would see it.
# Installed where that is allowed (Debian, root); elsewhere the tests that need them say what is missing.
set -eu
if ! command -v chromium >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
