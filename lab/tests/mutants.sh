#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Changes to one line of ours, each noticed by the test that should: lab/mutants.
# Those of the kernel build and boot one each: QUELL_MUTANTS=user leaves them out.
set -euo pipefail
cd "$(dirname "$0")/../.."
lab/need test
# Two runs, one plan.
{
	lab/mutants
	[ "${QUELL_MUTANTS:-all}" = user ] || lab/mutants --kernel
} | awk '
	/^1\.\./ { next }
	/^ok / { sub(/^ok [0-9]+/, "ok " ++n) }
	/^not ok / { sub(/^not ok [0-9]+/, "not ok " ++n) }
	{ print; fflush() }
	END { print "1.." n + 0 }'
