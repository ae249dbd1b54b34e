/* SPDX-License-Identifier: GPL-2.0 */
/* One JSON object per line on stdout, written key by key. */
#ifndef QUELL_JSON_H
#define QUELL_JSON_H

#include <stdbool.h>
#include <stdint.h>

void json_begin(void);
void json_text(const char *key, const char *value);
void json_number(const char *key, int64_t value);
void json_bool(const char *key, bool value);
/* An object inside; ends with json_close(). */
void json_open(const char *key);
void json_close(void);
/* Ends the line, and sees to it that it is out. */
void json_end(void);

#endif
