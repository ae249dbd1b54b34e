#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The same packages in Debian 13, with the newest kernel of its backports.
SUITE=trixie exec "$(dirname "$0")/packages.sh"
