// SPDX-License-Identifier: GPL-2.0
/*
 * text-sites [--lenient] VMLINUX LIST: the patchable instructions of a built kernel that
 * can run between an entry and the word of deferred debts, or between the word
 * and user mode. See lab/text-sites.
 */
#include <elf.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LIST 256

static const unsigned char *image;
static size_t image_size;
static const Elf64_Shdr *sections;
static unsigned int section_count;
static const Elf64_Sym **symbols;	/* sorted by address */
static size_t symbol_count;
static const char *names;

static struct { char kind[16], name[64]; } list[MAX_LIST];
static size_t listed;
static bool lenient, arm64;
static unsigned int wrong;

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("text-sites: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

/* What lies at an address of the kernel, @size bytes of it. */
static const void *at(uint64_t address, size_t size)
{
	for (unsigned int i = 0; i < section_count; i++) {
		const Elf64_Shdr *s = &sections[i];

		if (!(s->sh_flags & SHF_ALLOC) || s->sh_type == SHT_NOBITS ||
		    address < s->sh_addr || address + size > s->sh_addr + s->sh_size)
			continue;
		if (s->sh_offset + s->sh_size > image_size)
			die("the image is cut off");
		return image + s->sh_offset + (address - s->sh_addr);
	}
	die("nothing at address %#" PRIx64, address);
}

static int by_address(const void *a, const void *b)
{
	const Elf64_Sym *x = *(const Elf64_Sym *const *)a, *y = *(const Elf64_Sym *const *)b;

	if (x->st_value != y->st_value)
		return x->st_value < y->st_value ? -1 : 1;
	/* What has a size comes last, so that it is found first. */
	return x->st_size < y->st_size ? -1 : x->st_size > y->st_size;
}

static void load(const char *path)
{
	int file = open(path, O_RDONLY);
	const Elf64_Ehdr *header;
	struct stat st;

	if (file < 0 || fstat(file, &st))
		die("cannot read %s", path);
	image_size = (size_t)st.st_size;
	image = mmap(NULL, image_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (image == MAP_FAILED || image_size < sizeof(*header))
		die("cannot read %s", path);
	close(file);
	header = (const void *)image;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    (header->e_machine != EM_X86_64 && header->e_machine != EM_AARCH64))
		die("%s is no ELF file of x86-64 or arm64", path);
	arm64 = header->e_machine == EM_AARCH64;
	if (header->e_shoff + header->e_shnum * sizeof(*sections) > image_size)
		die("the image is cut off");
	sections = (const void *)(image + header->e_shoff);
	section_count = header->e_shnum;
	for (unsigned int i = 0; i < section_count; i++) {
		const Elf64_Shdr *s = &sections[i];
		const Elf64_Sym *all = (const void *)(image + s->sh_offset);
		size_t count = s->sh_size / sizeof(*all);

		if (s->sh_type != SHT_SYMTAB)
			continue;
		names = (const char *)image + sections[s->sh_link].sh_offset;
		symbols = calloc(count, sizeof(*symbols));
		if (!symbols)
			die("no memory");
		for (size_t j = 0; j < count; j++) {
			unsigned int type = ELF64_ST_TYPE(all[j].st_info);

			if (all[j].st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE)
				symbols[symbol_count++] = &all[j];
		}
	}
	if (!symbol_count)
		die("%s has no symbols", path);
	qsort(symbols, symbol_count, sizeof(*symbols), by_address);
}

static bool find(const char *name, uint64_t *value)
{
	for (size_t i = 0; i < symbol_count; i++) {
		if (!strcmp(names + symbols[i]->st_name, name)) {
			*value = symbols[i]->st_value;
			return true;
		}
	}
	return false;
}

static uint64_t must_find(const char *name)
{
	uint64_t value;

	if (!find(name, &value))
		die("the kernel has no %s", name);
	return value;
}

/* The name of the function or object that an address belongs to. */
static const char *owner(uint64_t address)
{
	size_t low = 0, high = symbol_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle]->st_value <= address)
			low = middle + 1;
		else
			high = middle;
	}
	while (low-- > 0) {
		const Elf64_Sym *s = symbols[low];

		if (address < s->st_value + (s->st_size ? s->st_size : 1))
			return names + s->st_name;
		if (address - s->st_value > 0x10000)
			break;
	}
	return "?";
}

