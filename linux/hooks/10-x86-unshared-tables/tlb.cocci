// SPDX-License-Identifier: GPL-2.0
// An unshared table needs the same flush as a freed one.
// Changes: arch/x86/include/asm/tlb.h 1
@@
identifier tlb;
expression mm, start, end, shift;
@@
 flush_tlb_mm_range(mm, start, end, shift,
-	tlb->freed_tables
+	tlb->freed_tables || tlb->unshared_tables
 )
