/* SPDX-License-Identifier: GPL-2.0 */
/* kflush-torture, part two: kernel text that is patched meanwhile. */
#ifndef QUELL_KTEXT_H
#define QUELL_KTEXT_H

#include <stdbool.h>

/**
 * struct ktext - what is asked for
 * @on: patch at all
 * @broken: the order to break, by its number in enum text_sync_broken
 */
struct ktext {
	long on, broken;
};

void ktext_start(const struct ktext *asked);
/* A thread: patches until *@enough, an atomic_bool. */
void *ktext_patch(void *enough);
/* Prints a result; @broken: stale text must have been found. */
bool ktext_stop(const struct ktext *asked, bool broken);

#endif
