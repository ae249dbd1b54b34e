// SPDX-License-Identifier: GPL-2.0
/*
 * check_fix.c - findings as a shell script, or as a profile for tuned.
 *
 * The script does at once what can be done at once, and writes files of its
 * own for the next boot, named so that they are read last: whatever set the
 * wrong value still does, and is overruled. Removing them takes it back.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

#define GRUB		"/etc/default/grub.d/zz-quell-check.cfg"
#define SYSCTL		"/etc/sysctl.d/zz-quell-check.conf"
/* Of two lines for one path systemd-tmpfiles takes the first. */
#define TMPFILES	"/etc/tmpfiles.d/00-quell-check.conf"
#define AT_BOOT		"/etc/systemd/zz-quell-check-at-boot"
#define UNIT		"zz-quell-check.service"

/* Each setting once: a later finding that wants the same adds nothing. */
struct settings {
	const struct fix	**fix;
	const struct finding	**of;
	size_t			n, room, of_room;
};

static bool same(const struct fix *a, const struct fix *b)
{
	return a->kind == b->kind && !strcmp(a->target, b->target) &&
	       (*a->target || !strcmp(a->value, b->value));
}

static void collect(const struct check *c, struct settings *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < c->nfindings; i++)
		for (size_t k = 0; k < c->finding[i]->nfixes; k++) {
			const struct fix *fix = &c->finding[i]->fix[k];
			size_t m;

			for (m = 0; m < s->n && !same(s->fix[m], fix); m++)
				;
			if (m < s->n)
				continue;
			s->fix = grow(s->fix, &s->room, s->n + 1, sizeof(*s->fix));
			s->of = grow(s->of, &s->of_room, s->n + 1, sizeof(*s->of));
			s->of[s->n] = c->finding[i];
			s->fix[s->n++] = fix;
		}
}

/* 'text' for a shell, whatever is in it. */
static void quoted(FILE *f, const char *text)
{
	putc('\'', f);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", f);
		else
			putc(*text, f);
	}
	putc('\'', f);
}

static size_t count(const struct settings *s, enum fix_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->fix[i]->kind == kind;
	return n;
}

/* Comments must stay on their line. */
static void comment(FILE *f, const char *indent, const char *text)
{
	fprintf(f, "%s# ", indent);
	for (; *text; text++)
		putc(*text == '\n' ? ' ' : *text, f);
	putc('\n', f);
}

/* Is it done further down in the script, for all findings together? */
static bool later(const struct fix *x)
{
	return x->kind == FIX_CMDLINE || x->kind == FIX_DROP || x->kind == FIX_MOVE || x->kind == FIX_IRQ;
}

static void now(const struct settings *s, FILE *f)
{
	const struct finding *of = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct fix *x = s->fix[i];

		if (s->of[i] != of && !later(x))
			comment(f, "\n", s->of[i]->what);
		of = later(x) ? of : s->of[i];
		switch (x->kind) {
		case FIX_SYSCTL: {
			char *path = xstrdup(x->target);

			for (char *p = path; *p; p++)
				if (*p == '.')
					*p = '/';
			fprintf(f, "put /proc/sys/%s ", path);
			quoted(f, x->value);
			putc('\n', f);
			free(path);
			break;
		}
		case FIX_FILE:
		case FIX_NOW:
			fputs("put ", f);
			quoted(f, x->target);
			putc(' ', f);
			quoted(f, x->value);
			putc('\n', f);
			break;
		case FIX_CONF:
			fputs("keep ", f);
			quoted(f, x->target);
			fprintf(f, " <<'END'\n%sEND\n", x->value);
			break;
		case FIX_COMMAND:
			/* What names a file of the root works anywhere else, too. */
			fprintf(f, strstr(x->value, "$root") ? "%s || failed=1\n" :
				"[ -n \"$root\" ] || %s || failed=1\n", x->value);
			break;
		case FIX_HAND:
			fputs("hand ", f);
			quoted(f, x->value);
			putc('\n', f);
			break;
		default:
			break;
		}
	}
}

static void lines(const struct settings *s, FILE *f, enum fix_kind kind,
		  const char *path, const char *format)
{
	if (!count(s, kind))
		return;
	fprintf(f, "\nkeep %s <<'END'\n", path);
	for (size_t i = 0; i < s->n; i++)
		if (s->fix[i]->kind == kind)
			fprintf(f, format, s->fix[i]->target, s->fix[i]->value);
	fputs("END\n", f);
}

