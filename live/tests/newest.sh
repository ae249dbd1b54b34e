#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# What `make run-live KERNEL=7.3` shows is what the module promises, too.
set -eu
cd "$(dirname "$0")/../.."
KERNEL=7.3 exec live/tests/quiet.sh
