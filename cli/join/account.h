/* SPDX-License-Identifier: GPL-2.0 */
/*
 * account.h - does the trace still see what the kernel counts?
 */
#ifndef QUELL_ACCOUNT_H
#define QUELL_ACCOUNT_H

#include "join/counters.h"
#include "strtab.h"

struct account;

/* @first is taken over, and is what all later readings are compared with. */
struct account *account_new(struct counters *first,
			    const struct cpuset *observed);
/* An interrupt was traced. They come in order of time, but for a straggler. */
void account_irq(struct account *a, const struct receipt *irq, const char *name);
/* A later reading, taken over too. */
void account_reading(struct account *a, struct counters *c);
/*
 * All interrupts traced before @ts have been told: compare what can be.
 * Return: how many interrupts the kernel counted more than were traced, in
 * the readings that were compared just now.
 */
uint64_t account_advance(struct account *a, uint64_t ts);
/* Interrupts that were counted and not traced, since the first reading. */
uint64_t account_missing(const struct account *a);
/* Observe another CPU from the next reading on. */
void account_observe(struct account *a, int cpu);
/*
 * From the first reading to the last one, once it was compared. What fell
 * into a reading may be in it or not: that is the slack.
 */
size_t account_agreements(struct account *a, struct agreement **out);
void account_free(struct account *a);

#endif
