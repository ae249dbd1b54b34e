// SPDX-License-Identifier: GPL-2.0
/* One JSON object per line on stdout, written key by key. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>

static bool first;

/* Bytes above 0x7e may not be UTF-8 (a kernel's, a program's): shown as '?'. */
static void quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c > 0x7e ? '?' : c);
	}
	putchar('"');
}

static void key(const char *name)
{
	if (!first)
		putchar(',');
	first = false;
	quoted(name);
	putchar(':');
}

void json_begin(void)
{
	putchar('{');
	first = true;
}

void json_text(const char *name, const char *value)
{
	key(name);
	quoted(value);
}

void json_number(const char *name, int64_t value)
{
	key(name);
	printf("%" PRId64, value);
}

void json_bool(const char *name, bool value)
{
	key(name);
	fputs(value ? "true" : "false", stdout);
}

void json_open(const char *name)
{
	key(name);
	json_begin();
}

void json_close(void)
{
	putchar('}');
	first = false;
}

void json_end(void)
{
	fputs("}\n", stdout);
	fflush(stdout);
}
