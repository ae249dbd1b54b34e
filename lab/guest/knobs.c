// SPDX-License-Identifier: GPL-2.0
/* Settings of the kernel a workload borrows and gives back at exit. */
#include "knobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfile.h"

#define MAX_KNOBS 16

static struct knob {
	const char *path;
	char *before;
} knobs[MAX_KNOBS];

static unsigned int borrowed;
static pid_t borrower;

/* A forked child that ends must not give back what its parent still uses. */
static void give_back(void)
{
	if (getpid() != borrower)
		return;
	while (borrowed) {
		struct knob *it = &knobs[--borrowed];

		if (!write_file(it->path, it->before))
			fprintf(stderr, "cannot restore %s to '%s'\n",
				it->path, it->before);
		free(it->before);
		it->before = NULL;
	}
}

/* The chosen word, in place. */
static char *chosen(char *text)
{
	char *open = strchr(text, '['), *close;

	if (!open) {
		text[strcspn(text, "\n")] = '\0';
		return text;
	}
	close = strchr(open, ']');
	if (close)
		*close = '\0';
	return open + 1;
}

bool borrow_knob(const char *path, const char *value)
{
	char *text = read_file(path);

	if (!text) {
		errno = 0;
		return false;
	}
	if (borrowed == MAX_KNOBS)
		die("too many settings borrowed");
	if (!borrower) {
		borrower = getpid();
		atexit(give_back);
	}
	must_write(path, value);
	knobs[borrowed].path = path;
	knobs[borrowed].before = strdup(chosen(text));
	borrowed++;
	free(text);
	return true;
}
