// SPDX-License-Identifier: GPL-2.0
/* text.c - text that came from outside, made fit to be shown. */
#define _GNU_SOURCE
#include <langinfo.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "quell.h"
#include "text.h"

#define PIECE	16	/* the longest form of one character */

static bool utf8_terminal;

void text_locale(void)
{
	setlocale(LC_CTYPE, "");
	utf8_terminal = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* The length of the UTF-8 sequence at @p and its character; 0 if it is none. */
static int decode(const unsigned char *p, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	int n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 :
		p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (!n)
		return 0;
	*c = n == 1 ? p[0] : p[0] & (0x7f >> n);
	for (int i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	/* Overlong, a surrogate, or beyond Unicode. */
	if (*c < least[n] || (*c >= 0xd800 && *c < 0xe000) || *c > 0x10ffff)
		return 0;
	return n;
}

/*
 * Controls of both kinds, and what has no shape of its own or turns the order
 * of what stands beside it: with these, one name could pose as another.
 */
static bool invisible(uint32_t c)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x34f, 0x34f },
		{ 0x61c, 0x61c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0x3164, 0x3164 }, { 0xe000, 0xf8ff },
		{ 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return (c & 0xfffe) == 0xfffe;
}

static const char *special(unsigned char c, enum text_to to)
{
	switch (to) {
	case TEXT_XML:
		return c == '<' ? "&lt;" : c == '>' ? "&gt;" :
		       c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
	case TEXT_JSON:
	case TEXT_LABEL:
		return c == '"' ? "\\\"" : NULL;
	default:
		return NULL;
	}
}

/*
 * One character of *@s, as it stands where it goes. Return: its width in columns;
 * 0 where a terminal would join it to the one before.
 */
static int piece(const char **s, char out[PIECE], enum text_to to)
{
	const unsigned char *p = (const unsigned char *)*s;
	/* These two have an escape of their own, which begins like ours. */
	const char *backslash = to == TEXT_JSON || to == TEXT_LABEL ? "\\\\" : "\\";
	const char *other = special(*p, to);
	uint32_t c = 0;
	int n = decode(p, &c), width = 1;

	*s += n ? n : 1;
	if (n > 1 && to == TEXT_PLAIN)
		width = utf8_terminal ? wcwidth(c) : -1;
	if (*p == '\\')
		return snprintf(out, PIECE, "%s%s", backslash, backslash);
	if (!n || (n == 1 && invisible(c)))
		return snprintf(out, PIECE, "%sx%02x", backslash, *p);
	if (width < 1 || invisible(c))
		return snprintf(out, PIECE, "%su{%x}", backslash, c);
	if (other) {
		snprintf(out, PIECE, "%s", other);
		return 1;
	}
	memcpy(out, p, n);
	out[n] = '\0';
	return width;
}

void text_put(FILE *f, const char *s, enum text_to to)
{
	char out[PIECE];

	while (*s) {
		piece(&s, out, to);
		fputs(out, f);
	}
}

int text_columns(const char *s)
{
	char out[PIECE];
	int n = 0;

	while (*s)
		n += piece(&s, out, TEXT_PLAIN);
	return n;
}

void text_padded(FILE *f, const char *s, int width)
{
	text_put(f, s, TEXT_PLAIN);
	width -= text_columns(s);
	if (width > 0)
		fprintf(f, "%*s", width, "");
}

void text_cell(FILE *f, const char *s, int width)
{
	const char *at = s;
	char out[PIECE];
	int used = 0, n;

	if (width < 1)
		return;
	if (text_columns(s) <= width) {
		text_padded(f, s, width);
		return;
	}
	while (used + (n = piece(&at, out, TEXT_PLAIN)) < width) {
		fputs(out, f);
		used += n;
	}
	fprintf(f, "~%*s", width - 1 - used, "");
}

char *text_visible(const char *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		die(EXIT_FAILED, "out of memory");
	text_put(f, s, TEXT_PLAIN);
	fclose(f);
	return text;
}
