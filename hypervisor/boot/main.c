/* SPDX-License-Identifier: BSD-2-Clause */
/* From the loader to the guest. */
#include <keel/panic.h>

#include "boot/boot.h"
#include "mode/desc.h"
#include "dev/console.h"
#include "lib/cmdline.h"
#include "lib/format.h"
#include "lib/multiboot2.h"
#include "mm/frame.h"
#include "mm/host_map.h"
#include "mode/image.h"
#include "vmm/backend_choice.h"
#include "vmm/below.h"
#include "vmm/exit_msr.h"
#include "vmm/nested.h"
#include "vmm/power.h"

static struct boot_info info;
static struct range_list guest_ram;

static _Noreturn void boot_relocated(void);

_Noreturn void boot_main(u32 magic, unsigned long mbi)
{
	const char *why = "";
	u32 size = *(const u32 *)mbi;

	console_init();
	if (magic != MULTIBOOT2_MAGIC)
		refuse("not started by Multiboot2 (EAX = 0x%x): use GRUB's multiboot2 command",
		       magic);
	if (multiboot2_parse((const void *)mbi, size, &info, &why))
		refuse("boot information: %s", why);
	if (info.framebuffer.present && info.framebuffer.type == FRAMEBUFFER_EGA_TEXT)
		console_use_screen();
	boot_relocate(&info, boot_relocated);
}

static void apply_command_line(void)
{
	u64 level;

	if (cmdline_get_u64(info.cmdline, "loglevel", &level))
		console_set_level((u32)level);
}

/* Keel's own world in its final place: descriptors, frames, page tables. */
static void settle(void)
{
	desc_load();
	frame_init(align_up((u64)image_end, PAGE_SIZE), keel_region.end);
	if (host_map_init())
		panic("no memory for Keel's own page tables");
}

/*
 * What Linux is told before its own arguments, which may overrule the second. One CPU: the ACPI tables
 * may offer a hidden one for hotplug all the same, and acpi=off finds other tables. Reboot by
 * triple fault, which exits, where the FADT names no reset register: the keyboard controller's reset
 * is not seen by Keel.
 */
static const char *first_arguments(u32 hidden_cpus)
{
	static char first[32];

	keel_snprintf(first, sizeof(first), "%s%s", hidden_cpus ? "nr_cpus=1 " : "",
		      power_reset_register() ? "" : "reboot=triple ");
	return first;
}

static void prepare_cpu(struct percpu *cpu)
{
	const char *why = "";

	cpu->apic_id = cpu_apic_id();
	if (backend->cpu_on(cpu, &why))
		refuse("%s: %s", backend->name, why);
}

static _Noreturn void boot_relocated(void)
{
	struct percpu *cpu = this_cpu();
	struct guest_start start;
	const char *below;
	u32 hidden_cpus;
	u64 rsdp;

	settle();
	apply_command_line();
	backend_choose();
	prepare_cpu(cpu);

	guest_ram = info.memory;
	if (range_set(&guest_ram, keel_region.start, keel_region.end, RANGE_RESERVED))
		refuse("the memory map has too many entries to hide Keel in it");
	if (nested_init(&guest_ram))
		refuse("Keel's memory is too small for this machine's nested page tables");
	rsdp = firmware_find_rsdp();
	power_init(rsdp);
	below = below_init();
	msr_rules_install();
	hidden_cpus = firmware_hide_cpus(rsdp, cpu->apic_id);
	guest_load(&info, &guest_ram, rsdp, first_arguments(hidden_cpus), &start);
	banner_print(&guest_ram, below, hidden_cpus);

	backend->start_state(cpu, &start, nested_root());
	console_guest_starts();
	cpu->guest_started = 1;
	backend->run(cpu);
}
