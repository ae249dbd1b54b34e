#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The KUnit tests of the newest grafted kernel: another boot.
KERNEL=7 exec "$(dirname "$0")/kunit.sh"
