/* SPDX-License-Identifier: GPL-2.0 */
/*
 * text.h - text that came from outside, made fit to be shown.
 *
 * A task calls itself whatever it likes, and a record may come from anybody.
 * So no such string reaches a terminal, an SVG, JSON or a metric but through
 * here. What is no visible character becomes visible: a byte as \xNN, a
 * character as \u{NNNN}, and a backslash as two. No two strings become the
 * same one.
 */
#ifndef QUELL_TEXT_H
#define QUELL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum text_to { TEXT_PLAIN, TEXT_XML, TEXT_JSON, TEXT_LABEL };

/*
 * Tells whether the terminal understands UTF-8. Until it is called, text for
 * people is ASCII: to a terminal of another kind, a byte of a UTF-8 sequence
 * may be a control.
 */
void text_locale(void);

void text_put(FILE *f, const char *s, enum text_to to);

/*
 * For tables, @s in exactly @width columns; what is cut off is told by a "~" at
 * the end. Or in at least so many, and in full.
 */
void text_cell(FILE *f, const char *s, int width);
void text_padded(FILE *f, const char *s, int width);
int text_columns(const char *s);

/* The visible form of @s; the caller frees it. */
char *text_visible(const char *s);

#endif
