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
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instrument/counters.h"
#include "instrument/isolated.h"
#include "json.h"
#include "knobs.h"
#include "instrument/trace.h"
#include "workload.h"

#define STRATEGY "/sys/kernel/debug/pt_sync/strategy"
#define FLUSH "/sys/kernel/debug/pt_sync/flush_backend"
#define STOCK "stock"
#define KVM_EXITS "/sys/kernel/debug/kvm/exits"
/* Time for a switch of strategy, and for its grace period, to be over. */
#define SETTLE_MS 20
#define OUTPUT 4096
#define MAX_REPEAT 99

struct request {
	const char *name, *strategies, *flush, *perturb;
	struct cpus isolated;
	long repeat;
	bool guests;
	char **command;
};

/* Picoseconds per operation, a number for each turn. */
struct times {
	int64_t ps[MAX_REPEAT];
	unsigned int count;
};

struct outcome {
	struct snapshot before, after;
	uint64_t seen_before, seen_after;
	uint64_t counted_before, counted_after;
	bool windowed;
	int status;
	char output[OUTPUT];
	size_t length;
	bool agree;
	unsigned int attempts;
	char why[256];
};

static struct seen_by_all *seen;
static pid_t companion;

/* --- strategies --------------------------------------------------------- */

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

/* --- the companion on the isolated CPUs ---------------------------------- */

static void start_companion(const struct cpus *where, bool guests)
{
	char list[512], fd[16];
	int file;

	if (!cpus_count(where))
		return;
	cpus_format(where, list, sizeof(list));
	file = memfd_create("quell-seen", 0);
	if (file < 0 || ftruncate(file, sizeof(*seen)))
		die("no memory to share");
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED,
		    file, 0);
	if (seen == MAP_FAILED)
		die("cannot map the shared memory");
	snprintf(fd, sizeof(fd), "%d", file);
	companion = fork();
	if (companion == 0) {
		execlp("isolated", "isolated", "--cpus", list, "--shared", fd,
		       guests ? "--guests" : NULL, NULL);
		die("cannot start isolated");
	}
	close(file);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!where->has[cpu])
			continue;
		while (!atomic_load(&seen->cpu[cpu].running)) {
			if (waitpid(companion, NULL, WNOHANG) == companion)
				die("isolated did not start");
			sleep_ms(1);
		}
	}
	errno = 0;
}

static uint64_t kvm_exits(void)
{
	char *text = must_read(KVM_EXITS);
	uint64_t exits = strtoull(text, NULL, 10);

	free(text);
	return exits;
}

/* A guest does not see its exits; the kernel counts those of all guests. */
static uint64_t interruptions(const struct request *request)
{
	const struct cpus *where = &request->isolated;
	uint64_t sum = 0;

	if (request->guests)
		return kvm_exits();
	for (int cpu = 0; seen && cpu < MAX_CPUS; cpu++) {
		if (where->has[cpu])
			sum += atomic_load(&seen->cpu[cpu].interruptions);
	}
	return sum;
}

/* --- one run ------------------------------------------------------------- */

/* What the guest that got least far has counted. */
static uint64_t counted(const struct cpus *where)
{
	uint64_t least = UINT64_MAX;

	for (int cpu = 0; seen && cpu < MAX_CPUS; cpu++) {
		uint64_t it = atomic_load(&seen->guest[cpu].counted);

		if (where->has[cpu] && it < least)
			least = it;
	}
	return least;
}

static void take_before(struct outcome *out, const struct request *request)
{
	snapshot_take(&out->before, &request->isolated);
	out->counted_before = counted(&request->isolated);
	out->seen_before = interruptions(request);
}

static void take_after(struct outcome *out, const struct request *request)
{
	out->seen_after = interruptions(request);
	out->counted_after = counted(&request->isolated);
	snapshot_take(&out->after, &request->isolated);
}

static void answer_gate(struct outcome *out, const struct request *request,
			char what, int to)
{
	if (what == GATE_OPEN)
		take_before(out, request);
	else
		take_after(out, request);
	out->windowed = what == GATE_CLOSE;
	if (write(to, &what, 1) != 1)
		fprintf(stderr, "measure: the workload is gone\n");
}

/*
 * Serves the workload's gate and collects what it prints, until it has closed
 * both by ending.
 */
