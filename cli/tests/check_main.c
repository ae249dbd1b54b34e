// SPDX-License-Identifier: GPL-2.0
/* check_main.c - quell with no command but check, so that sanitizers see it. */
#include "../quell.h"

/* What is allocated for findings lives until the end, by design. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(int argc, char **argv)
{
	return argc > 1 ? cmd_check(argc - 1, argv + 1) : EXIT_USAGE;
}