/* What has another number at each boot is found by its name. */
static void at_boot(const struct settings *s, FILE *f)
{
	if (!count(s, FIX_MOVE) && !count(s, FIX_IRQ))
		return;
	fputs("\nkeep " AT_BOOT " <<'END'\n"
	      "#!/bin/sh\n"
	      "irq() {\n"
	      "\tfor d in /proc/irq/*/\"$1\"; do\n"
	      "\t\t[ ! -d \"$d\" ] || echo \"$2\" >\"${d%/\"$1\"}/smp_affinity_list\"\n"
	      "\tdone\n"
	      "}\n", f);
	for (size_t i = 0; i < s->n; i++) {
		if (s->fix[i]->kind != FIX_IRQ)
			continue;
		fputs("irq ", f);
		quoted(f, s->fix[i]->target);
		fprintf(f, " %s\n", s->fix[i]->value);
	}
	if (count(s, FIX_MOVE)) {
		const char *to = "";

		/* Once through all processes, without one for each. */
		fputs("for p in /proc/[0-9]*; do\n"
		      "\tread -r name 2>/dev/null <\"$p/comm\" || continue\n"
		      "\tcase $name in\n\t", f);
		for (size_t i = 0, n = 0; i < s->n; i++) {
			if (s->fix[i]->kind != FIX_MOVE)
				continue;
			fputs(n++ ? " | " : "", f);
			quoted(f, s->fix[i]->target);
			to = s->fix[i]->value;	/* the same for all */
		}
		fprintf(f, ") taskset -acp %s \"${p#/proc/}\" ;;\n\tesac\ndone\n", to);
	}
	fputs("exit 0\n"
	      "END\n"
	      "chmod 755 \"$root\"" AT_BOOT "\n"
	      "[ -n \"$root\" ] || " AT_BOOT " >/dev/null || failed=1\n"
	      "keep /etc/systemd/system/" UNIT " <<'END'\n"
	      "[Unit]\n"
	      "Description=Move kernel threads and interrupts off CPUs that are to be left alone\n"
	      "[Service]\n"
	      "Type=oneshot\n"
	      "ExecStart=" AT_BOOT "\n"
	      "[Install]\n"
	      "WantedBy=multi-user.target\n"
	      "END\n"
	      "mkdir -p \"$root\"/etc/systemd/system/multi-user.target.wants\n"
	      "ln -sf ../" UNIT " \"$root\"/etc/systemd/system/multi-user.target.wants/" UNIT "\n", f);
}

/* A name of a parameter as a pattern: to the kernel "-" and "_" are the same. */
static void pattern(FILE *f, const char *name, const char *end)
{
	fputs(*end ? " | " : "", f);
	for (; *name; name++)
		if (*name == '_')
			fputs("[-_]", f);
		else
			putc(*name, f);
	fputs(end, f);
}

/*
 * grub's files are shell. The words that are to be replaced go, from whichever
 * file they come, and those that are right are put behind the others: the
 * kernel takes only the first of two isolcpus= that differ.
 */
static void cmdline(const struct settings *s, FILE *f)
{
	if (!count(s, FIX_CMDLINE))
		return;
	fputs("\n# The kernel command line, from the next boot on.\n"
	      "words=", f);
	putc('\'', f);
	for (size_t i = 0, n = 0; i < s->n; i++)
		if (s->fix[i]->kind == FIX_CMDLINE)
			fprintf(f, "%s%s=%s", n++ ? " " : "", s->fix[i]->target, s->fix[i]->value);
	fputs("'\nkeep " GRUB " <<END\n"
	      "quell_without() {\n"
	      "\tfor quell_word in \\$1; do\n"
	      "\t\tcase \\$quell_word in\n\t\t", f);
	for (size_t i = 0, n = 0; i < s->n; i++)
		if (s->fix[i]->kind == FIX_CMDLINE || s->fix[i]->kind == FIX_DROP) {
			fputs(n++ ? " | " : "", f);
			pattern(f, s->fix[i]->target, "");
			pattern(f, s->fix[i]->target, "=*");
		}
	fputs(") ;;\n"
	      "\t\t*) printf '%s ' \"\\$quell_word\" ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "}\n"
	      "GRUB_CMDLINE_LINUX_DEFAULT=\"\\$(quell_without \"\\$GRUB_CMDLINE_LINUX_DEFAULT\")\"\n"
	      "GRUB_CMDLINE_LINUX=\"\\$(quell_without \"\\$GRUB_CMDLINE_LINUX\")$words\"\n"
	      "END\n"
	      "if [ -n \"$root\" ]; then :\n"
	      "elif command -v update-grub >/dev/null; then update-grub || failed=1\n"
	      "elif command -v grubby >/dev/null; then\n"
	      "\tgrubby --update-kernel=ALL --remove-args=\"$words\" --args=\"$words\" || failed=1\n"
	      "else hand \"kernel command line: $words\"\n"
	      "fi\n", f);
}

