// SPDX-License-Identifier: GPL-2.0
/*
 * stress: everything at once. Removers and walkers over and over, while the
 * strategy is switched and CPUs come and go. Ends with one JSON line that says
 * how often each ran and how much it did; a single failure of any fails the
 * whole. The kernel's own complaints are for whoever reads its log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "knobs.h"
#include "workload.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define MAX_WORDS 8

/* "%ld" is the milliseconds of the whole: such a job runs once, to the end. */
static struct job {
	const char *line;
	bool uses_hotplug;
	pid_t pid;
	int output;
	unsigned long runs, failures;
} jobs[] = {
	{ .line = "race --ms %ld" },
	{ .line = "switch --ms %ld" },
	{ .line = "hotplug --ms %ld", .uses_hotplug = true },
	{ .line = "collapse --mib 4" },
	{ .line = "khugepaged --mib 4" },
	{ .line = "unshare --rounds 8" },
	{ .line = "gup --mib 1 --pages 8" },
	{ .line = "munmap --rounds 20 --threads 1" },
	{ .line = "table-free --tables 8" },
	{ .line = "vunmap --rounds 2" },
	{ .line = "perf --ms 200" },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static bool once(const struct job *job)
{
	return strchr(job->line, '%');
}

static void start(struct job *job, long ms)
{
	char line[128], number[32], *word[MAX_WORDS + 1], *save;
	int words = 0;

	job->pid = fork();
	if (job->pid < 0)
		die("fork");
	if (job->pid)
		return;
	snprintf(line, sizeof(line), "%s", job->line);
	snprintf(number, sizeof(number), "%ld", ms);
	for (char *at = strtok_r(line, " ", &save); at && words < MAX_WORDS;
	     at = strtok_r(NULL, " ", &save))
		word[words++] = strcmp(at, "%ld") ? at : number;
	word[words] = NULL;
	dup2(job->output, STDOUT_FILENO);
	execvp(word[0], word);
	fprintf(stderr, "stress: cannot run %s: %s\n", word[0],
		strerror(errno));
	_exit(127);
}

/* All that the runs of a job said they did, a line each. */
static unsigned long operations(const struct job *job)
{
	unsigned long sum = 0;
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", job->output);
	text = must_read(path);
	for (char *at = text; (at = strstr(at, "ops=")); at += 4)
		sum += strtoul(at + 4, NULL, 10);
	free(text);
	return sum;
}

static struct job *running(pid_t pid)
{
	for (size_t i = 0; i < JOBS; i++) {
		if (jobs[i].pid == pid)
			return &jobs[i];
	}
	return NULL;
}

static void name_of(const struct job *job, char *name, size_t len)
{
	snprintf(name, len, "%.*s", (int)strcspn(job->line, " "), job->line);
}

/*
 * The first and the last event of its kind patch the kernel's page-fault path
 * (a static key). QEMU 7.2 with a thread per CPU may go on running what stood
 * there before, and an int3 nobody expects any more kills the guest, ours or
 * a stock one. So one such event is kept for the duration, and `perf` finds
 * the path patched already. A kernel without perf has nothing to patch.
 */
static void keep_fault_events_on(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS_MIN,
		.disabled = 1,
	};

	if (syscall(__NR_perf_event_open, &attr, 0, -1, -1,
		    PERF_FLAG_FD_CLOEXEC) < 0)
		errno = 0;
}

int main(int argc, char **argv)
{
	long ms = 10000, hotplug = 1;
	const struct number numbers[] = {
		{ "ms", &ms, "how long" },
		{ "hotplug", &hotplug, "0: leave the CPUs alone" },
		{ NULL, NULL, NULL },
	};
	unsigned long runs = 0, failures = 0;
	uint64_t begin, end;
	int left = 0;
	char name[32];

	parse_numbers(argc, argv,
		      "Runs all removers, walkers, switches and hotplug.",
		      numbers);
	/*
	 * Jobs borrow this and give back what they found: here already, so
	 * that none gives back too much while others still need it.
	 */
	borrow_knob(THP_ENABLED, "madvise");
	stay_on_housekeeping();
	keep_fault_events_on();
	begin = now_ns();
	end = begin + (uint64_t)ms * 1000000;
	for (size_t i = 0; i < JOBS; i++) {
		if (jobs[i].uses_hotplug && !hotplug)
			continue;
		jobs[i].output = memfd_create(jobs[i].line, MFD_CLOEXEC);
		if (jobs[i].output < 0)
			die("no memory for a job's output");
		start(&jobs[i], ms);
		left++;
	}
	while (left) {
		int status;
		pid_t pid = wait(&status);
		struct job *job = running(pid);

		if (!job)
			die("lost a job");
		job->pid = 0;
		job->runs++;
		if (status) {
			job->failures++;
			name_of(job, name, sizeof(name));
			fprintf(stderr, "stress: %s failed, status %#x\n",
				name, (unsigned int)status);
		}
		if (now_ns() < end && !once(job) && !status)
			start(job, ms);
		else
			left--;
	}

	json_begin();
	json_text("stress", "all");
	json_number("ns", (int64_t)(now_ns() - begin));
	for (size_t i = 0; i < JOBS; i++) {
		if (!jobs[i].runs)
			continue;
		name_of(&jobs[i], name, sizeof(name));
		json_open(name);
		json_number("runs", (int64_t)jobs[i].runs);
		json_number("ops", (int64_t)operations(&jobs[i]));
		json_close();
		runs += jobs[i].runs;
		failures += jobs[i].failures;
	}
	json_number("runs", (int64_t)runs);
	json_number("failures", (int64_t)failures);
	json_end();
	return failures ? 1 : 0;
}
