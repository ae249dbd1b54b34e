#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Debian 13's own 6.12, its generic flavour: the module is built in a Debian 13, by the
# compiler that built that kernel, and does there what others.sh wants.
set -eu
cd "$(dirname "$0")/../.."
KERNEL=6.12+deb13-amd64 exec live/tests/others.sh
