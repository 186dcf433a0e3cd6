/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial port, a 16550 by polling. */
#ifndef KEEL_DEV_UART_H
#define KEEL_DEV_UART_H

#include <keel/types.h>

/* Sets 8N1 at @baud on the port at @base; false (and mute from then on) if there is none. */
bool uart_init(u16 base, u32 baud);

/* Writes one byte; gives up on a transmitter that does not drain. */
void uart_putc(char c);

#endif
