// SPDX-License-Identifier: GPL-2.0
/*
 * Whose table has been unlinked? tlb_remove_table_sync_one() has no argument
 * that says. For one caller it can be known for sure: collapse_huge_page()
 * calls, in straight line, with nothing in between but an unlock and the end of
 * an MMU notification,
 *
 *	pmdp_collapse_flush(vma, ...)		unlinks and flushes
 *	tlb_remove_table_sync_one()
 *
 * So a note of vma->vm_mm is made for the task when collapse_huge_page() enters
 * the former, and taken when collapse_huge_page() enters the latter. Why the
 * note cannot be wrong:
 *
 *  - Both look at where they are called from; other callers neither make notes
 *    nor get any. A caller that cannot be told (a return address that a tracer
 *    has replaced) is an other one.
 *  - A note is the task's: what other tasks and interrupts do meanwhile does
 *    not matter. Making one first takes what is there; taking it removes it.
 *  - While tasks are being switched to or from the module, a task may make a
 *    note and then sync the old way, which leaves the note behind. So notes are
 *    trusted only when all tasks have been switched, and carry the number of
 *    the time they were made in. In such a time every note that is made is
 *    taken by the sync that follows it.
 *
 * Where no note is found, nothing is known of the mm, which is always safe:
 * a full table, a tracer in between, ftrace skipping us.
 *
 * The note is made by an ftrace callback, not a replacement: livepatch itself
 * is one, so nothing more can fail, and the flush stays what it is.
 */

#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/kallsyms.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat.h"
#include "live.h"

#define FLUSH_NAME "pmdp_collapse_flush"
#define COLLAPSE_NAME "collapse_huge_page"

#define NOTE_BITS 8
/* Tasks with a note at one time that may share a hash. */
#define NOTE_PROBES 4

struct live_note {
	struct task_struct *task;	/* NULL: free. Others only look for NULL */
	struct mm_struct *mm;
	unsigned int epoch;
};

static struct live_note live_notes[(1 << NOTE_BITS) + NOTE_PROBES - 1];

/* Number of the time in which all tasks are switched; 0: not now. */
static unsigned int live_epoch;

/* Return addresses looked up last: one in collapse_huge_page(), one not. */
struct live_site {
	unsigned long collapse;
	unsigned long other;
};

static struct live_site live_flush_site, live_sync_site;

/*
 * Names are looked up once per caller; two tasks that do it at once come to
 * the same answer. The compiler may have appended to the name (.isra.0).
 */
static bool live_from_collapse(struct live_site *site, unsigned long caller)
{
	const size_t len = sizeof(COLLAPSE_NAME) - 1;
	char name[KSYM_SYMBOL_LEN];

	if (caller == READ_ONCE(site->collapse))
		return true;
	if (caller == READ_ONCE(site->other))
		return false;
	/* The call, not what comes after it. */
	sprint_symbol(name, caller - 1);
	if (!strncmp(name, COLLAPSE_NAME, len) &&
	    (name[len] == '+' || name[len] == '.')) {
		WRITE_ONCE(site->collapse, caller);
		return true;
	}
	WRITE_ONCE(site->other, caller);
	return false;
}

static struct live_note *live_bucket(void)
{
	return &live_notes[hash_ptr(current, NOTE_BITS)];
}

/* Removes this task's note; its mm, if the note is of this time. */
static struct mm_struct *live_note_take(void)
{
	unsigned int epoch = READ_ONCE(live_epoch);
	struct live_note *note = live_bucket();
	struct mm_struct *mm = NULL;
	int i;

	for (i = 0; i < NOTE_PROBES; i++, note++) {
		if (READ_ONCE(note->task) != current)
			continue;
		if (epoch && note->epoch == epoch)
			mm = note->mm;
		smp_store_release(&note->task, NULL);
	}
	return mm;
}

static void live_note_make(struct mm_struct *mm)
{
	unsigned int epoch = READ_ONCE(live_epoch);
	struct live_note *note = live_bucket();
	int i;

	live_note_take();
	for (i = 0; epoch && i < NOTE_PROBES; i++, note++) {
		if (cmpxchg(&note->task, NULL, current))
			continue;
		note->mm = mm;
		note->epoch = epoch;
		return;
	}
}

static void notrace live_flush_entered(unsigned long ip,
				       unsigned long parent_ip,
				       struct ftrace_ops *op,
				       struct ftrace_regs *fregs)
{
	struct vm_area_struct *vma;

	if (!live_from_collapse(&live_flush_site, parent_ip))
		return;
	vma = (void *)ftrace_regs_get_argument(fregs, 0);
	live_note_make(vma->vm_mm);
}

static struct ftrace_ops live_flush_ops = {
	.func = live_flush_entered,
};

static bool live_flush_watched;

/**
 * live_collapse_mm - whose table a sync is about
 * @caller: where the sync returns to
 *
 * Return: the mm, or NULL if it isn't known.
 */
struct mm_struct *live_collapse_mm(unsigned long caller)
{
	if (!live_from_collapse(&live_sync_site, caller))
		return NULL;
	return live_note_take();
}

/**
 * live_collapse_trust - begin or end a time in which notes are trusted
 * @trust: whether every task is switched to the module now
 *
 * Ended before the first task is switched away, so that a task that has been
 * cannot have a note of the next time.
 */
void live_collapse_trust(bool trust)
{
	static unsigned int times;

	WRITE_ONCE(live_epoch, trust ? ++times : 0);
}

int live_collapse_init(void)
{
	int ret;

	/* As in the rt flavours: no collapses. */
	if (!IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE))
		return 0;
	ret = ftrace_set_filter(&live_flush_ops, FLUSH_NAME,
				strlen(FLUSH_NAME), 1);
	if (!ret)
		ret = register_ftrace_function(&live_flush_ops);
	if (ret)
		ftrace_free_filter(&live_flush_ops);
	live_flush_watched = !ret;
	return ret;
}

void live_collapse_exit(void)
{
	if (!live_flush_watched)
		return;
	unregister_ftrace_function(&live_flush_ops);
	ftrace_free_filter(&live_flush_ops);
}
