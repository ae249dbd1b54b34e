// SPDX-License-Identifier: GPL-2.0
/* Workloads that run at the same time; see jobs.h. */
#define _GNU_SOURCE
#include "workloads/jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

#define MAX_WORDS 8

static bool once(const struct job *job)
{
	return strchr(job->line[0], '%');
}

static void start(struct job *job, long ms)
{
	char line[128], number[32], *word[MAX_WORDS + 1], *save;
	bool second = job->line[1] && job->runs % 2;
	int words = 0;

	job->pid = fork();
	if (job->pid < 0)
		die("fork");
	if (job->pid)
		return;
	snprintf(line, sizeof(line), "%s", job->line[second]);
	snprintf(number, sizeof(number), "%ld", ms);
	for (char *at = strtok_r(line, " ", &save); at && words < MAX_WORDS;
	     at = strtok_r(NULL, " ", &save))
		word[words++] = strcmp(at, "%ld") ? at : number;
	word[words] = NULL;
	/* The window that is measured is that of the whole. */
	unsetenv(GATE_VARIABLE);
	dup2(job->output, STDOUT_FILENO);
	execvp(word[0], word);
	die("cannot run %s", word[0]);
}

static struct job *running(struct job *jobs, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++) {
		if (jobs[i].pid == pid)
			return &jobs[i];
	}
	die("lost a job");
}

void jobs_run(struct job *jobs, size_t count, long ms)
{
	uint64_t begin = now_ns(), end = begin + (uint64_t)ms * 1000000;
	int left = 0;

	for (size_t i = 0; i < count; i++) {
		if (jobs[i].left_out)
			continue;
		jobs[i].output = memfd_create(jobs[i].line[0], MFD_CLOEXEC);
		if (jobs[i].output < 0)
			die("no memory for a job's output");
		start(&jobs[i], ms);
		left++;
	}
	while (left) {
		int status;
		bool again;
		struct job *job = running(jobs, count, wait(&status));

		job->pid = 0;
		job->runs++;
		job->ms = (now_ns() - begin) / 1000000;
		if (status) {
			char name[32];

			job->failures++;
			job_name(job, name, sizeof(name));
			fprintf(stderr, "%s failed, status %#x\n", name,
				(unsigned int)status);
		}
		again = job->rounds ? job->runs < job->rounds :
			now_ns() < end || job_operations(job) < job->least;
		if (again && !once(job) && !status)
			start(job, ms);
		else
			left--;
	}
}

unsigned long job_count(const struct job *job, const char *name)
{
	size_t length = strlen(name);
	unsigned long sum = 0;
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", job->output);
	text = must_read(path);
	for (char *at = text; (at = strstr(at, name)); at += length) {
		if (at[length] == '=' && (at == text || strchr(" \n", at[-1])))
			sum += strtoul(at + length + 1, NULL, 10);
	}
	free(text);
	return sum;
}

unsigned long job_operations(const struct job *job)
{
	return job_count(job, "ops");
}

void job_name(const struct job *job, char *name, size_t len)
{
	snprintf(name, len, "%.*s", (int)strcspn(job->line[0], " "),
		 job->line[0]);
}
