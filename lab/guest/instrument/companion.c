// SPDX-License-Identifier: GPL-2.0
/*
 * The companion of a measurement: a program that is busy on the isolated CPUs,
 * or guests that are, and what it has seen so far.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instrument/isolated.h"
#include "instrument/measure.h"
#include "workload.h"

#define KVM_EXITS "/sys/kernel/debug/kvm/exits"

static struct seen_by_all *seen;
static pid_t companion;

void companion_start(const struct cpus *where, bool guests)
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

void companion_stop(void)
{
	if (companion <= 0)
		return;
	kill(companion, SIGKILL);
	waitpid(companion, NULL, 0);
}

bool companion_watches(void)
{
	return seen;
}

static uint64_t kvm_exits(void)
{
	char *text = must_read(KVM_EXITS);
	uint64_t exits = strtoull(text, NULL, 10);

	free(text);
	return exits;
}

uint64_t companion_interruptions(const struct request *request)
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

uint64_t companion_counted(const struct cpus *where)
{
	uint64_t least = UINT64_MAX;

	for (int cpu = 0; seen && cpu < MAX_CPUS; cpu++) {
		uint64_t it = atomic_load(&seen->guest[cpu].counted);

		if (where->has[cpu] && it < least)
			least = it;
	}
	return least;
}
