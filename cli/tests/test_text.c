// SPDX-License-Identifier: GPL-2.0
/*
 * test_text.c - names that want to do harm: in no form of output is there a
 * control character, and no two names look the same.
 */
#define _GNU_SOURCE
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "../quell.h"
#include "../text.h"
#include "tap.h"

static char *put(const char *s, enum text_to to)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	text_put(f, s, to);
	fclose(f);
	return text;
}

static bool becomes(const char *s, enum text_to to, const char *want)
{
	char *text = put(s, to);
	bool same = !strcmp(text, want);

	if (!same)
		printf("# got \"%s\", wanted \"%s\"\n", text, want);
	free(text);
	return same;
}

/* Is there a byte that a terminal obeys, or half a character? */
static bool harmless(const char *text)
{
	mbstate_t st = { 0 };
	wchar_t wide[4096];

	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0))
			return false;
	return mbsrtowcs(wide, &text, 4096, &st) != (size_t)-1;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

#define MOST	(256 * 256 + 2 * 256)

/* Every pair of bytes, and every byte after two beginnings of a character. */
static void test_all(enum text_to to, const char *what)
{
	static const char *const before[] = { "", "\xe2\x80", "\xf0\x9f\x98" };
	static char *seen[MOST];
	size_t n = 0, bad = 0, same = 0;
	char name[8];

	for (size_t b = 0; b < ARRAY_SIZE(before); b++) {
		for (int i = 1; i < 256; i++) {
			for (int k = 0; k < (b ? 1 : 256); k++) {
				snprintf(name, sizeof(name), "%s%c%c", before[b], i, k);
				seen[n] = put(name, to);
				bad += !harmless(seen[n++]);
			}
		}
	}
	qsort(seen, n, sizeof(*seen), compare);
	for (size_t i = 1; i < n; i++)
		same += !strcmp(seen[i - 1], seen[i]);
	for (size_t i = 0; i < n; i++)
		free(seen[i]);
	ok(!bad, "%s: %zu names, no control, no half character (%zu bad)", what, n, bad);
	ok(!same, "%s: and no two look the same (%zu do)", what, same);
}

static bool cell(const char *s, int width, const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool same;

	text_cell(f, s, width);
	fclose(f);
	same = !strcmp(text, want);
	if (!same)
		printf("# got \"%s\", wanted \"%s\"\n", text, want);
	free(text);
	return same;
}

void test_text(void)
{
	bool utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;

	test_all(TEXT_PLAIN, "text");
	test_all(TEXT_XML, "SVG");
	test_all(TEXT_JSON, "JSON");
	test_all(TEXT_LABEL, "metrics");
	ok(becomes("\033]2;PWNED\a", TEXT_PLAIN, "\\x1b]2;PWNED\\x07"),
	   "a title for the terminal does not become one");
	ok(becomes("a\xc2\x9b" "31m", TEXT_JSON, "a\\\\u{9b}31m"),
	   "nor does a C1 control get into JSON");
	ok(becomes("\x01" "a", TEXT_LABEL, "\\\\x01a") &&
	   becomes("\x02" "a", TEXT_LABEL, "\\\\x02a"), "two names are two labels");
	ok(becomes("a\xe2\x80\xae" "b", TEXT_XML, "a\\u{202e}b"),
	   "nothing turns the direction of writing");
	ok(becomes("<b a=\"1\">&\\", TEXT_XML, "&lt;b a=&quot;1&quot;&gt;&amp;\\\\"),
	   "markup is none");
	ok(becomes("caf\xc3\xa9", TEXT_JSON, "caf\xc3\xa9") &&
	   becomes("caf\xc3\xa9", TEXT_PLAIN, "caf\\u{e9}"),
	   "letters stay letters, but for a terminal that was not asked");
	if (utf8) {
		setenv("LC_ALL", "C.UTF-8", 1);
		text_locale();
		ok(becomes("caf\xc3\xa9 \xe4\xba\x9b", TEXT_PLAIN, "caf\xc3\xa9 \xe4\xba\x9b"),
		   "a UTF-8 terminal gets them as they are");
		ok(cell("\xe4\xba\x9b\xe4\xba\x9b", 5, "\xe4\xba\x9b\xe4\xba\x9b ") &&
		   cell("\xe4\xba\x9b\xe4\xba\x9b", 3, "\xe4\xba\x9b~") &&
		   cell("\xe4\xba\x9b\xe4\xba\x9b", 2, "~ "), "wide ones are two columns");
		ok(becomes("o\xcc\x88", TEXT_PLAIN, "o\\u{308}"), "a mark does not pile up");
	}
	ok(cell("collapse", 8, "collapse") && cell("collapse", 7, "collap~") &&
	   cell("ab", 4, "ab  ") && cell("a\nb", 4, "a~  ") && cell("a", 0, ""),
	   "a cell is as wide as it was told, and says that it was cut");
}
