/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INIT and SIPI of one CPU (Intel SDM volume 3, 9.4.3, 9.4.4 and 11.4.7.3): its state and what is
 * pending, in one word, so that senders on other CPUs change it by compare-and-swap. All functions
 * are pure: they take the word that was read and return the one to put in its place.
 */
#ifndef KEEL_LIB_STARTUP_H
#define KEEL_LIB_STARTUP_H

#include <keel/types.h>

enum startup_state {
	STARTUP_HALTED, /* as the firmware left it: ignores a SIPI until the first INIT */
	STARTUP_WAIT,	/* for a SIPI */
	STARTUP_RUN,
};

/* What the word begins with: nothing pending. Memory cleared to 0 is a halted CPU. */
#define STARTUP_WORD_HALTED ((u32)STARTUP_HALTED)
#define STARTUP_WORD_WAIT   ((u32)STARTUP_WAIT)
#define STARTUP_WORD_RUN    ((u32)STARTUP_RUN)

/*
 * The word after an INIT was sent: it is pending, and a SIPI sent before it is lost. A second one
 * before the first is taken changes nothing else.
 */
u32 startup_send_init(u32 word);

/*
 * The word after a SIPI with @vector was sent. It is kept if the CPU waits for one or will after
 * its pending INIT, and none is pending yet: the first vector wins. Else the word is unchanged.
 */
u32 startup_send_sipi(u32 word, u8 vector);

enum startup_action {
	STARTUP_NOTHING,
	STARTUP_INIT,  /* take on the state after INIT, then ask again */
	STARTUP_START, /* run from @vector << 12 */
};

/*
 * What the CPU itself does next; *@after gets the word after it, *@vector the SIPI's vector, 0
 * unless the answer is STARTUP_START. An INIT comes first and leads to STARTUP_WAIT; a SIPI that
 * came after it stays pending for the next call, which leads to STARTUP_RUN.
 */
enum startup_action startup_take(u32 word, u32 *after, u8 *vector);

enum startup_state startup_state(u32 word);

/* Was the last thing that happened to the CPU an INIT, taken or still pending? */
bool startup_is_reset(u32 word);

#endif