/* As text_runs_early() of arch/ARCH/kernel/text_sync.c has them. */
#define RANGES 4

static struct range {
	const char *start, *end;
	bool may_be_empty;
	uint64_t from, to;
} early_x86[RANGES] = {
	{ "__text_sync_entry_start", "__text_sync_entry_end", false, 0, 0 },
	/* Without mitigations there are no thunks. */
	{ "__text_sync_thunk_start", "__text_sync_thunk_end", true, 0, 0 },
	{ "__noinstr_text_start", "__noinstr_text_end", false, 0, 0 },
}, early_arm64[RANGES] = {
	{ "__entry_text_start", "__entry_text_end", false, 0, 0 },
	{ "__noinstr_text_start", "__noinstr_text_end", false, 0, 0 },
	{ "__hyp_idmap_text_start", "__hyp_idmap_text_end", true, 0, 0 },
	{ "__hyp_text_start", "__hyp_text_end", true, 0, 0 },
}, *early = early_x86;

static bool runs_early(uint64_t address)
{
	for (size_t i = 0; i < RANGES && early[i].start; i++) {
		if (address >= early[i].from && address < early[i].to)
			return true;
	}
	return false;
}

static bool is_listed(const char *kind, const char *name)
{
	for (size_t i = 0; i < listed; i++) {
		if (!strcmp(list[i].kind, kind) && !fnmatch(list[i].name, name, 0))
			return true;
	}
	return false;
}

static void listed_or_not(const char *kind, const char *name, uint64_t code)
{
	bool is = is_listed(kind, name);

	printf("%s %s %s %s\n", is ? "everybody" : "UNLISTED", kind, name, owner(code));
	wrong += !is && !lenient;
}

static void site(const char *kind, uint64_t code, uint64_t key)
{
	static uint64_t ro_start, ro_end;

	if (!ro_end) {
		ro_start = must_find("__start_ro_after_init");
		ro_end = must_find("__end_ro_after_init");
	}
	if (key >= ro_start && key < ro_end)
		printf("fixed %s %s %s\n", kind, owner(key), owner(code));
	else
		listed_or_not(kind, owner(key), code);
}

static unsigned int jump_labels(void)
{
	uint64_t from = must_find("__start___jump_table"), to = must_find("__stop___jump_table");
	unsigned int n = 0;

	for (; from < to; from += 16, n++) {
		int32_t code;
		int64_t key;

		memcpy(&code, at(from, 16), 4);
		memcpy(&key, (const char *)at(from, 16) + 8, 8);
		if (runs_early(from + (uint64_t)(int64_t)code))
			site("key", from + (uint64_t)(int64_t)code,
			     (from + 8 + (uint64_t)key) & ~3ull);
	}
	return n;
}

static unsigned int static_calls(void)
{
	uint64_t from = must_find("__start_static_call_sites");
	uint64_t to = must_find("__stop_static_call_sites");
	unsigned int n = 0;

	for (; from < to; from += 8, n++) {
		int32_t code, key;

		memcpy(&code, at(from, 8), 4);
		memcpy(&key, (const char *)at(from, 8) + 4, 4);
		if (runs_early(from + (uint64_t)(int64_t)code))
			site("call", from + (uint64_t)(int64_t)code,
			     (from + 4 + (uint64_t)(int64_t)key) & ~3ull);
	}
	return n;
}

static void traced(uint64_t code)
{
	if (!runs_early(code))
		return;
	printf("WRONG ftrace - %s\n", owner(code));
	wrong++;
}

