/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses VMX or SVM, whichever this CPU has and the configuration built. */
#include "vmm/backend.h"

#include <generated/autoconf.h>
#include <keel/panic.h>

#include "vmm/backend_choice.h"

const struct backend *backend;

static const struct backend *const built[] = {
#ifdef CONFIG_VMX
	&vmx_backend,
#endif
#ifdef CONFIG_SVM
	&svm_backend,
#endif
};

static _Noreturn void refuse_cpu(void)
{
	const char *second = ARRAY_SIZE(built) > 1 ? built[ARRAY_SIZE(built) - 1]->name : "";
	char vendor[13];

	cpu_vendor(vendor);
	refuse("this CPU (%s) shows no %s%s%s: use a CPU that has it, switch virtualization on in "
	       "the firmware setup, or, under KVM, pass it on (kvm_intel or kvm_amd with nested=1, and "
	       "-cpu host)",
	       vendor, built[0]->name, *second ? " and no " : "", second);
}

void backend_choose(void)
{
	const char *why = "";

	for (u32 i = 0; i < ARRAY_SIZE(built) && !backend; i++) {
		if (built[i]->present())
			backend = built[i];
	}
	if (!backend)
		refuse_cpu();
	if (backend->init(&why))
		refuse("%s: %s", backend->name, why);
}
