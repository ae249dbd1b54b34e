/* SPDX-License-Identifier: GPL-2.0 */
/*
 * term.h - a screen of our own on the user's terminal, and his keys.
 *
 * Whatever ends the program, the terminal is as it was: term_close() runs at
 * exit, before the first complaint, and around a stop (^Z).
 */
#ifndef QUELL_TERM_H
#define QUELL_TERM_H

#include <stdbool.h>

enum { KEY_NONE = -1, KEY_ENTER = '\n', KEY_ESCAPE = 27, KEY_BACKSPACE = 127 };

struct term {
	int	rows, cols;
	bool	colour;
};

/* Is standard output a terminal that can do more than print line after line? */
bool term_able(void);
void term_open(struct term *t);
void term_close(void);

/*
 * Wait for a key at most @ms. *@changed is set if the screen has to be drawn anew:
 * another size, or back from a stop.
 */
int term_key(struct term *t, unsigned int ms, bool *changed);

#endif