static void serve(struct outcome *out, const struct request *request,
		  int output, int gate, int answer)
{
	struct pollfd fds[] = {
		{ .fd = output, .events = POLLIN },
		{ .fd = gate, .events = POLLIN },
	};

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		char what, *to = out->output + out->length;
		size_t room = sizeof(out->output) - 1 - out->length;
		char waste[512];
		ssize_t n;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents) {
			n = read(output, room ? to : waste,
				 room ? room : sizeof(waste));
			if (n <= 0)
				fds[0].fd = -1;
			else if (room)
				out->length += (size_t)n;
		}
		if (fds[1].revents) {
			if (read(gate, &what, 1) == 1)
				answer_gate(out, request, what, answer);
			else
				fds[1].fd = -1;
		}
	}
	out->output[out->length] = '\0';
	errno = 0;
}

static void run(struct outcome *out, const struct request *request)
{
	int output[2], gate[2], answer[2];
	char variable[32];
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) || pipe(gate) || pipe(answer))
		die("pipe");
	take_before(out, request);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(gate[0]);
		close(answer[1]);
		dup2(output[1], STDOUT_FILENO);
		snprintf(variable, sizeof(variable), "%d,%d", answer[0],
			 gate[1]);
		setenv(GATE_VARIABLE, variable, 1);
		execvp(request->command[0], request->command);
		fprintf(stderr, "measure: cannot run %s: %s\n",
			request->command[0], strerror(errno));
		_exit(127);
	}
	close(output[1]);
	close(gate[1]);
	close(answer[0]);
	serve(out, request, output[0], gate[0], answer[1]);
	while (waitpid(pid, &out->status, 0) < 0 && errno == EINTR)
		;
	if (!out->windowed)
		take_after(out, request);
	close(output[0]);
	close(gate[0]);
	close(answer[1]);
	errno = 0;
}

/* --- the row -------------------------------------------------------------- */

static void perturb_function(struct functions *functions)
{
	struct function *sync = function_named(functions, SYNC_FUNCTION);

	if (!sync)
		die("--perturb: no room for another function");
	sync->hits++;
}

/* One count too many in one place, to see the agreement fail. */
static void perturb(struct snapshot *since, const char *source,
		    const char *strategy)
{
	if (!strcmp(source, "interrupts"))
		since->interrupts.calls[0]++;
	else if (!strcmp(source, "tlb"))
		since->interrupts.tlb[0]++;
	else if (!strcmp(source, "vectors"))
		since->entries.hits[0]++;
	else if (!strcmp(source, "queued"))
		perturb_function(&since->queued);
	else if (!strcmp(source, "run"))
		perturb_function(&since->run);
	else if (!strcmp(source, "stats") && since->stats.present)
		for (unsigned int i = 0; i < since->stats.strategies; i++) {
			if (strcmp(since->stats.strategy[i], strategy))
				continue;
			for (unsigned int j = 0; j < since->stats.columns; j++)
				since->stats.value[i][j]++;
		}
	else
		die("--perturb: nothing to change about '%s'", source);
}

static void put_functions(const char *key, const struct functions *functions,
			  bool isolated)
{
	json_open(key);
	for (unsigned int i = 0; i < functions->count; i++) {
		const struct function *it = &functions->of[i];
		uint64_t hits = isolated ? it->isolated : it->hits;

		if (hits)
			json_number(it->name, (int64_t)hits);
	}
	json_close();
}

static void put_stats(const struct stats *stats, const char *strategy)
{
	if (!stats->present)
		return;
	json_open("stats");
	for (unsigned int j = 0; j < stats->columns; j++)
		json_number(stats->column[j], (int64_t)
			    stats_value(stats, strategy, stats->column[j]));
	json_close();
}

/*
 * "ops=N ns=N key=value..." of the workload's last such line, as keys of the
 * row. Returns false if the workload did not say.
 */
static bool put_result(char *output)
{
	char *line = NULL, *save, *at;

	for (at = strtok_r(output, "\n", &save); at;
	     at = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(at, "ops=", 4))
			line = at;
	}
	if (!line)
		return false;
	for (at = strtok_r(line, " ", &save); at;
	     at = strtok_r(NULL, " ", &save)) {
		char *value = strchr(at, '='), *end;
		long long number;

		if (!value)
			continue;
		*value++ = '\0';
		number = strtoll(value, &end, 10);
		if (end != value && !*end)
			json_number(at, number);
		else
			json_text(at, value);
	}
	return true;
}

static void put_arguments(char **command)
{
	char text[512] = "";
	size_t used = 0;

	for (int i = 1; command[i]; i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s",
				 i > 1 ? " " : "", command[i]);

		if (n < 0 || (used += (size_t)n) >= sizeof(text))
			break;
	}
	json_text("args", text);
}

/*
 * Runs the workload, and again if the witnesses disagree: an interrupt that
 * falls just between two of them spoils a measurement, not the next two. The
 * row says how often it took.
 */
