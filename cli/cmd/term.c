// SPDX-License-Identifier: GPL-2.0
/* term.c - a screen of our own on the user's terminal, and his keys. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "quell.h"
#include "cmd/term.h"

/* Alternate screen, no cursor, no wrapping; and back. */
#define ENTER	"\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE	"\033[0m\033[?7h\033[?25h\033[?1049l"

static bool opened, keys;
static struct termios before;
static volatile sig_atomic_t resized, stopped;

bool term_able(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb");
}

static void say(const char *text)
{
	fflush(stdout);
	fputs(text, stdout);
	fflush(stdout);
}

static void enter(void)
{
	struct termios raw;

	keys = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);
	if (keys) {
		raw = before;
		/* ^C and ^Z stay what they are. */
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	say(ENTER);
	opened = true;
}

void term_close(void)
{
	if (!opened)
		return;
	opened = false;
	say(LEAVE);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void measure(struct term *t)
{
	struct winsize w = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	t->rows = w.ws_row ? w.ws_row : 24;
	t->cols = w.ws_col ? w.ws_col : 80;
}

void term_open(struct term *t)
{
	static bool registered;
	struct sigaction sa = { .sa_handler = on_resize };

	sigaction(SIGWINCH, &sa, NULL);
	/* Continued by somebody who stopped us otherwise: draw all anew. */
	sigaction(SIGCONT, &sa, NULL);
	sa.sa_handler = on_stop;
	sigaction(SIGTSTP, &sa, NULL);
	if (!registered)
		atexit(term_close);
	registered = true;
	complaint_hook = term_close;
	t->colour = !getenv("NO_COLOR");
	enter();
	measure(t);
}

int term_key(struct term *t, unsigned int ms, bool *changed)
{
	struct pollfd p = { .fd = keys ? STDIN_FILENO : -1, .events = POLLIN };
	unsigned char c;

	if (!resized && !stopped && poll(&p, 1, ms) > 0) {
		if (read(STDIN_FILENO, &c, 1) == 1)
			return c == '\r' ? KEY_ENTER : c == '\b' ? KEY_BACKSPACE : c;
		keys = keys && !(p.revents & (POLLHUP | POLLERR));
	}
	if (stopped) {
		stopped = 0;
		term_close();
		raise(SIGSTOP);
		enter();
		resized = 1;
	}
	if (resized) {
		resized = 0;
		measure(t);
		*changed = true;
	}
	return KEY_NONE;
}
