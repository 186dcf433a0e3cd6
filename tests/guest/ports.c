/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports reach the devices; those that Keel looks at do so too. */
#include "lib/acpi.h"
#include "lib/cpu.h"

const char payload_name[] = "ports";

static void check_round_trip(u16 port, u8 value, const char *name)
{
	u8 old = inb(port);

	outb(port, value);
	check_eq(inb(port), value, "%s keeps 0x%x", name, value);
	outb(port, old);
}

static void check_pit(void)
{
	u32 changes = 0;
	u8 last = 0;

	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb4); /* channel 2, rate generator */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
	for (u32 i = 0; i < 100000; i++) {
		outb(0x43, 0x80);
		last ^= inb(0x42);
		changes += last != 0;
		last = inb(0x42);
	}
	check(changes > 10, "the PIT counts");
}

static u32 pci_read(u32 bus_dev_fn, u32 reg)
{
	outl(0xcf8, 0x80000000 | bus_dev_fn << 8 | reg);
	return inl(0xcfc);
}

/* 0xCF9 lies inside the four bytes of PCI's address port, which must go on working. */
static void check_pci(void)
{
	for (u32 dev = 0; dev < 32; dev++) {
		u32 id = pci_read(dev << 3, 0);

		same(id, "pci 00:%02x.0 id", dev);
		if (id != 0xffffffff)
			same(pci_read(dev << 3, 8), "pci 00:%02x.0 class", dev);
	}
	check((pci_read(0, 0) & 0xffff) == 0x8086, "the host bridge is Intel's");
	outl(0xcf8, 0x80000008);
	check_eq(inl(0xcf8), 0x80000008, "PCI's address port reads back");
	same(inb(0xcf9), "port cf9");
	outb(0xcf9, 0);
	same(inb(0xcf9), "port cf9 after a write without reset");
	check((pci_read(0, 0) & 0xffff) == 0x8086, "PCI works after that");
}

/* String and wide forms on the trapped ports: a word at 0xCF8 and a byte by OUTS. */
static void check_string_io(void)
{
	static const u8 bytes[2] = { 0, 0 };
	const u8 *from = bytes;
	unsigned long n = sizeof(bytes);
	u8 back[2] = { 1, 1 }, *to = back;

	asm volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0xcf9) : "memory");
	check_eq(n, 0, "REP OUTS to port cf9 ends");
	check(from == bytes + 2, "REP OUTS moves its pointer");
	n = sizeof(back);
	asm volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0xcf9) : "memory");
	check_eq(n, 0, "REP INS from port cf9 ends");
	same(back[0] << 8 | back[1], "port cf9 by REP INS");
	same(inw(0xcf9), "port cf9 as a word");
}

static void check_pm1(void)
{
	u16 port = acpi_pm1a_control(), old;

	if (!check(port, "ACPI names PM1a control"))
		return;
	same(port, "PM1a control port");
	old = inw(port);
	outw(port, old | 1); /* SCI_EN */
	check_eq(inw(port) & 1, 1, "PM1a control keeps SCI_EN");
	outw(port, old & ~1);
	outw(port, old);
	same(inw(port), "PM1a control");
}

void payload(void)
{
	check_round_trip(0x21, 0xfb, "first PIC's mask");
	check_round_trip(0xa1, 0x5a, "second PIC's mask");
	check_round_trip(0x87, 0x12, "DMA page 0");
	check_round_trip(0x83, 0x34, "DMA page 1");
	outb(0x70, 0x0d);
	same(inb(0x71) & 0x80, "CMOS battery");
	same(inb(0x64) & 0x10, "keyboard status");
	check_pit();
	check_pci();
	check_string_io();
	check_pm1();
}
