/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pt_sync

#if !defined(_TRACE_PT_SYNC_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PT_SYNC_H

#include <linux/tracepoint.h>

/**
 * pt_sync - a wait for lockless page-table walkers has ended
 * @mm: whose walkers
 * @caller: who asked for it
 * @strategy: by which strategy
 * @receipt: whether the flush before it gave a receipt
 * @online: CPUs online
 * @interrupted: CPUs interrupted
 * @ns: how long it took
 */
TRACE_EVENT(pt_sync,

	TP_PROTO(const void *mm, unsigned long caller, const char *strategy,
		 bool receipt, unsigned int online, unsigned int interrupted,
		 u64 ns),

	TP_ARGS(mm, caller, strategy, receipt, online, interrupted, ns),

	TP_STRUCT__entry(
		__field(const void *, mm)
		__field(unsigned long, caller)
		__string(strategy, strategy)
		__field(bool, receipt)
		__field(unsigned int, online)
		__field(unsigned int, interrupted)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->mm = mm;
		__entry->caller = caller;
		__assign_str(strategy);
		__entry->receipt = receipt;
		__entry->online = online;
		__entry->interrupted = interrupted;
		__entry->ns = ns;
	),

	TP_printk("mm=%p caller=%pS strategy=%s receipt=%d online=%u interrupted=%u ns=%llu",
		  __entry->mm, (void *)__entry->caller, __get_str(strategy),
		  __entry->receipt, __entry->online, __entry->interrupted,
		  __entry->ns)
);

#endif /* _TRACE_PT_SYNC_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
