/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who changes page tables, and when the flush that goes with it was due: when
 * the task that changed them has left the kernel. A task that was preempted in
 * between has not. A kernel thread never leaves the kernel; it has to have
 * flushed before it sleeps by its own will.
 */
#ifndef TLBSAN_WRITERS_H
#define TLBSAN_WRITERS_H

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "arch.h"

namespace tlbsan {

struct Where {
	unsigned cpu = 0;
	u64 rip = 0, time = 0;
	u64 task = 0;			/* 0: not known */
	bool user = false;
	std::string comm;
	std::vector<u64> stack;
};

struct Change {
	Where by;
	u64 lin = 0, was = 0, now = 0;
	int level = 0;
	u64 seen = 0;			/* departures before it */
};

class Writers {
public:
	/* cpu goes to user mode, or is idle and halts. */
	void left(unsigned cpu, u64 task, bool to_user)
	{
		cpu_left[cpu] = ++departures;
		if (!task)
			return;
		task_left[task] = departures;
		if (to_user)
			has_user_mode.insert(task);
	}
	/* task waits for something; merely preempted ones don't come here. */
	void sleeps(u64 task)
	{
		if (task && !has_user_mode.count(task))
			task_left[task] = ++departures;
	}
	void dies(u64 task)
	{
		if (!task)
			return;
		task_left[task] = ++departures;
		has_user_mode.erase(task);
	}
	u64 now() const { return departures; }
	bool due(const Change &c) const
	{
		if (!c.by.task)
			return cpu_left[c.by.cpu] > c.seen;
		auto t = task_left.find(c.by.task);
		return t != task_left.end() && t->second > c.seen;
	}

private:
	u64 departures = 0, cpu_left[MAX_CPUS] = {};
	std::unordered_map<u64, u64> task_left;
	std::unordered_set<u64> has_user_mode;
};

} // namespace tlbsan
#endif
