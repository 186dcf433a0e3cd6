/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets up what <keel/console.h> prints to. */
#ifndef KEEL_DEV_CONSOLE_H
#define KEEL_DEV_CONSOLE_H

#include <keel/console.h>

/* The serial port and the level as configured. */
void console_init(void);

/* Also the text screen, if the loader left one. */
void console_use_screen(void);

void console_set_level(u32 level);

/* The guest starts: the screen is its own from now on. */
void console_guest_starts(void);

/* A panic: everything there is, whatever the guest does with it. */
void console_take_back(void);

#endif
