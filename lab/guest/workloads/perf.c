// SPDX-License-Identifier: GPL-2.0
/*
 * perf: walks page tables from interrupt context, the way profilers do that
 * ask for the size of the page behind an address. Without a PMU two software
 * events do it:
 *  cpu-clock     a timer interrupt asks for the page size of the interrupted
 *                instruction;
 *  minor-faults  the end of every page fault asks for that of its address.
 * A page size that is not 0 can only come from such a walk, so only samples
 * that have one are operations.
 */
#define _GNU_SOURCE
#include "spin.h"
#include "workload.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/perf_event.h of older systems lacks them. */
#define SAMPLE_DATA_PAGE_SIZE (1u << 22)
#define SAMPLE_CODE_PAGE_SIZE (1u << 23)

#define RING_PAGES 64ul
#define CLOCK_NS 500000
#define PATIENCE_NS 5000000000ull

struct event {
	int file;
	struct perf_event_mmap_page *ring;
};

/* Address and page size: both events leave records of just these. */
struct sample {
	struct perf_event_header header;
	__u64 address, page_size;
};

static struct event start(unsigned int config, uint64_t period,
			  uint64_t what)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = what,
		.disabled = 1,
		.exclude_kernel = 1,
	};
	struct event event;

	event.file = (int)syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
	if (event.file < 0 && (errno == ENOSYS || errno == ENOENT))
		unavailable("no-perf-events");
	if (event.file < 0)
		die("perf_event_open");
	event.ring = mmap(NULL, (RING_PAGES + 1) * (size_t)page_size(),
			  PROT_READ | PROT_WRITE, MAP_SHARED, event.file, 0);
	if (event.ring == MAP_FAILED)
		die("cannot map perf's buffer");
	return event;
}

/* How many samples with a page size there are in the buffer. */
static unsigned long count(const struct event *event, unsigned long *samples)
{
	const char *data = (char *)event->ring + page_size();
	uint64_t head = __atomic_load_n(&event->ring->data_head,
					__ATOMIC_ACQUIRE);
	uint64_t size = RING_PAGES * (uint64_t)page_size();
	unsigned long walked = 0;

	for (uint64_t at = 0; at + sizeof(struct perf_event_header) <= head;) {
		struct sample sample = { 0 };

		/* Records are multiples of 8 bytes, and wrap anywhere. */
		for (size_t i = 0; i < sizeof(sample) && at + i < head; i += 8)
			memcpy((char *)&sample + i,
			       data + (at + i) % size, 8);
		if (!sample.header.size)
			die("perf's buffer is damaged");
		if (sample.header.type == PERF_RECORD_SAMPLE) {
			++*samples;
			walked += sample.page_size != 0;
		}
		at += sample.header.size;
	}
	return walked;
}

int main(int argc, char **argv)
{
	long ms = 50, pages = 256;
	const struct number numbers[] = {
		{ "ms", &ms, "how long to let the clock interrupt" },
		{ "pages", &pages, "how many page faults to take" },
		{ NULL, NULL, NULL },
	};
	unsigned long samples = 0, by_clock, by_fault, bytes;
	struct event clock, fault;
	uint64_t ns, end;
	char *memory;

	parse_numbers(argc, argv,
		      "Samples with page sizes: walks from interrupt context.",
		      numbers);
	only_base_pages();
	stay_on_housekeeping();
	clock = start(PERF_COUNT_SW_CPU_CLOCK, CLOCK_NS,
		      PERF_SAMPLE_IP | SAMPLE_CODE_PAGE_SIZE);
	fault = start(PERF_COUNT_SW_PAGE_FAULTS_MIN, 1,
		      PERF_SAMPLE_ADDR | SAMPLE_DATA_PAGE_SIZE);
	bytes = (unsigned long)pages * (unsigned long)page_size();
	memory = map_aligned(bytes, HUGE_PAGE);

	window_open();
	ioctl(clock.file, PERF_EVENT_IOC_ENABLE, 0);
	ioctl(fault.file, PERF_EVENT_IOC_ENABLE, 0);
	touch(memory, bytes, (unsigned long)page_size());
	/* A crowded machine may need longer than asked to interrupt us once. */
	end = now_ns() + (uint64_t)ms * 1000000;
	while (now_ns() < end ||
	       (!count(&clock, &samples) && now_ns() < end + PATIENCE_NS)) {
		for (int i = 0; i < 1000; i++)
			spin_relax();
	}
	ioctl(clock.file, PERF_EVENT_IOC_DISABLE, 0);
	ioctl(fault.file, PERF_EVENT_IOC_DISABLE, 0);
	ns = window_close();

	samples = 0;
	by_clock = count(&clock, &samples);
	by_fault = count(&fault, &samples);
	if (!by_clock || !by_fault)
		die("no walks seen: %lu by the clock, %lu by faults",
		    by_clock, by_fault);
	report(by_clock + by_fault, ns,
	       "by_clock=%lu by_fault=%lu samples=%lu", by_clock, by_fault,
	       samples);
	return 0;
}