static void run_until_agreed(struct outcome *out, const struct request *request,
			     const char *strategy)
{
	unsigned int attempts = 0;

	do {
		memset(out, 0, sizeof(*out));
		run(out, request);
		snapshot_subtract(&out->after, &out->before);
		if (request->perturb)
			perturb(&out->after, request->perturb, strategy);
		out->agree = counters_agree(&out->after, strategy, out->why,
					    sizeof(out->why));
		out->attempts = ++attempts;
	} while (!out->agree && !request->perturb && attempts < 3);
}

/* What a turn took, if it says so. */
static void take_time(struct times *times, const struct outcome *out)
{
	const char *line = strstr(out->output, "ops=");
	unsigned long long ops, ns;

	if (line && sscanf(line, "ops=%llu ns=%llu", &ops, &ns) == 2 && ops &&
	    times->count < MAX_REPEAT)
		times->ps[times->count++] = (int64_t)(ns * 1000 / ops);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Nothing, unless every turn has its time. */
static void put_times(struct times *times, long repeat)
{
	if (repeat < 2 || times->count != repeat)
		return;
	qsort(times->ps, times->count, sizeof(times->ps[0]), by_size);
	json_number("repeats", repeat);
	json_number("op_ps", times->ps[times->count / 2]);
	json_number("op_ps_least", times->ps[0]);
	json_number("op_ps_most", times->ps[times->count - 1]);
}

/* Writes the row; false if the workload failed. */
static bool put_row(struct outcome *out, const struct request *request,
		    const char *strategy, struct times *times)
{
	bool exited = WIFEXITED(out->status) && !WEXITSTATUS(out->status);
	struct snapshot *since = &out->after;
	struct utsname system;
	bool good;

	uname(&system);
	json_begin();
	json_text("kernel", system.release);
	json_text("arch", system.machine);
	json_number("cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_number("isolated", cpus_count(&request->isolated));
	json_text("workload", request->name);
	put_arguments(request->command);
	json_text("strategy", strategy);
	if (request->flush)
		json_text("flush", request->flush);
	good = put_result(out->output) && exited;
	put_times(times, request->repeat);
	json_number("sync_ipis", (int64_t)
		    function_hits(&since->run, SYNC_FUNCTION));
	json_number("call_ipis", (int64_t)total_calls(since, NULL));
	json_number("tlb_ipis", (int64_t)total_tlb(since, NULL));
	json_number("isolated_ipis", (int64_t)
		    total_calls(since, &request->isolated));
	if (seen)
		json_number("isolated_interruptions", (int64_t)
			    (out->seen_after - out->seen_before));
	if (request->guests) {
		json_bool("guests", true);
		/* Of the slowest, not exactly: it may be between two of its own. */
		json_number("guest_counted", (int64_t)
			    (out->counted_after - out->counted_before));
	}
	put_functions("calls", &since->run, false);
	/*
	 * By what senders queued: some kinds of calls (irq_work) are not
	 * traced where they run, and each is somebody's interrupt.
	 */
	if (cpus_count(&request->isolated))
		put_functions("isolated_calls", &since->queued, true);
	put_stats(&since->stats, strategy);
	json_bool("windowed", out->windowed);
	json_number("attempts", out->attempts);
	json_bool("counters_agree", out->agree);
	if (!out->agree)
		json_text("disagreement", out->why);
	if (!exited) {
		json_number("exit", WIFEXITED(out->status) ?
			    WEXITSTATUS(out->status) : -1);
		json_number("signal", WIFSIGNALED(out->status) ?
			    WTERMSIG(out->status) : 0);
	}
	json_end();
	return good;
}

/* --- the command line ------------------------------------------------------ */

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
	start_companion(&request.isolated, request.guests);

	for (unsigned int i = 0; i < strategies.count * (request.repeat - 1); i++) {
		unsigned int which = i % strategies.count;

		set_strategy(strategies.name[which]);
		memset(&outcome, 0, sizeof(outcome));
		run(&outcome, &request);
		take_time(&times[which], &outcome);
	}
	for (unsigned int i = 0; i < strategies.count; i++) {
		set_strategy(strategies.name[i]);
		run_until_agreed(&outcome, &request, strategies.name[i]);
		take_time(&times[i], &outcome);
		failed += !put_row(&outcome, &request, strategies.name[i],
				   &times[i]);
	}

	if (original[0])
		set_strategy(original);
	if (companion > 0) {
		kill(companion, SIGKILL);
		waitpid(companion, NULL, 0);
	}
	trace_stop();
	return failed ? 1 : 0;
}
