/* SPDX-License-Identifier: BSD-2-Clause */
#include <generated/autoconf.h>
#include <keel/abi.h>
#include <keel/console.h>

#include "boot/boot.h"
#include "cpu/cpuid.h"
#include "mm/frame.h"
#include "mode/mode.h"
#include "vmm/below.h"
#include "vmm/cpu_start.h"
#include "vmm/cpus.h"

void banner_print(const struct range_list *ram, u64 hidden, const char *below)
{
	u64 size = keel_region.end - keel_region.start;
	char vendor[13];
	char features[KEEL_FEATURES_MAX];

	cpu_vendor(vendor);
	log_notice("Keel " KEEL_VERSION " " SUBARCH_NAME " by %s on %s%s%s", backend->name, vendor,
		   below ? ", hypervisor below: " : "", below ? below : "");
	if (below_describe(features, sizeof(features)))
		log_notice("KVM below: %s", features);
	log_notice("guest: %llu MiB of RAM; Keel takes %llu KiB at 0x%llx, %u KiB of it unused",
		   (unsigned long long)(range_total(ram, RANGE_USABLE, ~0ull) >> 20),
		   (unsigned long long)(size >> 10), (unsigned long long)keel_region.start,
		   frame_left() * (PAGE_SIZE / 1024));
	if (hidden)
		log_notice("%llu MiB of RAM are hidden: the nested table of Keel " SUBARCH_NAME
			   " by %s ends at 4 GiB",
			   (unsigned long long)(hidden >> 20), backend->name);
	log_notice("%u CPU%s under Keel: %s", cpu_count, cpu_count == 1 ? "" : "s",
		   cpu_start_text());
	if (cpus_parked)
		log_notice("%u more parked: the guest gets at most CONFIG_NR_CPUS=%u", cpus_parked,
			   CONFIG_NR_CPUS);
}