void check_script(const struct check *c, FILE *f)
{
	struct settings s;

	collect(c, &s);
	fputs("#!/bin/sh\n", f);
	fprintf(f, "# Printed by quell check --fix: CPUs %s are to be left alone, %s do the rest.\n",
		*c->quiet_list ? c->quiet_list : "(none)", c->house_list);
	fputs("# To take it back: remove the files named *-quell-check* below /etc, update-grub, reboot.\n"
	      "# QUELL_ROOT=DIR changes the system below DIR instead of this one.\n"
	      "set -eu\n"
	      "root=${QUELL_ROOT:-} failed=0\n"
	      "put() {\n"
	      "\tprintf '%s\\n' \"$2\" 2>/dev/null >\"$root$1\" ||\n"
	      "\t\t{ echo \"quell check: $2 cannot be written to $1 now\" >&2; failed=1; }\n"
	      "}\n"
	      "keep() {\n"
	      "\tmkdir -p \"$(dirname \"$root$1\")\"\n"
	      "\tcat >\"$root$1\"\n"
	      "}\n"
	      "hand() { echo \"quell check: by hand: $1\" >&2; failed=1; }\n", f);
	now(&s, f);
	lines(&s, f, FIX_SYSCTL, SYSCTL, "%s = %s\n");
	lines(&s, f, FIX_FILE, TMPFILES, "w %s - - - - %s\n");
	at_boot(&s, f);
	cmdline(&s, f);
	if (s.n)
		fputs("\n[ \"$failed\" = 0 ] || { echo 'quell check: not all of it could be done' >&2; exit 1; }\n", f);
	else
		fputs("\n# Nothing was found; nothing to do.\n", f);
	free(s.fix);
	free(s.of);
}

void check_tuned(const struct check *c, FILE *f)
{
	struct settings s;
	size_t n = 0;

	collect(c, &s);
	fputs("# Printed by quell check --tuned: /etc/tuned/quell-check/tuned.conf, then\n"
	      "# tuned-adm profile quell-check, and a reboot for the kernel command line.\n"
	      "[main]\n", f);
	fprintf(f, "summary=CPUs %s are left alone, %s do the rest\n",
		*c->quiet_list ? c->quiet_list : "(none)", c->house_list);
	if (count(&s, FIX_CMDLINE)) {
		fputs("\n[bootloader]\ncmdline_quell_check=", f);
		for (size_t i = 0; i < s.n; i++)
			if (s.fix[i]->kind == FIX_CMDLINE)
				fprintf(f, "%s%s=%s", n++ ? " " : "", s.fix[i]->target, s.fix[i]->value);
		fputs("\n", f);
	}
	if (count(&s, FIX_SYSCTL)) {
		fputs("\n[sysctl]\n", f);
		for (size_t i = 0; i < s.n; i++)
			if (s.fix[i]->kind == FIX_SYSCTL)
				fprintf(f, "%s=%s\n", s.fix[i]->target, s.fix[i]->value);
	}
	if (count(&s, FIX_FILE) + count(&s, FIX_NOW)) {
		fputs("\n[sysfs]\n", f);
		for (size_t i = 0; i < s.n; i++)
			if (s.fix[i]->kind == FIX_FILE || s.fix[i]->kind == FIX_NOW)
				fprintf(f, "%s=%s\n", s.fix[i]->target, s.fix[i]->value);
	}
	for (size_t i = 0, m = 0; i < s.n; i++) {
		if (s.fix[i]->kind == FIX_CONF && strstr(s.fix[i]->target, "/system.conf.d/"))
			fprintf(f, "\n[systemd]\ncpu_affinity=%s\n", c->house_list);
		else if (s.fix[i]->kind == FIX_DROP ||
			 s.fix[i]->kind >= FIX_CONF) {
			char *text = fix_text(s.fix[i]);

			if (!m++)
				fputs("\n# tuned has nothing for these:\n", f);
			comment(f, "", text);
			free(text);
		}
	}
	free(s.fix);
	free(s.of);
}
