// SPDX-License-Identifier: GPL-2.0
/*
 * plant.c - in the guest of the lab: has a CPU busy, a quell that watches it, and plants
 * one thing after the other that interrupts it, each again and again until quell names
 * it; says what quell said up to then, a line of JSON for each.
 *
 *	plant CPU MICROSECONDS LIMIT
 *
 * LIMIT is quell's. First there is nothing, until quell is asked for a dump and tells of
 * that; the device is the serial port, which is bound to the CPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct kind {
	const char	*name, *expected;	/* in the line that ends it */
} kinds[] = {
	{ "nothing", ": signal" },
	{ "timer", "timer planted_timer" },
	{ "work", "kworker planted_work" },
	{ "device", ":planted" },
	{ "membarrier", "membarrier ipi_mb" },
};
#define KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static int cpu, port, irq;
static volatile unsigned int now;	/* of kinds */

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), good;

	if (fd < 0)
		return 0;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	return !close(fd) && good;
}

static void *victim(void *unused)
{
	cpu_set_t set;

	(void)unused;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(1);
	prctl(PR_SET_NAME, "victim");
	/* An emulator that runs one CPU at a time goes on to the next one at a pause. */
	for (unsigned int i = 1;; i++)
		if (!(i % 10000))
			__builtin_ia32_pause();
	return NULL;
}

/* The interrupt of the serial port, which whoever opened the port keeps. */
static int serial_irq(void)
{
	char line[4096];
	int found = -1;
	FILE *f = fopen("/proc/interrupts", "r");

	while (f && found < 0 && fgets(line, sizeof(line), f))
		if (strstr(line, "ttyS0"))
			found = atoi(line);
	if (f)
		fclose(f);
	return found;
}

static int bind_device(int to)
{
	char file[64], number[16];

	snprintf(file, sizeof(file), "/proc/irq/%d/smp_affinity_list", irq);
	snprintf(number, sizeof(number), "%d", to);
	return put(file, number);
}

static int prepare(const char *us)
{
	char text[128];
	int fd = open("/planted.ko", O_RDONLY);

	mount("nodev", "/sys/kernel/tracing", "tracefs", 0, NULL);
	port = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK);
	irq = serial_irq();
	snprintf(text, sizeof(text), "cpu=%d us=%s irq=%d", cpu, us, irq);
	/* The last one: this process calls membarriers of its own. */
	return port >= 0 && irq >= 0 && bind_device(0) && fd >= 0 &&
	       !syscall(SYS_finit_module, fd, text, 0) && !syscall(SYS_membarrier, 16, 0, 0);
}

/* A thread, or a membarrier would be another process's. */
static void *planter(void *arg)
{
	const pid_t *quell = arg;

	prctl(PR_SET_NAME, "planter");
	for (;; usleep(50000)) {
		const char *kind = kinds[now < KINDS ? now : KINDS - 1].name;

		if (!strcmp(kind, "nothing")) {
			usleep(200000);
			kill(*quell, SIGUSR1);
		} else if (!strcmp(kind, "device")) {
			/* The log is behind the port; what does not fit is left out. */
			if (!bind_device(cpu) || (write(port, "planted\n", 8) < 0 && errno != EAGAIN))
				exit(1);
		} else if (!strcmp(kind, "membarrier")) {
			syscall(SYS_membarrier, 8, 0, 0);
		} else if (!put("/sys/module/planted/parameters/plant", kind)) {
			exit(1);
		}
	}
	return NULL;
}

static FILE *watch(const char *limit, const char *on, pid_t *pid)
{
	int out[2];

	if (pipe(out))
		return NULL;
	*pid = fork();
	if (!*pid) {
		dup2(out[1], 1);
		execl("/bin/quell", "quell", "watch", "--over", limit, "-c", on, "--dump", "/dumps",
		      "-d", "60s", "--keep", "1s", "--after", "10ms", "--pause", "1ms", NULL);
		_exit(127);
	}
	close(out[1]);
	return fdopen(out[0], "r");
}

/* Whether it was named. Standard output is where results go. */
static int tell(const struct kind *k, FILE *f)
{
	char line[1024];
	int found = 0;

	printf("{\"workload\":\"planted\",\"kind\":\"%s\",\"said\":[", k->name);
	for (const char *comma = ""; !found && fgets(line, sizeof(line), f); comma = ",") {
		line[strcspn(line, "\n")] = '\0';
		for (char *p = line; *p; p++)
			if (*p == '"' || *p == '\\')
				*p = '\'';
		printf("%s\"%s\"", comma, line);
		found = strstr(line, k->expected) != NULL;
	}
	printf("]}\n");
	fflush(stdout);
	return found;
}

int main(int argc, char **argv)
{
	char line[1024] = "";
	int status, found = 1;
	pthread_t t;
	pid_t pid;
	FILE *f;

	if (argc != 4)
		return 2;
	cpu = atoi(argv[1]);
	if (!prepare(argv[2])) {
		perror("plant");
		return 1;
	}
	f = watch(argv[3], argv[1], &pid);
	if (!f || !fgets(line, sizeof(line), f) || strncmp(line, "watching", 8))
		return 1;
	if (pthread_create(&t, NULL, victim, NULL) || pthread_create(&t, NULL, planter, &pid))
		return 1;
	for (; found && now < KINDS; now++)
		found = tell(&kinds[now], f);
	kill(pid, SIGTERM);
	while (fgets(line, sizeof(line), f))
		;
	waitpid(pid, &status, 0);
	_exit(!found || status);
}
