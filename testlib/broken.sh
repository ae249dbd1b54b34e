# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The live module with something broken about it, for tests that must find out.
# Sourced by scripts that have $kdir, $tmp and testlib/tap.sh, and have built
# the module itself to $tmp/good.

# broken NAME FILE SED-SCRIPT: $tmp/NAME.ko, a module that differs by that.
broken() {
	mkdir -p "${tmp:?}/broken"
	rm -rf "$tmp/broken/$1"
	cp -r "$tmp/good/source" "$tmp/broken/$1"
	sed -i "$3" "$tmp/broken/$1/$2"
	if cmp -s "$tmp/good/source/$2" "$tmp/broken/$1/$2"; then
		not_ok "module '$1' is broken" "the source no longer has what was to be changed"
	elif make -s -C "${kdir:?}" M="$tmp/broken/$1" modules >"$tmp/broken/$1.log" 2>&1; then
		mv "$tmp/broken/$1/quell_live.ko" "$tmp/$1.ko"
		ok "module '$1' is broken, and builds"
	else
		not_ok "module '$1' is broken, and builds" "$(tail -n 3 "$tmp/broken/$1.log")"
	fi
}

# Each breaks one promise.
broken_nobody() { broken nobody sync.c '/^static bool live_must_interrupt/,/^}/s/return true;/return false;/'; }
broken_known() { broken known sync.c 's/if (req->mm && !live_runs_mm(cpu, req->mm)) {/if (req->mm) {/'; }
broken_mask() { broken mask sync.c 's/return READ_ONCE(live_current(cpu)->mm) == mm;/return false;/'; }
broken_idle() { broken idle sync.c 's/if (!pt_cpu_in_kernel(cpu)) {/if (!req->mm) {/'; }
broken_guess() { broken guess collapse.c '/^struct mm_struct \*live_collapse_mm/,/^}/s/return NULL;/return current->mm;/'; }
