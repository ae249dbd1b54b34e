// SPDX-License-Identifier: GPL-2.0
/*
 * torture: runs the kernel's torture test of pt_sync (a module, which does all
 * the work) for a while and tells its verdict as one JSON line.
 *
 *   torture [--ms N] [--backend NAME] [PARAMETER=VALUE ...]
 *
 * The backend is that of TLB flushes (/sys/kernel/debug/pt_sync/flush_backend).
 * With fault=NAME the module must find something, which ends the test at once;
 * finding nothing is then the failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "json.h"
#include "knobs.h"
#include "workload.h"

#define FRAMEWORK "/lib/torture.ko"
#define MODULE "/lib/pt_sync_torture.ko"
#define BACKEND "/sys/kernel/debug/pt_sync/flush_backend"
#define FOUND "/sys/module/pt_sync_torture/parameters/found"
#define SAYS "pt_sync-torture: "
#define VERDICT "--- End of test: "

static void insert(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s", path);
	if (syscall(SYS_finit_module, fd, parameters, 0) && errno != EEXIST)
		die("cannot insert %s (%s)", path, parameters);
	errno = 0;
	close(fd);
}

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		die("/dev/kmsg");
	return fd;
}

/* "found=0 walks=1 ...": each becomes a number. */
static void tell_counts(char *text)
{
	char *save, *word, *is;

	for (word = strtok_r(text, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		is = strchr(word, '=');
		if (!is)
			continue;
		*is = '\0';
		json_number(word, atoll(is + 1));
	}
}

/* What the module has said since; returns its verdict, or "" without any. */
static const char *tell_log(int log)
{
	static char verdict[32];
	static char counts[1024];
	char record[2048], *text;
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		text = strstr(record, SAYS);
		if (!text)
			continue;
		text += strlen(SAYS);
		if (!strncmp(text, "found=", 6))
			snprintf(counts, sizeof(counts), "%s", text);
		else if (!strncmp(text, VERDICT, strlen(VERDICT)))
			sscanf(text + strlen(VERDICT), "%31[A-Z_]", verdict);
	}
	errno = 0;
	tell_counts(counts);
	return verdict;
}

static void usage(void)
{
	puts("usage: torture [--ms N] [--backend NAME] [PARAMETER=VALUE ...]\n"
	     "Runs the kernel's torture test of pt_sync.\n"
	     "  --ms N          how long (default 10000)\n"
	     "  --backend NAME  of TLB flushes: native, silent or elide\n"
	     "  PARAMETER=VALUE for the module; fault=NAME: something must be found");
}

int main(int argc, char **argv)
{
	const char *backend = "native", *fault = "none", *strategy = "";
	const char *verdict;
	char parameters[512] = "";
	uint64_t start, end;
	bool expected, found;
	long ms = 10000;
	int log;

	for (int i = 1; i < argc; i++) {
		size_t used = strlen(parameters);

		if (!strcmp(argv[i], "--help")) {
			usage();
			return 0;
		} else if (!strcmp(argv[i], "--ms") && i + 1 < argc) {
			ms = atol(argv[++i]);
		} else if (!strcmp(argv[i], "--backend") && i + 1 < argc) {
			backend = argv[++i];
		} else if (strchr(argv[i], '=') && argv[i][0] != '-') {
			snprintf(parameters + used, sizeof(parameters) - used,
				 "%s ", argv[i]);
			if (!strncmp(argv[i], "fault=", 6))
				fault = argv[i] + 6;
			if (!strncmp(argv[i], "strategy=", 9))
				strategy = argv[i] + 9;
		} else {
			fprintf(stderr, "torture: what is %s? (see --help)\n",
				argv[i]);
			return 2;
		}
	}
	if (ms <= 0)
		die("--ms wants a positive number");
	expected = strcmp(fault, "none");
	if (!borrow_knob(BACKEND, backend) && strcmp(backend, "native"))
		die("this kernel cannot flush by %s", backend);
	log = open_log();
	/* It may be built into the kernel. */
	if (!access(FRAMEWORK, F_OK))
		insert(FRAMEWORK, "");
	start = now_ns();
	end = start + (uint64_t)ms * 1000000;
	insert(MODULE, parameters);
	do {
		sleep_ms(50);
		found = read_number(FOUND, 0) > 0;
	} while (now_ns() < end && !found);
	end = now_ns();
	if (syscall(SYS_delete_module, "pt_sync_torture", 0))
		die("cannot remove the module");

	json_begin();
	json_text("torture", "pt_sync");
	json_text("fault", fault);
	json_text("strategy", strategy);
	json_text("backend", backend);
	json_text("parameters", parameters);
	json_number("ms", (int64_t)((end - start) / 1000000));
	verdict = tell_log(log);
	json_text("verdict", verdict);
	json_end();
	return strcmp(verdict, expected ? "FAILURE" : "SUCCESS") ||
	       found != expected;
}
