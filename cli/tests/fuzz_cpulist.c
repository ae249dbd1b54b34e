// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_cpulist.c - any text is a CPU list or is refused; a list survives being
 * written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "../cpulist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpuset a, b;
	char *text, *again;
	const char *why;

	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (cpulist_parse(text, &a, &why)) {
		again = cpulist_format(&a);
		if (!cpulist_parse(again, &b, &why) || memcmp(&a, &b, sizeof(a)))
			abort();
		free(again);
	}
	free(text);
	return 0;
}