/* An arm64 kernel is relocatable: its tables are empty until it relocates itself. */
static unsigned int relocated_ftrace_locations(uint64_t from, uint64_t to)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < section_count; i++) {
		const Elf64_Shdr *s = &sections[i];
		const Elf64_Rela *all = (const void *)(image + s->sh_offset);

		if (s->sh_type != SHT_RELA)
			continue;
		for (size_t j = 0; j < s->sh_size / sizeof(*all); j++) {
			if (all[j].r_offset < from || all[j].r_offset >= to)
				continue;
			traced((uint64_t)all[j].r_addend);
			n++;
		}
	}
	return n;
}

static unsigned int ftrace_locations(void)
{
	uint64_t from, to;
	unsigned int n = 0;

	if (!find("__start_mcount_loc", &from))
		return 0; /* a kernel without */
	to = must_find("__stop_mcount_loc");
	if (arm64)
		n = relocated_ftrace_locations(from, to);
	for (; from < to; from += 8) {
		uint64_t code;

		memcpy(&code, at(from, 8), 8);
		if (code) {
			traced(code);
			n++;
		}
	}
	return n;
}

/* Where kprobes refuse to be put. Only for x86: a kprobe of arm64 stops all CPUs. */
#define MAX_REFUSED 4096

static struct { uint64_t from, to; } refused[MAX_REFUSED];
static size_t refusals;

static void refuse(uint64_t from, uint64_t to)
{
	if (refusals == MAX_REFUSED)
		die("too many functions refuse kprobes");
	refused[refusals].from = from;
	refused[refusals++].to = to;
}

static bool refuses_kprobes(uint64_t address)
{
	for (size_t i = 0; i < refusals; i++) {
		if (address >= refused[i].from && address < refused[i].to)
			return true;
	}
	return false;
}

/* Functions that run early and that a kprobe can be put into. */
static unsigned int kprobes(void)
{
	uint64_t from, to;
	unsigned int n = 0;

	if (!find("__start_kprobe_blacklist", &from))
		return 0;
	to = must_find("__stop_kprobe_blacklist");
	for (; from < to; from += 8) {
		uint64_t code;

		memcpy(&code, at(from, 8), 8);
		/* As kallsyms has it: to the next symbol. */
		for (size_t i = 0; i < symbol_count && symbols[i]->st_value <= code; i++) {
			if (symbols[i]->st_value == code && i + 1 < symbol_count)
				refuse(code, symbols[i + 1]->st_value);
		}
	}
	/* As populate_kprobe_blacklist() has them, which is pinned. */
	refuse(must_find("__kprobes_text_start"), must_find("__kprobes_text_end"));
	refuse(must_find("__noinstr_text_start"), must_find("__noinstr_text_end"));
	refuse(must_find("__entry_text_start"), must_find("__entry_text_end"));
	for (size_t i = 0; i < symbol_count; i++) {
		const Elf64_Sym *s = symbols[i];

		if (!runs_early(s->st_value))
			continue;
		n++;
		/* Bounds of sections have no size; assembly's functions may not, either. */
		if (!refuses_kprobes(s->st_value) && strncmp(names + s->st_name, "__text_sync_", 12))
			listed_or_not("kprobe", names + s->st_name, s->st_value);
	}
	return n;
}

/* Alternatives are decided while booting, for their table does not outlive that. */
static unsigned int alternatives(void)
{
	const uint64_t size = arm64 ? 12 : 14;
	uint64_t from = must_find("__alt_instructions"), to = must_find("__alt_instructions_end");
	uint64_t init_from = must_find("__init_begin"), init_to = must_find("__init_end");
	unsigned int n = 0;

	for (; from + size <= to; from += size) {
		uint64_t code;
		int32_t offset;

		memcpy(&offset, at(from, 4), 4);
		code = from + (uint64_t)(int64_t)offset;
		if (!runs_early(code))
			continue;
		n++;
		if (from < init_from || from + size > init_to) {
			printf("WRONG alternative - %s\n", owner(code));
			wrong++;
		}
	}
	return n;
}

