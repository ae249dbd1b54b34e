#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# Debian's own Prometheus scrapes the exporter on loopback, with the example
# configuration, and evaluates the example rules; both dialects are checked by
# promtool; every query of the dashboard is one Prometheus understands.
# Wants a kernel that can trace IPIs here, on this machine.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
need_packages cli-test prometheus
check "promtool accepts the rules" promtool check rules docs/operate/prometheus/rules.yml
check "promtool accepts the configuration" promtool check config docs/operate/prometheus/scrape.yml
check "the dashboard is JSON with six panels" jq -en 'input | .panels | length == 6' docs/operate/prometheus/dashboard.json
native "the exporter is scraped"
port=19481 web=19482
background build/cli/quell export --listen $port -c all -d 120s
sed "s/9479/$port/; s/^\( *\)scrape_interval: 15s/\1scrape_interval: 1s\n\1evaluation_interval: 1s/" docs/operate/prometheus/scrape.yml >"$tmp/prometheus.yml"
cp docs/operate/prometheus/rules.yml "$tmp/"
background prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
	--web.listen-address=127.0.0.1:$web >"$tmp/log" 2>&1

# Is the answer to a query what jq says it should be? Scrapes take their time.
query() {
	curl -sG --max-time 5 --data-urlencode "query=$1" "http://127.0.0.1:$web/api/v1/query"
}
becomes() {
	local _
	for _ in $(seq 60); do
		query "$1" | jq -en "input | $2" >/dev/null 2>&1 && return 0
		sleep 0.5
	done
	query "$1" | head -c 500
	return 1
}
check "Prometheus finds the exporter up" becomes 'up{job="quell"}' '.data.result[0].value[1] == "1"'
check "with the kernel it runs on" becomes 'quell_info' ".data.result[0].metric.kernel == \"$(uname -r)\""
check "and interrupts that grow" becomes 'sum(rate(quell_interrupts_total[10s]))' '.data.result[0].value[1] | tonumber > 0'
check "every CPU and cause has a series" becomes 'count(quell_interrupts_total)' \
	".data.result[0].value[1] | tonumber == $(nproc) * 21"
evaluated() {
	local _
	for _ in $(seq 60); do
		curl -s --max-time 5 "http://127.0.0.1:$web/api/v1/rules" |
			jq -en 'input | [.data.groups[].rules[]] | length == 4 and all(.health == "ok")' && return
		sleep 0.5
	done
	return 1
}
check "the rules are evaluated without error" evaluated
bad=0 queries=0
# shellcheck disable=SC2016 # Grafana's variables, not the shell's
while read -r expr; do
	expr=${expr//'$__rate_interval'/1m} expr=${expr//'$instance'/.*}
	queries=$((queries + 1))
	query "$expr" | jq -en 'input | .status == "success"' >/dev/null || { bad=$((bad + 1)); note "$expr"; }
done < <(jq -r '.panels[].targets[].expr' docs/operate/prometheus/dashboard.json)
check "every one of $queries queries of the dashboard is understood" test $bad = 0 -a $queries -ge 6

curl -s "http://127.0.0.1:$port/metrics" >"$tmp/plain"
curl -s -H 'Accept: application/openmetrics-text; version=1.0.0' "http://127.0.0.1:$port/metrics" >"$tmp/open"
check "promtool accepts the older format" promtool check metrics <"$tmp/plain"
check "OpenMetrics ends as it must" test "$(tail -n 1 "$tmp/open")" = '# EOF'
check "another path is not found" test "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/")" = 404
check "another method is not allowed" test "$(curl -s -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.1:$port/metrics")" = 405
# A client that says nothing must not hold up the next one for long.
exec 3<>"/dev/tcp/127.0.0.1/$port"
check "a silent client does not block the exporter" curl -sf --max-time 5 -o /dev/null "http://127.0.0.1:$port/metrics"
exec 3>&-

background build/cli/quell export --textfile "$tmp/quell.prom" -i 500ms -d 120s
text=$!
for _ in $(seq 100); do [ ! -s "$tmp/quell.prom" ] || break; sleep 0.2; done
cp "$tmp/quell.prom" "$tmp/read.prom"
check "the textfile is what the collector reads" promtool check metrics <"$tmp/read.prom"
kill -INT $text
wait $text || true
check "and is gone with the exporter" test ! -e "$tmp/quell.prom"
finish
