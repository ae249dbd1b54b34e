#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Every command that README or `make help` names, each the first one given on a
# fresh machine. Hours; FRESH='make bench*' for some.
FRESH_TIER=deep exec "$(dirname "$0")/fresh.sh"
