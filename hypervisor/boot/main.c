/* SPDX-License-Identifier: BSD-2-Clause */
/* From the loader to the guest. */
#include <keel/panic.h>

#include "boot/boot.h"
#include "cpu/cpuid.h"
#include "cpu/regs.h"
#include "mode/desc.h"
#include "dev/apic.h"
#include "dev/console.h"
#include "lib/cmdline.h"
#include "lib/format.h"
#include "lib/multiboot2.h"
#include "mm/frame.h"
#include "mm/host_map.h"
#include "mode/image.h"
#include "vmm/account.h"
#include "vmm/apic.h"
#include "vmm/backend_choice.h"
#include "vmm/below.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"
#include "vmm/exit_msr.h"
#include "vmm/kick_trial.h"
#include "vmm/nested.h"
#include "vmm/power.h"
#include "vmm/x2apic_hint.h"

static struct boot_info info;
static struct cpu_ids ids;
static u64 started_at; /* TSC */
static struct range_list guest_ram;
/* Bytes of RAM that the guest does not get, beside Keel's. */
static u64 hidden_ram;

static _Noreturn void boot_relocated(void);

_Noreturn void boot_main(u32 magic, unsigned long mbi)
{
	const char *why = "";
	u32 size = *(const u32 *)mbi;

	started_at = rdtsc();
	console_init();
	if (magic != MULTIBOOT2_MAGIC)
		refuse("not started by Multiboot2 (EAX = 0x%x): use GRUB's multiboot2 command",
		       magic);
	if (multiboot2_parse((const void *)mbi, size, &info, &why))
		refuse("boot information: %s", why);
	if (info.framebuffer.present && info.framebuffer.type == FRAMEBUFFER_EGA_TEXT)
		console_use_screen();
	firmware_list_cpus(firmware_find_rsdp(), cpu_apic_id(), &ids);
	boot_relocate(&info, ids.count, boot_relocated);
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
	desc_init();
	desc_load();
	cpu_enable_machine_checks();
	frame_init(align_up((uintptr_t)image_end, PAGE_SIZE), keel_region.end);
	if (host_map_init())
		panic("no memory for Keel's own page tables");
}

/*
 * What Linux is told before its own arguments, which may overrule the second. The number of CPUs: the
 * ACPI tables may offer a hidden one for hotplug all the same, and acpi=off finds other tables.
 * Reboot by triple fault, which exits, where the FADT names no reset register: the keyboard
 * controller's reset is not seen by Keel.
 */
static const char *first_arguments(u32 hidden_cpus)
{
	static char first[40];
	char cpus_word[16] = "";

	if (hidden_cpus)
		keel_snprintf(cpus_word, sizeof(cpus_word), "nr_cpus=%u ", cpu_count);
	keel_snprintf(first, sizeof(first), "%s%s", cpus_word,
		      power_reset_register() ? "" : "reboot=triple ");
	return first;
}

static void choose_start_policy(bool below, bool all_parked)
{
	char word[64];
	bool asked = cmdline_get(info.cmdline, "apic", word, sizeof(word));

	cpu_start_init(asked ? word : NULL, below, all_parked);
}

static void prepare_boot_cpu(struct percpu *cpu)
{
	const char *why = "";

	cpu->apic_id = cpu_apic_id();
	apic_find(cpu);
	if (backend->cpu_on(cpu, &why))
		refuse("%s: %s", backend->name, why);
}

/* What the nested table cannot map is not the guest's. */
static void reserve_unreachable(void)
{
	u64 end = BIT64(nested_address_bits());

	hidden_ram = range_total(&guest_ram, RANGE_USABLE, ~0ull) -
		     range_total(&guest_ram, RANGE_USABLE, end);
	/* From the top: what is below an entry keeps its place. */
	for (u32 i = guest_ram.count; i-- > 0;) {
		struct range r = guest_ram.at[i];

		if (r.type == RANGE_USABLE && r.end > end &&
		    range_set(&guest_ram, max_u64(r.start, end), r.end, RANGE_RESERVED))
			refuse("the memory map has too many entries to hide RAM in it");
	}
}

static void hide_keel(void)
{
	guest_ram = info.memory;
	reserve_unreachable();
	if (range_set(&guest_ram, keel_region.start, keel_region.end, RANGE_RESERVED))
		refuse("the memory map has too many entries to hide Keel in it");
	if (nested_init(&guest_ram))
		refuse("Keel's memory is too small for this machine's nested page tables");
}

/* Loads the guest and gives this CPU the state in which it starts. */
static void prepare_guest(struct percpu *cpu, u64 rsdp, const char *below)
{
	const char *first = first_arguments(firmware_hide_cpus(rsdp, &ids));
	bool sector = bootsector_wanted(&info);
	struct guest_start start;
	u64 page = 0;

	account_publish(rsdp, below);
	if (sector)
		page = bootsector_load(&info, &guest_ram);
	else
		guest_load(&info, &guest_ram, rsdp, first, &start);
	banner_print(&guest_ram, hidden_ram, below);
	backend->reset_state(cpu, nested_root());
	if (sector)
		backend->start_sipi(cpu, (u8)(page >> PAGE_SHIFT));
	else
		backend->start_flat(cpu, &start);
}

static _Noreturn void boot_relocated(void)
{
	struct percpu *cpu = this_cpu();
	const char *below;
	bool all_parked;
	u64 rsdp;

	settle();
	apply_command_line();
	backend_choose();
	prepare_boot_cpu(cpu);
	all_parked = smp_start(&info, &ids, cpu);
	if (account_init())
		refuse("Keel's memory is too small for this machine's counters");
	hide_keel();
	rsdp = firmware_find_rsdp();
	power_init(rsdp);
	below = below_init();
	choose_start_policy(below, all_parked);
	msr_rules_install();
	prepare_guest(cpu, rsdp, below);
	x2apic_hint_begin(cpu);
	smp_release();
	if (below)
		kick_trial();
	apic_trap();
	log_info("started in %llu TSC ticks", (unsigned long long)(rdtsc() - started_at));
	console_guest_starts();
	cpu->guest_started = 1;
	backend->run(cpu);
}
