#!/bin/sh
# Programs of the system that some tests need: Chromium shows the report as a person would see it, a Java Development Kit
# asks the service that orders repairs as tidyparse does. Installed where that is allowed (Debian, root); elsewhere the
# tests that need them say what is missing.
set -eu
missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core"
command -v javac >/dev/null 2>&1 || missing="$missing default-jdk-headless"
if [ -n "$missing" ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
