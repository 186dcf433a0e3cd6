/* SPDX-License-Identifier: BSD-2-Clause */
#include "dev/pit.h"

#include <keel/bits.h>

#include "cpu/port.h"

#define PIT_HZ		 1193182ull
/* In units of 2^-16: a division by a variable of 64 bits would need the compiler's library. */
#define PIT_TICKS_PER_US ((PIT_HZ << 16) / 1000000)
#define PIT_CHANNEL2	 0x42
#define PIT_MODE	 0x43
/* Channel 2, low byte then high byte, mode 0: its output goes up when the count is over. */
#define PIT_MODE_ONESHOT 0xb0

#define PORT_B		 0x61
#define PORT_B_GATE	 BIT(0)
#define PORT_B_SPEAKER	 BIT(1)
#define PORT_B_OUTPUT	 BIT(5)

/* A look is a port read of about a microsecond; more looks than that mean that nothing counts. */
#define LOOKS_PER_US	 50

bool pit_wait_us(u32 us)
{
	u16 count = (u16)(PIT_TICKS_PER_US * us >> 16);
	u8 before = inb(PORT_B);
	bool counts;

	outb(PORT_B, (before & ~PORT_B_SPEAKER) | PORT_B_GATE);
	outb(PIT_MODE, PIT_MODE_ONESHOT);
	outb(PIT_CHANNEL2, (u8)count);
	outb(PIT_CHANNEL2, count >> 8);
	/* Mode 0 holds the output low while it counts: where there is no timer it reads as it likes. */
	counts = !(inb(PORT_B) & PORT_B_OUTPUT);
	for (u32 i = 0; i < LOOKS_PER_US * us && counts; i++) {
		if (inb(PORT_B) & PORT_B_OUTPUT) {
			outb(PORT_B, before);
			return true;
		}
	}
	/* A port read takes about a microsecond, or less. */
	for (u32 i = 0; i < 2 * us; i++)
		inb(PORT_B);
	outb(PORT_B, before);
	return false;
}
