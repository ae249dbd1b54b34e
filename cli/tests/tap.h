/* SPDX-License-Identifier: GPL-2.0 */
/* tap.h - one check, one line of TAP; unit.c prints the plan at the end. */
#ifndef QUELL_TAP_H
#define QUELL_TAP_H

#include <stdbool.h>

bool ok(bool passed, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void test_cpulist(void);
void test_classify(void);
void test_json(void);
void test_counters(void);
void test_join(void);
void test_join_reuse(void);
void test_join_any(void);
void test_nest(void);
void test_account(void);
void test_record(void);
void test_show(void);
void test_remedy(void);
void test_cgroup(void);
void test_owner(void);
void test_text(void);
void test_series(void);
void test_limits(void);
void test_flight(void);
void test_accept(void);
void test_snapshot(void);

/* A record with a bit of everything, for tests and as a fuzzer's seed. */
void write_sample(const char *path);
void write_evil(const char *path);
int write_snapshot(const char *path);

#endif
