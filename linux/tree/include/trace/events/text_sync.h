/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM pt_sync
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE text_sync

#if !defined(_TRACE_TEXT_SYNC_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_TEXT_SYNC_H

#include <linux/tracepoint.h>

TRACE_EVENT(text_sync,
	    TP_PROTO(void *first, unsigned int sites, unsigned int early,
		     unsigned int interrupted, unsigned int deferred),

	    TP_ARGS(first, sites, early, interrupted, deferred),

	    TP_STRUCT__entry(__field(void *, first)
			     __field(unsigned int, sites)
			     __field(unsigned int, early)
			     __field(unsigned int, interrupted)
			     __field(unsigned int, deferred)),

	    TP_fast_assign(__entry->first = first;
			   __entry->sites = sites;
			   __entry->early = early;
			   __entry->interrupted = interrupted;
			   __entry->deferred = deferred;),

	    TP_printk("first=%pS sites=%u early=%u interrupted=%u deferred=%u",
		      __entry->first, __entry->sites, __entry->early,
		      __entry->interrupted, __entry->deferred)
);

#endif /* _TRACE_TEXT_SYNC_H */

#include <trace/define_trace.h>
