/* SPDX-License-Identifier: GPL-2.0 */
/* kernel-flush-torture, part two: kernel text that is patched meanwhile. */
#ifndef QUELL_TEXT_SYNC_H
#define QUELL_TEXT_SYNC_H

#include <stdbool.h>

/**
 * struct text_sync - what is asked for
 * @on: patch at all
 * @broken: the order to break, by its number in enum text_sync_broken
 */
struct text_sync {
	long on, broken;
};

void text_sync_start(const struct text_sync *asked);
/* A thread: patches until *@enough, an atomic_bool. */
void *text_sync_patch(void *enough);
/* Prints a result; @broken: stale text must have been found. */
bool text_sync_stop(const struct text_sync *asked, bool broken);

#endif
