// SPDX-License-Identifier: GPL-2.0
/*
 * One turn: starts the workload, answers its gate with the snapshots before and
 * after its window, and collects what it prints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instrument/measure.h"
#include "instrument/trace.h"
#include "workload.h"

static void take_before(struct outcome *out, const struct request *request)
{
	snapshot_take(&out->before, &request->isolated);
	out->counted_before = companion_counted(&request->isolated);
	out->seen_before = companion_interruptions(request);
}

static void take_after(struct outcome *out, const struct request *request)
{
	out->seen_after = companion_interruptions(request);
	out->counted_after = companion_counted(&request->isolated);
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

void turn(struct outcome *out, const struct request *request)
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

/*
 * Runs the workload, and again if the witnesses disagree: an interrupt that
 * falls just between two of them spoils a measurement, not the next two. The
 * row says how often it took.
 */
void turn_until_agreed(struct outcome *out, const struct request *request,
		       const char *strategy)
{
	unsigned int attempts = 0;

	do {
		memset(out, 0, sizeof(*out));
		turn(out, request);
		snapshot_subtract(&out->after, &out->before);
		if (request->perturb)
			perturb(&out->after, request->perturb, strategy);
		out->agree = counters_agree(&out->after, strategy, out->why,
					    sizeof(out->why));
		out->attempts = ++attempts;
	} while (!out->agree && !request->perturb && attempts < 3);
}
