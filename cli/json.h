/* SPDX-License-Identifier: GPL-2.0 */
/* json.h - writes JSON on one line; commas and quoting take care of themselves. */
#ifndef QUELL_JSON_H
#define QUELL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH	16

struct json {
	FILE	*f;
	bool	comma[JSON_DEPTH];
	int	depth;
};

/* @key is NULL inside an array and at the top. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j, char bracket);
void json_str(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_num(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
