#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Each rule of what removes a translation, taken out, and applied too widely, and
# those of hazards: the unit tests must notice every one of these.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
lab/need tlbsan-unit

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
here=lab/tlbsan
flags=(-std=c++17 -O0 -w)
for f in tables held rules machine check; do g++ "${flags[@]}" -c "$here/$f.cc" -o "$tmp/$f.o"; done
# All that a mutant includes, compiled once.
for f in rules machine; do g++ "${flags[@]}" -x c++-header "$here/$f.h" -o "$tmp/$f.h.gch"; done

# build FILE: all of it, with the copy of FILE that is there.
build() { g++ "${flags[@]}" -I"$here" -c "$tmp/$1.cc" -o "$tmp/$1.o" && g++ -o "$tmp/test" "$tmp"/*.o; }
passes() { build "$1" && "$tmp/test"; }

# mutants_of FILE TEST: what follows changes this file and has this test.
mutants_of() {
	file=$1
	whole=$(<"$here/$1.cc")
	g++ "${flags[@]}" -c "$here/unit/$2.cc" -o "$tmp/test.o"
	cp "$here/$1.cc" "$tmp"
	check "$1, unchanged, passes" passes "$1"
}

# mutant WHAT FUNCTION FROM TO: the first FROM in that function becomes TO.
mutant() {
	local what=$1 function=$2 from=$3 to=$4 head rest body
	head=${whole%%"$function"*}
	rest=$function${whole#*"$function"}
	body=${rest%%$'\n}\n'*}
	if [ "$head" = "$whole" ] || [[ $body != *"$from"* ]]; then
		not_ok "$what" "$function has no more: $from"
		return
	fi
	printf '%s%s%s\n' "$head" "${body/"$from"/"$to"}" "${rest#"$body"}" >"$tmp/$file.cc"
	if ! build "$file" 2>"$tmp/log"; then
		not_ok "$what" "does not compile: $(head -n1 "$tmp/log")"
	elif "$tmp/test" >"$tmp/out"; then
		not_ok "$what" "no test noticed"
	else
		ok "$what: $(grep -m1 '^not ok' "$tmp/out" | sed 's/.* - //')"
	fi
}

mutants_of rules rules-test

f='void invlpg(Vendor'
mutant "INVLPG leaves the page" "$f" 'c.held.drop_page(c.tag(), lin);' ';'
mutant "INVLPG leaves the global page" "$f" 'c.held.drop_page(GLOBAL, lin);' ';'
mutant "INVLPG leaves paging-structure caches" "$f" 'c.held.drop_nodes(c.tag());' ';'
mutant "INVLPG takes only what leads to the page" "$f" 'c.held.drop_nodes(c.tag());' 'c.held.drop_nodes_of(c.tag(), lin);'
mutant "INVLPG takes all of the PCID" "$f" 'c.held.drop_page(c.tag(), lin);' 'c.held.drop_pcid(c.tag(), r.now, &r.roots);'
mutant "INVLPG takes all globals" "$f" 'c.held.drop_page(GLOBAL, lin);' 'c.held.drop_globals(r.now);'
mutant "INVLPG takes another PCID's" "$f" 'c.held.drop_page(c.tag(), lin);' 'c.held.drop_page(c.tag(), lin); c.held.drop_page(2, lin);'
mutant "INVLPG takes another PCID's paging-structure caches" "$f" 'c.held.drop_nodes(c.tag());' 'c.held.drop_nodes(1); c.held.drop_nodes(2);'
mutant "AMD's TCE does nothing" "$f" 'v == AMD && c.tce' 'false'
mutant "AMD's always has TCE" "$f" 'v == AMD && c.tce' 'v == AMD'
mutant "Intel has TCE" "$f" 'v == AMD && c.tce' 'c.tce'
f='void invpcid(Cpu &c'
mutant "INVPCID 0 leaves the page" "$f" 'c.held.drop_page(pcid, lin);' ';'
mutant "INVPCID 0 leaves what leads to it" "$f" 'c.held.drop_nodes_of(pcid, lin);' ';'
mutant "INVPCID 0 takes all paging-structure caches" "$f" 'c.held.drop_nodes_of(pcid, lin);' 'c.held.drop_nodes(pcid);'
mutant "INVPCID 0 takes globals" "$f" 'c.held.drop_page(pcid, lin);' 'c.held.drop_page(pcid, lin); c.held.drop_page(GLOBAL, lin);'
mutant "INVPCID 0 takes the loaded PCID" "$f" 'c.held.drop_page(pcid, lin);' 'c.held.drop_page(c.tag(), lin);'
mutant "INVPCID 0 takes all of the PCID" "$f" 'c.held.drop_page(pcid, lin);' 'c.held.drop_pcid(pcid, r.now, &r.roots);'
mutant "INVPCID 1 does nothing" "$f" 'c.held.drop_pcid(pcid, r.now, &r.roots);' ';'
mutant "INVPCID 1 takes the loaded PCID" "$f" 'c.held.drop_pcid(pcid,' 'c.held.drop_pcid(c.tag(),'
mutant "INVPCID 1 takes all" "$f" 'c.held.drop_pcid(pcid, r.now, &r.roots);' 'everything(c, false, r);'
mutant "INVPCID 2 does nothing" "$f" 'everything(c, true, r);' ';'
mutant "INVPCID 2 leaves globals" "$f" 'everything(c, true, r);' 'everything(c, false, r);'
mutant "INVPCID 3 does nothing" "$f" 'everything(c, false, r);' ';'
mutant "INVPCID 3 takes globals" "$f" 'everything(c, false, r);' 'everything(c, true, r);'
f='bool mov_cr3('
mutant "MOV to CR3 does nothing" "$f" 'c.held.drop_pcid(c.tag(), r.now, &r.roots);' ';'
mutant "MOV to CR3 takes globals" "$f" 'c.held.drop_pcid(c.tag(), r.now, &r.roots);' 'everything(c, true, r);'
mutant "MOV to CR3 takes all PCIDs" "$f" 'c.held.drop_pcid(c.tag(), r.now, &r.roots);' 'everything(c, false, r);'
mutant "MOV to CR3 flushes despite bit 63" "$f" 'return false;' ';'
mutant "bit 63 counts without PCIDE" "$f" 'c.cr4 & CR4_PCIDE && ' ''
f='void mov_cr4('
mutant "CR4.PGE does nothing" "$f" 'changed & CR4_PGE || ' ''
mutant "CR4.PGE only when it goes" "$f" 'changed & CR4_PGE' 'was & ~now & CR4_PGE'
mutant "CR4.PGE leaves globals" "$f" 'everything(c, true, r);' 'everything(c, false, r);'
mutant "CR4.PCIDE does nothing" "$f" 'was & ~now & CR4_PCIDE' 'false'
mutant "CR4.PCIDE also when it comes" "$f" 'was & ~now & CR4_PCIDE' 'changed & CR4_PCIDE'
mutant "CR4.SMEP does nothing" "$f" ' || now & ~was & CR4_SMEP' ''
mutant "CR4.SMEP also when it goes" "$f" 'now & ~was & CR4_SMEP' 'changed & CR4_SMEP'
mutant "CR4.SMEP takes everything" "$f" 'c.held.drop_pcid(c.tag(), r.now, &r.roots);' 'everything(c, true, r);'
mutant "CR4.PAE does nothing" "$f" 'else if (changed & CR4_PAE || ' 'else if ('
mutant "CR4.PAE takes everything" "$f" '(v == AMD && ' '('
mutant "AMD's CR4.PAE takes the PCID" "$f" 'CR4_PAE | 1 << 4' '1 << 4'
mutant "AMD's CR4.PSE does nothing" "$f" 'CR4_PAE | 1 << 4' 'CR4_PAE'
mutant "any change of CR4" "$f" 'changed & CR4_PGE ||' 'changed ||'
f='void mov_cr0('
mutant "CR0.PG does nothing" "$f" 'everything(c, true, r);' ';'
mutant "CR0.PG leaves globals" "$f" 'everything(c, true, r);' 'everything(c, false, r);'
mutant "CR0.PG also when it comes" "$f" 'was & ~now & CR0_PG' '(was ^ now) & CR0_PG'
mutant "any change of CR0" "$f" 'was & ~now & CR0_PG' 'was ^ now'
f='void page_fault('
mutant "a fault leaves the page" "$f" 'c.held.drop_page(c.tag(), lin);' ';'
mutant "a fault leaves the global page" "$f" 'c.held.drop_page(GLOBAL, lin);' ';'
mutant "a fault leaves what leads there" "$f" 'c.held.drop_nodes_of(c.tag(), lin);' ';'
mutant "a fault takes all paging-structure caches" "$f" 'c.held.drop_nodes_of(c.tag(), lin);' 'c.held.drop_nodes(c.tag());'
mutant "a fault takes the PCID" "$f" 'c.held.drop_page(c.tag(), lin);' 'c.held.drop_pcid(c.tag(), r.now, &r.roots);'
mutant "a fault takes all globals" "$f" 'c.held.drop_page(GLOBAL, lin);' 'c.held.drop_globals(r.now);'
f='void invlpgb(Cpu'
mutant "INVLPGB for every PCID" "$f" 'w.pcid && t != w.pcid_value' 'false'
mutant "INVLPGB takes one page" "$f" 'i < w.count' 'i < 1'
mutant "INVLPGB forgets the stride" "$f" 'size(w.stride ? 1 : 0)' 'size(0)'
mutant "INVLPGB always takes what leads there" "$f" '!w.final_only' 'true'
mutant "INVLPGB always takes globals" "$f" '!w.global' 'false'
mutant "INVLPGB takes a guest's ASID for the host's" "$f" 'w.asid && w.asid_value' 'false'
mutant "INVLPGB takes all of the PCID for one address" "$f" '!w.va' 'true'
f='void Tlbsync::sync('
mutant "TLBSYNC for what others asked" "$f" 'o.cpu != cpu' 'false'
mutant "TLBSYNC does nothing" "$f" 'invlpgb(*c, o.what, r);' ';'

g++ "${flags[@]}" -c "$here/rules.cc" -o "$tmp/rules.o"
mutants_of check machine-test
f='bool Machine::hazard('
mutant "a hazard before the flush is due" "$f" '!writers.due(*s.by)' 'false'
mutant "a hazard of any PCID" "$f" 's.tag != GLOBAL && s.tag != c.tag()' 'false'
mutant "a PCID that is loaded later is as one that was" "$f" 's.away = true;' ';'
mutant "no hazard of a PCID that is loaded later" "$f" 'mixed && s.away && !elsewhere(tables, *below, p.t, p.t.lin)' 's.away'
mutant "nor another type" "$f" 'type(now, level) != p.t.type' 'false'
f='static bool elsewhere('
mutant "only the first small page is looked at" "$f" 'k < 512' 'k < 1'
mutant "another frame does not count" "$f" 'frame(e, t.level) != page.to(lin) || ' ''
mutant "another type does not count" "$f" ' || type(e, t.level) != page.type' ''
mutant "every small page counts" "$f" 'frame(e, t.level) != page.to(lin)' 'true'
cp "$here/check.cc" "$tmp"
build check
mutants_of machine machine-test
f='void Machine::cr3('
mutant "nobody looks when a PCID is loaded" "$f" 'hazards();' ';'
f='void Machine::hold_page('
mutant "user mode's addresses count" "$f" 't.lin >> 63 && ' ''
mutant "hazards that nobody asked for" "$f" 'o.hazards && ' ''
finish
