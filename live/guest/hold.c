// SPDX-License-Identifier: GPL-2.0
/*
 * hold: does a sync wait for whom it must wait for? With the test module
 * quell_hold a CPU stands still in the kernel with interrupts off, as a walker
 * does, only longer; if that is still so when the sync has ended, nobody has
 * waited for it.
 *
 *   hold waits|passes COMMAND [ARGUMENT]...
 *	while another process stands still, a workload does what its window
 *	encloses, and must wait, or must not
 *   hold waits|passes --trimmed
 *	while a thread of this process stands still, its CPU not in the mask of
 *	the mm, a collapse of this mm
 *
 * The CPU that stands still is the last one, which has to be isolated, so that
 * the workload is not there as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sysfile.h"
#include "workload.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define HOLD "/sys/kernel/debug/quell_hold"
#define HOLD_MS "1500"
#define TRIES 5

static bool held(void)
{
	return read_number(HOLD, -1) == 1;
}

static int last_cpu(void)
{
	return (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

/* False if the kernel would rather have it tried again. */
static bool collapse(char *memory)
{
	if (!madvise(memory, HUGE_PAGE, MADV_COLLAPSE))
		return true;
	if (errno != EAGAIN)
		die("MADV_COLLAPSE");
	return false;
}

/*
 * A collapse first has each CPU put its batched pages away, for which it waits.
 * If all have just done so, nothing of this is left for the one that counts.
 */
static char *two_pages_one_collapsed(void)
{
	char *memory = map_aligned(2 * HUGE_PAGE, HUGE_PAGE);

	touch(memory, 2 * HUGE_PAGE, (unsigned long)page_size());
	for (int i = 0; !collapse(memory); i++) {
		if (i == TRIES)
			die("MADV_COLLAPSE");
		sleep_ms(10);
	}
	return memory + HUGE_PAGE;
}

static int told[2];

/* Stands still once it is told to, with nothing left to do but that. */
static void stand_still(const char *how)
{
	int file = open(HOLD, O_WRONLY | O_CLOEXEC);
	char go;

	if (file < 0)
		die("%s", HOLD);
	if (read(told[0], &go, 1) == 1 &&
	    write(file, how, strlen(how)) != (ssize_t)strlen(how))
		die("cannot stand still");
	close(file);
}

static void have_it_stand(void)
{
	if (write(told[1], "g", 1) != 1)
		die("nobody to tell");
	while (!held())
		sleep_ms(1);
}

static void *trimmed_thread(void *unused)
{
	pin_to(last_cpu());
	stand_still(HOLD_MS " trimmed");
	return unused;
}

/* Tried again from the beginning: while somebody stands there is no time to. */
static bool trimmed(void)
{
	bool waited = false, collapsed = false;
	pthread_t thread;
	char *memory;

	only_base_pages();
	stay_on_housekeeping();
	for (int i = 0; !collapsed; i++) {
		if (i == TRIES)
			die("MADV_COLLAPSE");
		if (pthread_create(&thread, NULL, trimmed_thread, NULL))
			die("pthread_create");
		sleep_ms(50);
		memory = two_pages_one_collapsed();
		have_it_stand();
		collapsed = collapse(memory);
		waited = !held();
		pthread_join(thread, NULL);
	}
	return waited;
}

/* Answers the workload's gate as `measure` does. */
static bool beside(char **command)
{
	int gate[2], answer[2], status;
	bool waited = false, closed = false;
	char what, variable[32];
	pid_t walker, worker;

	walker = fork();
	if (!walker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin_to(last_cpu());
		stand_still(HOLD_MS);
		_exit(0);
	}
	if (walker < 0 || pipe(gate) || pipe(answer))
		die("cannot begin");
	worker = fork();
	if (!worker) {
		close(gate[0]);
		close(answer[1]);
		snprintf(variable, sizeof(variable), "%d,%d", answer[0],
			 gate[1]);
		setenv(GATE_VARIABLE, variable, 1);
		execvp(command[0], command);
		die("%s", command[0]);
	}
	if (worker < 0)
		die("fork");
	close(gate[1]);
	stay_on_housekeeping();
	while (read(gate[0], &what, 1) == 1) {
		if (what == GATE_OPEN) {
			two_pages_one_collapsed();
			have_it_stand();
		} else {
			waited = !held();
			closed = true;
		}
		if (write(answer[1], &what, 1) != 1)
			die("the workload is gone");
	}
	if (waitpid(worker, &status, 0) != worker || status || !closed)
		die("%s failed", command[0]);
	waitpid(walker, NULL, 0);
	return waited;
}

int main(int argc, char **argv)
{
	bool waited, expected;

	if (argc < 3 || (strcmp(argv[1], "waits") && strcmp(argv[1], "passes"))) {
		fputs("usage: hold waits|passes --trimmed | COMMAND [ARGUMENT]...\n",
		      stderr);
		return 2;
	}
	expected = !strcmp(argv[1], "waits");
	if (pipe(told))
		die("pipe");
	waited = !strcmp(argv[2], "--trimmed") ? trimmed() : beside(argv + 2);
	printf("{\"hold\":\"%s\",\"waited\":%s}\n", argv[2],
	       waited ? "true" : "false");
	return waited == expected ? 0 : 1;
}
