/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/power.h"

#include <keel/bits.h>
#include <keel/console.h>

#include "mode/desc.h"
#include "cpu/port.h"
#include "cpu/regs.h"
#include "lib/acpi.h"
#include "lib/acpi_reset.h"
#include "mm/frame.h"
#include "mm/host_map.h"
#include "vmm/backend.h"
#include "vmm/stats.h"

/* PM1 control register (ACPI 6.4, 4.8.3.2.1). */
#define PM1_CNT_SLP_EN	      BIT(13)
#define PM1_CNT_SLP_TYP_SHIFT 10
#define PM1_CNT_SLP_TYP_MASK  7
#define PM1_CNT_BYTES	      2

/* Reset control register of Intel chipsets and all that follow them: system reset, reset CPU. */
#define RST_CNT_PORT	      0xcf9
#define RST_CNT_SYS	      BIT(1)
#define RST_CNT_CPU	      BIT(2)

/* Keyboard controller: pulse output bit 0, the CPU's reset line. */
#define KBC_PORT	      0x64
#define KBC_PULSE_RESET	      0xfe

#define RESET_WAIT	      1000000

static struct acpi_power_ports ports;
static struct acpi_reset_reg firmware_reset;
static gpa_t reset_register;
/* SLP_TYP values that end outside Keel, by bit. */
static u8 forbidden_sleep;

static void redirect_reset(u64 rsdp)
{
	struct acpi_reset_reg ours = {
		.space = ACPI_SPACE_MEMORY,
		.address = keel_region.end - PAGE_SIZE,
		.value = 1,
	};

	if (acpi_swap_reset_reg(rsdp, host_map_foreign, &ours, &firmware_reset))
		reset_register = ours.address;
}

static u32 hide_sleep(u64 rsdp)
{
	struct acpi_header *table = acpi_find(rsdp, "DSDT", host_map_foreign);
	u32 hidden = table ? acpi_hide_sleep(table, &forbidden_sleep) : 0;

	for (u32 n = 0; (table = acpi_find_nth(rsdp, "SSDT", n, host_map_foreign)); n++)
		hidden += acpi_hide_sleep(table, &forbidden_sleep);
	return hidden;
}

void power_init(u64 rsdp)
{
	if (!rsdp) {
		log_notice("no ACPI found: power-off and reset are not seen by Keel");
		return;
	}
	ports = acpi_power_ports(rsdp, host_map_foreign);
	if (ports.pm1a_cnt)
		backend->trap_ports(ports.pm1a_cnt, PM1_CNT_BYTES);
	if (ports.pm1b_cnt)
		backend->trap_ports(ports.pm1b_cnt, PM1_CNT_BYTES);
	redirect_reset(rsdp);
	if (hide_sleep(rsdp))
		log_info("suspend to RAM is hidden from the guest: it would wake up without Keel");
}

/*
 * The bits of the PM1 control register at @pm1 that a write sets; it may hit only one of its bytes.
 */
static u32 pm1_bits(u16 pm1, u16 port, u8 bytes, u32 value)
{
	if (!pm1 || port >= pm1 + PM1_CNT_BYTES || port + bytes <= pm1)
		return 0;
	return port >= pm1 ? value << 8 * (port - pm1) : value >> 8 * (pm1 - port);
}

bool power_write_allowed(u16 port, u8 bytes, u32 value)
{
	u32 pm1 = pm1_bits(ports.pm1a_cnt, port, bytes, value) |
		  pm1_bits(ports.pm1b_cnt, port, bytes, value);

	if (!(pm1 & PM1_CNT_SLP_EN))
		return true;
	if (forbidden_sleep & BIT(pm1 >> PM1_CNT_SLP_TYP_SHIFT & PM1_CNT_SLP_TYP_MASK)) {
		log_error("the guest's suspend is refused: it would wake up without Keel");
		return false;
	}
	stats_print("power-off");
	return true;
}

gpa_t power_reset_register(void)
{
	return reset_register;
}

static void wait_for_reset(void)
{
	for (u32 i = 0; i < RESET_WAIT; i++)
		cpu_relax();
}

_Noreturn void power_reset(const char *why)
{
	struct desc_ptr no_idt = {0, 0};

	stats_print(why);
	if (firmware_reset.space == ACPI_SPACE_IO && firmware_reset.address) {
		outb((u16)firmware_reset.address, firmware_reset.value);
		wait_for_reset();
	}
	outb(RST_CNT_PORT, RST_CNT_SYS);
	outb(RST_CNT_PORT, RST_CNT_SYS | RST_CNT_CPU);
	wait_for_reset();
	outb(KBC_PORT, KBC_PULSE_RESET);
	wait_for_reset();
	__asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
	cpu_halt();
}
