// SPDX-License-Identifier: GPL-2.0
/*
 * kernel-flush-race: an isolated CPU comes into the kernel and reads an address
 * over and over while another CPU maps other pages there. Under the orders that
 * are broken on purpose (F5, F6, F10) it may read by a translation that should
 * have been flushed; what tells is not this program but a detector of those.
 *
 * Wants a kernel with CONFIG_KERNEL_FLUSH_TEST.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "checks/kernel-flush.h"
#include "workload.h"

static atomic_bool enough;
static atomic_ulong reads;

static void *reader(void *argument)
{
	unsigned int seed = 1;
	char text[32];
	int file = open(KERNEL_FLUSH_TEST, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		die("%s", KERNEL_FLUSH_TEST);
	pin_to((int)(intptr_t)argument);
	while (!atomic_load(&enough)) {
		if (pread(file, text, sizeof(text) - 1, 0) < 0)
			die("cannot read %s", KERNEL_FLUSH_TEST);
		atomic_fetch_add(&reads, 1);
		/* For a while in user mode, where flushes are deferred. */
		for (volatile int i = rand_r(&seed) % 400; i; i--)
			;
	}
	close(file);
	return NULL;
}

int main(int argc, char **argv)
{
	long broken = 0, delay = 0, nest = 0, rounds = 200, cpu = 1;
	const struct number numbers[] = {
		{ "broken", &broken, "which order: 0 the right one, 1 F5, 2 F6, 3 F10" },
		{ "delay", &delay, "loops at each test point" },
		{ "nest", &nest, "1 + the test point at which NMIs come, 0 none" },
		{ "rounds", &rounds, "how often something else is mapped" },
		{ "cpu", &cpu, "the isolated CPU that reads" },
		{ NULL, NULL, NULL },
	};
	pthread_t thread;
	uint64_t ns;

	parse_numbers(argc, argv,
		      "Reads an address on an isolated CPU while it is remapped.",
		      numbers);
	pin_to(0);
	kernel_flush_command("remap", 0);
	kernel_flush_command("broken", broken);
	kernel_flush_command("delay", delay);
	kernel_flush_command("nest", nest);
	errno = pthread_create(&thread, NULL, reader, (void *)(intptr_t)cpu);
	if (errno)
		die("cannot start a thread");
	while (!atomic_load(&reads))
		sleep_ms(1);
	window_open();
	for (long i = 0; i < rounds; i++) {
		kernel_flush_command("remap", 0);
		kernel_flush_command("replace", 1);
	}
	ns = window_close();
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	kernel_flush_command("broken", 0);
	kernel_flush_command("delay", 0);
	kernel_flush_command("nest", 0);
	report((unsigned long)rounds, ns, "reads=%lu", atomic_load(&reads));
	return 0;
}
