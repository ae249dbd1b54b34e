/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pt_sync
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE kernel_flush

#if !defined(_TRACE_KERNEL_FLUSH_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KERNEL_FLUSH_H

#include <linux/tracepoint.h>

TRACE_EVENT(kernel_flush,
	    TP_PROTO(unsigned long start, unsigned long end,
		     unsigned int interrupted, unsigned int deferred),

	    TP_ARGS(start, end, interrupted, deferred),

	    TP_STRUCT__entry(__field(unsigned long, start)
			     __field(unsigned long, end)
			     __field(unsigned int, interrupted)
			     __field(unsigned int, deferred)),

	    TP_fast_assign(__entry->start = start;
			   __entry->end = end;
			   __entry->interrupted = interrupted;
			   __entry->deferred = deferred;),

	    TP_printk("start=0x%lx end=0x%lx interrupted=%u deferred=%u",
		      __entry->start, __entry->end, __entry->interrupted,
		      __entry->deferred)
);

#endif /* _TRACE_KERNEL_FLUSH_H */

#include <trace/define_trace.h>
