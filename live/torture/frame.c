// SPDX-License-Identifier: GPL-2.0
/*
 * <linux/torture.h> for a stock kernel: Debian builds its kernels without
 * CONFIG_TORTURE_TEST, but the header is there. This is what the torture test
 * of pt_sync uses of it.
 */

#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/torture.h>
#include <linux/version.h>

static DEFINE_MUTEX(torture_mutex);
static const char *torture_type;
static bool torture_ending;

unsigned long torture_random(struct torture_random_state *unused)
{
	return get_random_long();
}
EXPORT_SYMBOL_GPL(torture_random);

bool torture_must_stop(void)
{
	return kthread_should_stop() || READ_ONCE(torture_ending);
}
EXPORT_SYMBOL_GPL(torture_must_stop);

/* A thread may end only when somebody stops it. */
void torture_kthread_stopping(char *title)
{
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
}
EXPORT_SYMBOL_GPL(torture_kthread_stopping);

static int frame_create(int (*fn)(void *arg), void *arg, const char *name,
			const char *failure, struct task_struct **tp,
			void (*prepare)(struct task_struct *tp))
{
	struct task_struct *task = kthread_create(fn, arg, "%s", name);

	if (IS_ERR(task)) {
		pr_alert("%s-torture: %s\n", torture_type, failure);
		return PTR_ERR(task);
	}
	if (prepare)
		prepare(task);
	*tp = task;
	wake_up_process(task);
	return 0;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
int _torture_create_kthread(int (*fn)(void *arg), void *arg, char *name,
			    char *m, char *failure, struct task_struct **tp)
{
	return frame_create(fn, arg, name, failure, tp, NULL);
}
#else
int _torture_create_kthread(int (*fn)(void *arg), void *arg, char *name,
			    char *m, char *failure, struct task_struct **tp,
			    void (*prepare)(struct task_struct *tp))
{
	return frame_create(fn, arg, name, failure, tp, prepare);
}
#endif
EXPORT_SYMBOL_GPL(_torture_create_kthread);

void _torture_stop_kthread(char *m, struct task_struct **tp)
{
	if (!*tp)
		return;
	kthread_stop(*tp);
	*tp = NULL;
}
EXPORT_SYMBOL_GPL(_torture_stop_kthread);

/* Stutter: everybody runs, and everybody halts, so that CPUs get idle. */
static struct task_struct *stutter_task;
static bool stutter_halts;
static int stutter_run, stutter_halt;

bool stutter_wait(const char *title)
{
	bool waited = false;

	while (READ_ONCE(stutter_halts) && !torture_must_stop()) {
		schedule_timeout_interruptible(1);
		waited = true;
	}
	return waited;
}
EXPORT_SYMBOL_GPL(stutter_wait);

static int torture_stutter(void *unused)
{
	while (!torture_must_stop()) {
		schedule_timeout_interruptible(stutter_run);
		WRITE_ONCE(stutter_halts, true);
		schedule_timeout_interruptible(stutter_halt);
		WRITE_ONCE(stutter_halts, false);
	}
	torture_kthread_stopping("torture_stutter");
	return 0;
}

int torture_stutter_init(int run, int halt)
{
	stutter_run = run;
	stutter_halt = halt;
	return torture_create_kthread(torture_stutter, NULL, stutter_task);
}
EXPORT_SYMBOL_GPL(torture_stutter_init);

/* CPU hotplug, of one CPU after another, but never of the first. */
static struct task_struct *onoff_task;
static long onoff_holdoff, onoff_interval;
static bool onoff_failed;

static int torture_onoff(void *unused)
{
	unsigned int cpu;

	schedule_timeout_interruptible(onoff_holdoff);
	while (!torture_must_stop()) {
		cpu = 1 + get_random_u32() % max(nr_cpu_ids - 1, 1U);
		if (cpu_present(cpu) && !remove_cpu(cpu)) {
			schedule_timeout_interruptible(onoff_interval);
			if (add_cpu(cpu))
				onoff_failed = true;
		}
		schedule_timeout_interruptible(onoff_interval);
	}
	torture_kthread_stopping("torture_onoff");
	return 0;
}

int torture_onoff_init(long holdoff, long interval, torture_ofl_func *unused)
{
	onoff_holdoff = holdoff;
	onoff_interval = interval;
	onoff_failed = false;
	return torture_create_kthread(torture_onoff, NULL, onoff_task);
}
EXPORT_SYMBOL_GPL(torture_onoff_init);

bool torture_onoff_failures(void)
{
	return onoff_failed;
}
EXPORT_SYMBOL_GPL(torture_onoff_failures);

/* One test at a time. */
bool torture_init_begin(char *type, int verbose)
{
	mutex_lock(&torture_mutex);
	if (torture_type) {
		mutex_unlock(&torture_mutex);
		return false;
	}
	torture_type = type;
	torture_ending = false;
	return true;
}
EXPORT_SYMBOL_GPL(torture_init_begin);

void torture_init_end(void)
{
	mutex_unlock(&torture_mutex);
}
EXPORT_SYMBOL_GPL(torture_init_end);

/* True: it has been cleaned up already, by an init that failed. */
bool torture_cleanup_begin(void)
{
	mutex_lock(&torture_mutex);
	if (!torture_type) {
		mutex_unlock(&torture_mutex);
		return true;
	}
	WRITE_ONCE(torture_ending, true);
	mutex_unlock(&torture_mutex);
	torture_stop_kthread(torture_stutter, stutter_task);
	torture_stop_kthread(torture_onoff, onoff_task);
	return false;
}
EXPORT_SYMBOL_GPL(torture_cleanup_begin);

void torture_cleanup_end(void)
{
	mutex_lock(&torture_mutex);
	torture_type = NULL;
	mutex_unlock(&torture_mutex);
}
EXPORT_SYMBOL_GPL(torture_cleanup_end);

MODULE_DESCRIPTION("What a torture test needs");
MODULE_LICENSE("GPL");