/*
 * 6.12: lock prefixes, which a machine that booted with one CPU gets back when the
 * second comes. One CPU is online then, and it is in the kernel; pinned as well.
 */
static unsigned int lock_prefixes(void)
{
	uint64_t from, to;
	unsigned int n = 0;

	if (!find("__smp_locks", &from))
		return 0; /* 7.x */
	to = must_find("__smp_locks_end");
	for (; from + 4 <= to; from += 4) {
		int32_t offset;

		/* The table ends with zeroes. */
		memcpy(&offset, at(from, 4), 4);
		if (!offset || !runs_early(from + (uint64_t)(int64_t)offset))
			continue;
		n++;
		printf("alone lock - %s\n", owner(from + (uint64_t)(int64_t)offset));
	}
	return n;
}

/* What the path tables name must lie where the sender believes it to be. */
static unsigned int functions(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < symbol_count; i++) {
		const char *name = names + symbols[i]->st_name;
		char plain[64];

		/* Assembly's entry points have no type. */
		if (ELF64_ST_TYPE(symbols[i]->st_info) != STT_FUNC &&
		    ELF64_ST_TYPE(symbols[i]->st_info) != STT_NOTYPE)
			continue;
		/* f.cold, f.part.0 and the like run with f. */
		snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(name, "."), name);
		if (!is_listed("runs", plain))
			continue;
		n++;
		if (!runs_early(symbols[i]->st_value)) {
			printf("WRONG function - %s\n", name);
			wrong++;
		}
	}
	return n;
}

static void read_list(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (!file)
		die("cannot read %s", path);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (listed == MAX_LIST)
			die("%s is too long", path);
		if (sscanf(line, "%15s %63s", list[listed].kind, list[listed].name) != 2)
			die("%s: what is '%s'", path, strtok(line, "\n"));
		listed++;
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned int keys, calls, locations, paths, probes, choices, locks;

	if (argc == 4 && !strcmp(argv[1], "--lenient")) {
		lenient = true;
		argv++;
		argc--;
	}
	if (argc != 3)
		die("usage: text-sites [--lenient] VMLINUX LIST");
	load(argv[1]);
	read_list(argv[2]);
	if (arm64)
		early = early_arm64;
	for (size_t i = 0; i < RANGES && early[i].start; i++) {
		early[i].from = must_find(early[i].start);
		early[i].to = must_find(early[i].end);
		if (early[i].from > early[i].to ||
		    (early[i].from == early[i].to && !early[i].may_be_empty))
			die("%s to %s: nothing", early[i].start, early[i].end);
	}
	keys = jump_labels();
	/* Those of arm64 are pointers, or branch by way of data. */
	calls = arm64 ? 0 : static_calls();
	locations = ftrace_locations();
	probes = arm64 ? 0 : kprobes();
	choices = alternatives();
	locks = arm64 ? 0 : lock_prefixes();
	paths = functions();
	/* A check that saw nothing has found nothing. */
	if (!keys || (!calls && !arm64) || (!locations && arm64) || !choices || paths < 20)
		die("%u static keys, %u static calls, %u alternatives that run early, %u functions "
		    "of the path tables: this is not how a kernel looks", keys, calls, choices, paths);
	printf("# %u static keys, %u static calls, %u ftrace locations; "
	       "%u functions of the path tables\n", keys, calls, locations, paths);
	printf("# of what runs early: %u names, into which kprobes could be put or not; "
	       "%u alternatives, %u lock prefixes\n", probes, choices, locks);
	if (wrong)
		die("%u sites (UNLISTED or WRONG) that may run before debts are paid and are not in %s",
		    wrong, argv[2]);
	return 0;
}
