/* SPDX-License-Identifier: BSD-2-Clause */
/* The VGA text screen, 80 by 25. */
#ifndef KEEL_DEV_SCREEN_H
#define KEEL_DEV_SCREEN_H

/* Uses the text screen at 0xB8000, from below what the loader wrote. */
void screen_init(void);

/* The guest owns the screen now: nothing is written until screen_take_back(). */
void screen_give_up(void);

/* For a panic: writes from the top left again. Does nothing if the loader left no text screen. */
void screen_take_back(void);

void screen_putc(char c);

#endif
