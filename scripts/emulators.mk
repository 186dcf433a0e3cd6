# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests need from other Debian suites or architectures than the host's.

.PHONY: emulators cmocka32 guest-kernels
emulators: $(O)/emulators/.done
cmocka32: $(O)/cmocka32/.done
guest-kernels: $(O)/guest-kernels/.done

$(O)/emulators/.done: scripts/emulators scripts/private-apt | $(auto_conf)
	$(Q)scripts/step emulators $(O)/log/emulators.log scripts/emulators $(O)/emulators
	$(Q)touch $@

# 32-bit unit tests need cmocka for i386, from the host's own suite.
$(O)/cmocka32/.done: scripts/private-apt | $(auto_conf)
	$(Q)scripts/step cmocka32 $(O)/log/cmocka32.log scripts/private-apt --only \
		$$(. /etc/os-release && echo $$VERSION_CODENAME) i386 $(O)/cmocka32 libcmocka-dev libcmocka0
	$(Q)touch $@

# Debian 11's kernels of 32-bit code, for the small Linux guest.
$(O)/guest-kernels/.done: scripts/guest-kernels scripts/private-apt | $(auto_conf)
	$(Q)scripts/step kernels $(O)/log/guest-kernels.log scripts/guest-kernels $(O)/guest-kernels
	$(Q)touch $@
