// SPDX-License-Identifier: GPL-2.0
/* attach.c - show what a service observes; see attach.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/attach.h"
#include "observe/local.h"
#include "quell.h"
#include "record/snapshot.h"

#define GONE_NS		10000000000ull	/* a service that is started again is back by then */
#define MAX_STRINGS	(1u << 20)

struct attach {
	char		*path;
	struct snapshot	now;
	uint64_t	last;		/* when there was an answer */
	bool		silent;
};

/* Return: 0, or an errno, and *@why says what is wrong. */
static int take(struct attach *a, struct session *s, bool *anew, const char **why)
{
	static struct summary fresh;
	struct snapshot about;
	char *body;
	size_t len;
	FILE *f;
	int err = local_ask(a->path, &body, &len, why);

	if (err)
		return err;
	summary_init(&fresh, &s->strings, &s->stacks);
	f = len ? fmemopen(body, len, "r") : NULL;
	*why = f ? snapshot_read(&fresh, &about, f) : "empty";
	if (f)
		fclose(f);
	free(body);
	if (!*why && s->strings.n > MAX_STRINGS)
		*why = "full of names without end";
	if (*why) {
		summary_free(&fresh);
		return EPROTO;
	}
	*anew = *a->now.id && strcmp(a->now.id, about.id);
	if (!*anew)
		snapshot_inherit(&fresh, &s->sum);
	summary_free(&s->sum);
	s->sum = fresh;
	memset(&fresh, 0, sizeof(fresh));
	a->now = about;
	a->last = now_ns();
	s->from = a->last - about.age;
	if (about.noticed) {
		s->noticed = s->from + about.noticed;
		snprintf(s->notice, sizeof(s->notice), "%s", about.notice);
	}
	return 0;
}

/* No session option is given, and no group is asked for: sums have all of them. */
static bool plain(const struct session_options *own, const struct session *s)
{
	return !own->cpus && !own->what && !own->buffer_kb && !s->only.sender &&
	       !s->only.victim;
}

struct attach *attach_open(const struct attach_options *o,
			   const struct session_options *own, struct session *s)
{
	struct attach *a;
	const char *why;
	bool anew;
	int err;

	if (o->path && o->alone)
		die(EXIT_USAGE, "either --attach or --alone");
	if (o->path && (s->only.sender || s->only.victim))
		die(EXIT_USAGE, "--attach shows what the service observes, the sums of all: --sender and --victim need --alone");
	if (o->path && !plain(own, s))
		die(EXIT_USAGE, "--attach shows what the service observes: --cpus, --what and --buffer are given to that");
	if (o->alone || (!o->path && !plain(own, s)))
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->path = xstrdup(o->path ? o->path : LOCAL_PATH);
	summary_init(&s->sum, &s->strings, &s->stacks);
	err = take(a, s, &anew, &why);
	if (!err)
		return a;
	if (err == EACCES && (o->path || geteuid()))
		die(EXIT_DENIED, "attaching to %s needs root, or the group of that socket", a->path);
	if (o->path)
		die(EXIT_FAILED, "%s: %s", a->path, why);
	if (err != ECONNREFUSED)
		complain("not attached to %s: %s; observing alone", a->path, why);
	free(a->path);
	free(a);
	return NULL;
}

static void say(struct session *s, char *text)
{
	snprintf(s->notice, sizeof(s->notice), "%s", text);
	s->noticed = now_ns();
	if (!s->on_screen)
		complain("%s", text);
	free(text);
}

bool attach_poll(struct attach *a, struct session *s)
{
	const char *why;
	bool anew = false;

	if (!take(a, s, &anew, &why)) {
		if (anew)
			say(s, xasprintf("the service at %s began anew: so do the numbers", a->path));
		a->silent = false;
		return anew;
	}
	if (now_ns() - a->last > GONE_NS)
		die(EXIT_FAILED, "the service at %s is gone: %s", a->path, why);
	if (!a->silent)
		say(s, xasprintf("the service at %s is gone: %s; waiting for it", a->path, why));
	a->silent = true;
	return false;
}

uint64_t attach_age(const struct attach *a)
{
	return a->now.age;
}

const char *attach_path(const struct attach *a)
{
	return a->path;
}

void attach_close(struct attach *a, struct session *s)
{
	summary_free(&s->sum);
	strtab_free(&s->strings);
	strtab_free(&s->stacks);
	free(a->path);
	free(a);
}
