// SPDX-License-Identifier: GPL-2.0
/*
 * measure: runs a workload once under every strategy the kernel offers and
 * writes one JSON line each, of exactly the interrupts between the workload's
 * window_open() and window_close(). A program that has no such window is
 * counted from before its start to after its end.
 *
 * With --repeat the strategies take turns that often: the time of an operation
 * is then a median with its extremes, which may be nothing but noise; the
 * counts are those of the last turn.
 *
 * What the counters are and when they agree is in counters.h. --perturb
 * falsifies one of them by one, which must turn counters_agree to false: it
 * is there to show that the agreement can fail.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instrument/measure.h"
#include "instrument/trace.h"
#include "knobs.h"
#include "workload.h"

#define STRATEGY "/sys/kernel/debug/pt_sync/strategy"
#define FLUSH "/sys/kernel/debug/pt_sync/flush_backend"
#define STOCK "stock"
/* Time for a switch of strategy, and for its grace period, to be over. */
#define SETTLE_MS 20

struct names {
	unsigned int count;
	char name[MAX_STRATEGIES][NAME_LENGTH];
};

static void split(struct names *to, const char *list)
{
	while (to->count < MAX_STRATEGIES) {
		size_t n;

		list += strspn(list, " ,\n[]");
		n = strcspn(list, " ,\n[]");
		if (!n)
			return;
		if (n >= NAME_LENGTH)
			die("'%s' is too long for a name", list);
		memcpy(to->name[to->count], list, n);
		to->name[to->count++][n] = '\0';
		list += n;
	}
}

static bool known(const struct names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++) {
		if (!strcmp(names->name[i], name))
			return true;
	}
	return false;
}

/* What to run under; also leaves the strategy to return to in @original. */
static void choose(struct names *chosen, const char *wanted, char *original)
{
	struct names offered = { 0 };
	char *text = read_file(STRATEGY), *bracket;

	original[0] = '\0';
	if (text) {
		split(&offered, text);
		bracket = strchr(text, '[');
		if (!bracket ||
		    sscanf(bracket + 1, "%63[^]]", original) != 1)
			die("cannot understand " STRATEGY);
		free(text);
	} else {
		errno = 0;
		split(&offered, STOCK);
	}
	if (!strcmp(wanted, "all")) {
		*chosen = offered;
		return;
	}
	split(chosen, wanted);
	if (!chosen->count)
		die("--strategies names none");
	for (unsigned int i = 0; i < chosen->count; i++) {
		if (!known(&offered, chosen->name[i]))
			die("this kernel has no strategy '%s'",
			    chosen->name[i]);
	}
}

static void set_strategy(const char *name)
{
	if (!strcmp(name, STOCK))
		return;
	must_write(STRATEGY, name);
	sleep_ms(SETTLE_MS);
}

static void usage(FILE *to)
{
	fputs("usage: measure [options] -- WORKLOAD [ARGUMENT]...\n"
	      "Runs a workload under each strategy and counts interrupts.\n"
	      "  --strategies LIST|all  which (default all the kernel has;\n"
	      "                         an unmodified kernel has 'stock')\n"
	      "  --name NAME            what to call the workload in the row\n"
	      "  --isolated LIST        keep these CPUs busy in user mode and\n"
	      "                         count what interrupts them\n"
	      "  --repeat N             take N turns, for the time (1 to 99)\n"
	      "  --guests               busy with a guest of KVM each\n"
	      "  --flush NAME           with this test-only backend of TLB\n"
	      "                         flushes, of kernels that have them\n"
	      "  --perturb SOURCE       falsify one of interrupts, tlb,\n"
	      "                         vectors, queued, run, stats\n", to);
}

static bool parse(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{ "strategies", required_argument, NULL, 's' },
		{ "name", required_argument, NULL, 'n' },
		{ "isolated", required_argument, NULL, 'i' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "guests", no_argument, NULL, 'g' },
		{ "flush", required_argument, NULL, 'f' },
		{ "perturb", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char *end;
	int option;

	request->strategies = "all";
	request->repeat = 1;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 's':
			request->strategies = optarg;
			break;
		case 'n':
			request->name = optarg;
			break;
		case 'i':
			if (!cpus_parse(&request->isolated, optarg))
				die("'%s' is no list of CPUs", optarg);
			break;
		case 'r':
			request->repeat = strtol(optarg, &end, 10);
			if (*end || request->repeat < 1 ||
			    request->repeat > MAX_REPEAT)
				die("--repeat is '%s', must be 1 to %d", optarg,
				    MAX_REPEAT);
			break;
		case 'g':
			request->guests = true;
			break;
		case 'f':
			request->flush = optarg;
			break;
		case 'p':
			request->perturb = optarg;
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			return false;
		}
	}
	request->command = argv + optind;
	if (!request->command[0])
		return false;
	if (!request->name) {
		const char *slash = strrchr(request->command[0], '/');

		request->name = slash ? slash + 1 : request->command[0];
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct outcome outcome;
	static struct times times[MAX_STRATEGIES];
	struct names strategies = { 0 };
	struct request request = { 0 };
	char original[NAME_LENGTH];
	int failed = 0;

	if (!parse(&request, argc, argv)) {
		usage(stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	choose(&strategies, request.strategies, original);
	if (request.flush && !borrow_knob(FLUSH, request.flush))
		die("this kernel has no flush backends");
	stay_on_housekeeping();
	trace_start();
	companion_start(&request.isolated, request.guests);

	for (unsigned int i = 0; i < strategies.count * (request.repeat - 1); i++) {
		unsigned int which = i % strategies.count;

		set_strategy(strategies.name[which]);
		memset(&outcome, 0, sizeof(outcome));
		turn(&outcome, &request);
		take_time(&times[which], &outcome);
	}
	for (unsigned int i = 0; i < strategies.count; i++) {
		set_strategy(strategies.name[i]);
		turn_until_agreed(&outcome, &request, strategies.name[i]);
		take_time(&times[i], &outcome);
		failed += !put_row(&outcome, &request, strategies.name[i],
				   &times[i]);
	}

	if (original[0])
		set_strategy(original);
	companion_stop();
	trace_stop();
	return failed ? 1 : 0;
}
