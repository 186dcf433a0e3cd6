# SPDX-License-Identifier: BSD-2-Clause
# Every object of Keel, one a line, by room.

objs-y += lib/acpi.o
objs-y += lib/acpi_add.o
objs-y += lib/acpi_reset.o
objs-y += lib/bios.o
objs-y += lib/cmdline.o
objs-y += lib/format.o
objs-y += lib/icr.o
objs-y += lib/kvm_pv.o
objs-y += lib/linux_boot.o
objs-y += lib/linux_params.o
objs-y += lib/mtrr.o
objs-y += lib/multiboot2.o
objs-y += lib/range.o
objs-y += lib/startup.o
objs-y += lib/store.o
objs-y += lib/string.o
objs-y += lib/tally.o

objs-y += mode/head.o

objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/desc.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/dump.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/entry.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/isr.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/paging.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/reloc.o
objs-$(CONFIG_SUBARCH_AMD64) += mode/amd64/trampoline.o

objs-$(CONFIG_MODE_IA32) += mode/ia32/desc.o
objs-$(CONFIG_MODE_IA32) += mode/ia32/dump.o
objs-$(CONFIG_MODE_IA32) += mode/ia32/entry.o
objs-$(CONFIG_MODE_IA32) += mode/ia32/isr.o
objs-$(CONFIG_MODE_IA32) += mode/ia32/reloc.o
objs-$(CONFIG_MODE_IA32) += mode/ia32/trampoline.o
objs-$(CONFIG_SUBARCH_PAE) += mode/pae/paging.o
objs-$(CONFIG_SUBARCH_I386) += mode/i386/paging.o

objs-y += cpu/cpuid.o
objs-y += cpu/exception.o
objs-y += cpu/msr.o
objs-y += cpu/mtrr_read.o

objs-y += mm/frame.o
objs-y += mm/frame_table.o
objs-y += mm/host_map.o
objs-y += lib/pagetable.o

objs-y += dev/apic.o
objs-y += dev/console.o
objs-y += dev/log.o
objs-y += dev/pit.o
objs-y += dev/screen.o
objs-y += dev/uart.o

objs-y += vmm/account.o
objs-y += vmm/apic.o
objs-y += vmm/apic_page.o
objs-y += vmm/backend.o
objs-y += vmm/below.o
objs-y += vmm/below_call.o
objs-y += vmm/boot_failed.o
objs-y += vmm/build.o
objs-y += vmm/cpu_start.o
objs-y += vmm/cpus.o
objs-y += vmm/exit.o
objs-y += vmm/exit_cpuid.o
objs-y += vmm/exit_cr.o
objs-y += vmm/exit_io.o
objs-y += vmm/exit_memory.o
objs-y += vmm/exit_misc.o
objs-y += vmm/exit_msr.o
objs-y += vmm/guest_memory.o
objs-y += vmm/hypercall.o
objs-y += vmm/kick.o
objs-y += vmm/kick_trial.o
objs-y += vmm/nested.o
objs-y += vmm/panic.o
objs-y += vmm/power.o
objs-y += vmm/stats.o
objs-$(CONFIG_TRACE) += vmm/trace.o
objs-y += vmm/watchdog.o
objs-y += vmm/x2apic_hint.o

objs-$(CONFIG_VMX) += vmx/backend.o
objs-$(CONFIG_VMX) += vmx/bitmap.o
objs-$(CONFIG_VMX) += vmx/capabilities.o
objs-$(CONFIG_VMX) += vmx/control.o
objs-$(CONFIG_COUNT_VMCS) += vmx/count.o
objs-$(CONFIG_VMX) += vmx/cpuid.o
objs-$(CONFIG_VMX) += vmx/cr.o
objs-$(CONFIG_VMX) += vmx/decode.o
objs-$(CONFIG_VMX) += vmx/ept.o
objs-$(CONFIG_VMX) += vmx/error.o
objs-$(CONFIG_VMX) += vmx/event.o
objs-$(CONFIG_VMX) += vmx/exit.o
objs-$(CONFIG_CPUID_FAST) += vmx/fast.o
objs-$(CONFIG_CPUID_FAST) += vmx/fast_path.o
objs-$(CONFIG_VMX) += vmx/guest_state.o
objs-$(CONFIG_VMX) += vmx/msr.o
objs-$(CONFIG_VMX) += vmx/run.o
objs-$(CONFIG_VMX) += vmx/task.o

objs-$(CONFIG_SVM) += svm/cpuid.o
objs-$(CONFIG_SVM) += svm/decode.o
objs-$(CONFIG_SVM) += svm/msr.o
objs-$(CONFIG_SVM) += svm/nmi.o
objs-$(CONFIG_SVM) += svm/probe.o
objs-$(CONFIG_SVM) += svm/run.o
objs-$(CONFIG_SVM) += svm/start.o
objs-$(CONFIG_SVM) += svm/svm.o
objs-$(CONFIG_SVM) += svm/vcpu.o

objs-y += boot/banner.o
objs-y += boot/bios_stub.o
objs-y += boot/bootsector.o
objs-y += boot/firmware.o
objs-y += boot/guest.o
objs-y += boot/main.o
objs-y += boot/relocate.o
objs-y += boot/smp.o
