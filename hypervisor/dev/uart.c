/* SPDX-License-Identifier: BSD-2-Clause */
/* Register names and bits: National Semiconductor PC16550D data sheet, 8.0. */
#include "dev/uart.h"

#include "cpu/port.h"
#include "cpu/regs.h"

#define UART_CLOCK	 115200u

#define UART_THR	 0 /* transmitter holding register; divisor low while LCR.DLAB */
#define UART_IER	 1 /* interrupt enable; divisor high while LCR.DLAB */
#define UART_FCR	 2
#define UART_LCR	 3
#define UART_MCR	 4
#define UART_LSR	 5
#define UART_SCR	 7

#define FCR_ENABLE_CLEAR 0x07
#define LCR_8N1		 0x03
#define LCR_DLAB	 0x80
#define MCR_DTR_RTS	 0x03
#define LSR_THRE	 0x20

/* About a tenth of a second even where a port read takes only 1 microsecond. */
#define SPIN_MAX	 100000

static u16 port;

bool uart_init(u16 base, u32 baud)
{
	u32 divisor = baud ? UART_CLOCK / baud : 1;

	port = 0;
	/* The scratch register remembers only where there is a UART. */
	outb(base + UART_SCR, 0x5a);
	if (inb(base + UART_SCR) != 0x5a)
		return false;
	outb(base + UART_IER, 0);
	outb(base + UART_LCR, LCR_DLAB | LCR_8N1);
	outb(base + UART_THR, (u8)divisor);
	outb(base + UART_IER, (u8)(divisor >> 8));
	outb(base + UART_LCR, LCR_8N1);
	outb(base + UART_FCR, FCR_ENABLE_CLEAR);
	outb(base + UART_MCR, MCR_DTR_RTS);
	port = base;
	return true;
}

void uart_putc(char c)
{
	if (!port)
		return;
	for (u32 i = 0; i < SPIN_MAX; i++) {
		if (inb(port + UART_LSR) & LSR_THRE)
			break;
		cpu_relax();
	}
	outb(port + UART_THR, (u8)c);
}
