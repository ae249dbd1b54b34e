#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# counts.sh on 64 CPUs, what `make run` boots when nothing else is said.
QUELL_TEST_CPUS=64 exec "$(dirname "$0")/counts.sh"
