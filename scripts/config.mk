# SPDX-License-Identifier: BSD-2-Clause
#
# Configuration by kconfig-frontends. The configuration is $(O)/.config; made from it
# are auto.conf (for make and sh), autoconf.h (for C) and, below include/config/, one
# file per symbol whose time changes only with the symbol's value: what depends on a
# symbol names that file as a prerequisite.

export O
export srctree := $(CURDIR)
export KCONFIG_CONFIG := $(O)/.config
auto_conf := $(O)/include/config/auto.conf

default_config := amd64_defconfig
kconfig_files := Kconfig $(wildcard */Kconfig)

.PHONY: menuconfig nconfig config oldconfig olddefconfig savedefconfig listdefconfigs
menuconfig: kconfig-tool := kconfig-mconf
nconfig: kconfig-tool := kconfig-nconf
config: kconfig-tool := kconfig-conf --oldaskconfig
oldconfig: kconfig-tool := kconfig-conf --oldconfig
menuconfig nconfig config oldconfig: | $(O)/.config
	$(Q)cd $(O) && $(kconfig-tool) Kconfig
	$(Q)scripts/sync-config

olddefconfig: | $(O)/.config
	$(Q)scripts/sync-config

# The few lines in which a configuration differs from the defaults.
savedefconfig: $(auto_conf)
	$(Q)cd $(O) && kconfig-conf --savedefconfig=$(O)/defconfig Kconfig >/dev/null
	$(Q)echo "wrote $(O)/defconfig"

listdefconfigs:
	$(Q)ls configs

%_defconfig: configs/%_defconfig | kconfig-present
	$(Q)mkdir -p $(O)
	$(Q)scripts/sync-config $<
	$(Q)echo "configured $(O)/.config from $<"

$(O)/.config: | kconfig-present
	$(Q)mkdir -p $(O)
	$(Q)echo "no configuration yet: using the default, configs/$(default_config)"
	$(Q)scripts/sync-config configs/$(default_config)

$(auto_conf): $(O)/.config $(kconfig_files)
	$(Q)scripts/sync-config

# A symbol that was never set has no such file yet.
$(O)/include/config/%.h: $(auto_conf)
	@[ -e $@ ] || { mkdir -p $(@D) && touch $@; }

.PHONY: kconfig-present
kconfig-present:
	$(Q)scripts/need kconfig-conf:kconfig-frontends
