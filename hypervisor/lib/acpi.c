/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads ACPI tables (ACPI 6.4, chapter 5). Tables lie at any address and are packed: fields that
 * are not part of a packed structure are copied out.
 */
#include "acpi.h"
#include "acpi_fadt.h"
#include "acpi_rsdp.h"
#include "string.h"

/* 5.2.12: multiple APIC description table. */
#define MADT_ENTRIES	  44u
#define MADT_LOCAL_APIC	  0
#define MADT_LOCAL_X2APIC 9
#define MADT_USABLE	  3u /* Enabled or Online Capable */

/* To send to one of these is broadcast; firmware that fills entries up is known to list them. */
#define XAPIC_NO_ID	  0xffu
#define X2APIC_NO_ID	  0xffffffffu

struct madt_local_apic {
	u8 type, length;
	u8 uid;
	u8 apic_id;
	u32 flags;
} __attribute__((packed));

struct madt_local_x2apic {
	u8 type, length;
	u16 reserved;
	u32 apic_id;
	u32 flags;
	u32 uid;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");

u8 acpi_sum(const void *p, size_t len)
{
	const u8 *byte = p;
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *byte++);
	return sum;
}

bool acpi_checksum_ok(const void *p, size_t len)
{
	return acpi_sum(p, len) == 0;
}

void acpi_fix_checksum(struct acpi_header *table)
{
	table->checksum = 0;
	table->checksum = (u8)-acpi_sum(table, table->length);
}

bool acpi_read_rsdp(u64 pa, acpi_map_fn map, struct acpi_rsdp *out)
{
	const struct acpi_rsdp *p = map(pa, ACPI_RSDP_V1_SIZE);

	memset(out, 0, sizeof(*out));
	if (!p || memcmp(p->signature, "RSD PTR ", sizeof(p->signature)) ||
	    !acpi_checksum_ok(p, ACPI_RSDP_V1_SIZE))
		return false;
	memcpy(out, p, ACPI_RSDP_V1_SIZE);
	if (out->revision < 2)
		return true;
	p = map(pa, sizeof(*p));
	if (!p || p->length < sizeof(*p) || p->length > ACPI_TABLE_MAX_LEN)
		return true;
	p = map(pa, p->length);
	if (p && acpi_checksum_ok(p, p->length))
		memcpy(out, p, sizeof(*out));
	return true;
}

u64 acpi_scan_rsdp(u64 start, size_t len, acpi_map_fn map)
{
	struct acpi_rsdp rsdp;

	for (size_t skip = -start & 15; skip < len; skip += 16) {
		if (len - skip < ACPI_RSDP_V1_SIZE)
			break;
		if (acpi_read_rsdp(start + skip, map, &rsdp))
			return start + skip;
	}
	return 0;
}

/* The table at @pa, all of it readable and with a right checksum, or NULL. */
static struct acpi_header *map_table(u64 pa, acpi_map_fn map)
{
	struct acpi_header *table = pa ? map(pa, sizeof(*table)) : NULL;
	u32 len;

	if (!table)
		return NULL;
	len = table->length;
	if (len < sizeof(*table) || len > ACPI_TABLE_MAX_LEN)
		return NULL;
	table = map(pa, len);
	return table && acpi_checksum_ok(table, len) ? table : NULL;
}

static bool has_signature(const struct acpi_header *table, const char *signature)
{
	return !memcmp(table->signature, signature, sizeof(table->signature));
}

struct acpi_header *acpi_map_signed(u64 pa, const char *signature, acpi_map_fn map)
{
	struct acpi_header *table = map_table(pa, map);

	return table && has_signature(table, signature) ? table : NULL;
}

/* The RSDT or XSDT, whose entries have @width bytes each (5.2.7, 5.2.8). */
static const struct acpi_header *find_root(u64 rsdp, acpi_map_fn map, size_t *width)
{
	const struct acpi_header *root;
	struct acpi_rsdp p;

	if (!rsdp || !acpi_read_rsdp(rsdp, map, &p))
		return NULL;
	*width = sizeof(u64);
	root = acpi_map_signed(p.xsdt, "XSDT", map);
	if (root)
		return root;
	*width = sizeof(u32);
	return acpi_map_signed(p.rsdt, "RSDT", map);
}

static struct acpi_header *find_dsdt(u64 rsdp, acpi_map_fn map)
{
	const struct acpi_header *header = acpi_find(rsdp, "FACP", map);
	struct acpi_header *dsdt = NULL;
	struct fadt fadt = {0};

	if (!header)
		return NULL;
	memcpy(&fadt, header, header->length < sizeof(fadt) ? header->length : sizeof(fadt));
	dsdt = acpi_map_signed(fadt.x_dsdt, "DSDT", map);
	return dsdt ? dsdt : acpi_map_signed(fadt.dsdt, "DSDT", map);
}

struct acpi_header *acpi_find(u64 rsdp, const char *signature, acpi_map_fn map)
{
	return acpi_find_nth(rsdp, signature, 0, map);
}

struct acpi_header *acpi_find_nth(u64 rsdp, const char *signature, u32 n, acpi_map_fn map)
{
	const struct acpi_header *root;
	size_t width;

	if (!strncmp(signature, "DSDT", 4))
		return n ? NULL : find_dsdt(rsdp, map);
	root = find_root(rsdp, map, &width);
	if (!root)
		return NULL;
	for (size_t pos = sizeof(*root); root->length - pos >= width; pos += width) {
		const struct acpi_header *table;
		u64 pa = 0;

		memcpy(&pa, (const u8 *)root + pos, width);
		table = pa ? map(pa, sizeof(*table)) : NULL;
		if (table && has_signature(table, signature) && n-- == 0)
			return map_table(pa, map);
	}
	return NULL;
}

/* The port of an extended register, else the one of the older 32-bit field; 0 if neither fits. */
static u16 io_port(const struct gas *gas, u32 older)
{
	if (gas->space == ACPI_SPACE_IO && gas->address && gas->address <= UINT16_MAX)
		return (u16)gas->address;
	return older <= UINT16_MAX ? (u16)older : 0;
}

struct acpi_power_ports acpi_power_ports(u64 rsdp, acpi_map_fn map)
{
	const struct acpi_header *header = acpi_find(rsdp, "FACP", map);
	struct acpi_power_ports ports = {0};
	struct fadt fadt = {0};

	if (!header)
		return ports;
	/* An older, shorter table leaves the newer fields 0. */
	memcpy(&fadt, header, header->length < sizeof(fadt) ? header->length : sizeof(fadt));
	ports.pm1a_cnt = io_port(&fadt.x_pm1a_cnt, fadt.pm1a_cnt);
	ports.pm1b_cnt = io_port(&fadt.x_pm1b_cnt, fadt.pm1b_cnt);
	if (fadt.flags & FADT_RESET_REG_SUP)
		ports.reset = io_port(&fadt.reset_reg, 0);
	return ports;
}

/* The APIC ID and the place of the flags of an entry; NULL if it is not a usable processor. */
static u8 *usable_cpu(u8 *entry, u8 length, u32 *apic_id, u32 *flags)
{
	u32 no_id;
	u8 *at;

	if (entry[0] == MADT_LOCAL_APIC && length >= sizeof(struct madt_local_apic)) {
		struct madt_local_apic *cpu = (void *)entry;

		*apic_id = cpu->apic_id;
		no_id = XAPIC_NO_ID;
		at = entry + offsetof(struct madt_local_apic, flags);
	} else if (entry[0] == MADT_LOCAL_X2APIC && length >= sizeof(struct madt_local_x2apic)) {
		struct madt_local_x2apic *cpu = (void *)entry;

		*apic_id = cpu->apic_id;
		no_id = X2APIC_NO_ID;
		at = entry + offsetof(struct madt_local_x2apic, flags);
	} else {
		return NULL;
	}
	memcpy(flags, at, sizeof(*flags));
	return *flags & MADT_USABLE && *apic_id != no_id ? at : NULL;
}

u32 acpi_for_each_cpu(struct acpi_header *madt, void (*fn)(u32 apic_id, u32 *flags, void *arg),
		      void *arg)
{
	u8 *base = (u8 *)madt;
	u32 calls = 0;

	for (u32 pos = MADT_ENTRIES; pos + 2 <= madt->length && calls < ACPI_CPUS_MAX;) {
		u8 length = base[pos + 1];
		u32 apic_id, flags;
		u8 *at;

		if (length < 2 || length > madt->length - pos)
			break;
		at = usable_cpu(base + pos, length, &apic_id, &flags);
		if (at) {
			/* The entry need not be aligned: @fn gets a copy. */
			fn(apic_id, &flags, arg);
			memcpy(at, &flags, sizeof(flags));
			calls++;
		}
		pos += length;
	}
	return calls;
}

static u8 madt_entry_min(u8 type)
{
	switch (type) {
	case MADT_LOCAL_APIC:
		return sizeof(struct madt_local_apic);
	case MADT_LOCAL_X2APIC:
		return sizeof(struct madt_local_x2apic);
	default:
		return 2;
	}
}

bool acpi_madt_is_whole(const struct acpi_header *madt)
{
	const u8 *base = (const u8 *)madt;
	u32 pos = MADT_ENTRIES;
	u32 entries = 0;

	while (pos + 2 <= madt->length && entries < ACPI_CPUS_MAX) {
		u8 length = base[pos + 1];

		if (length < madt_entry_min(base[pos]) || length > madt->length - pos)
			return false;
		pos += length;
		entries++;
	}
	return pos == madt->length;
}

/* 20.2.3: constants as AML has them; SLP_TYP has three bits (4.8.3.2.1). */
#define AML_ZERO    0x00
#define AML_ONE	    0x01
#define AML_BYTE    0x0a
#define AML_DWORD   0x0c
#define SLP_TYP_MAX 7

/* 20.2.2 and 20.2.5: is there NameOp, NameString _S1_ to _S3_, PackageOp at @p? */
static u8 *sleep_name(u8 *p, size_t left)
{
	u8 *name = p + 1;

	if (left < 6 || p[0] != 0x08)
		return NULL;
	if (*name == '\\') {
		if (left < 7)
			return NULL;
		name++;
	}
	if (name[0] != '_' || name[1] != 'S' || name[2] < '1' || name[2] > '3' || name[3] != '_' ||
	    name[4] != 0x12)
		return NULL;
	return name;
}

/*
 * The first element, SLP_TYPa, of the package behind @name, as a mask with that one bit set; 0 if
 * it is not a constant (20.2.3, 20.2.4, 20.2.5.4).
 */
static u8 sleep_type(const u8 *name, size_t left)
{
	size_t pos = 4 + 1; /* the name and PackageOp */

	if (left <= pos)
		return 0;
	pos += 1 + (name[pos] >> 6) + 1; /* PkgLength and NumElements */
	if (left <= pos)
		return 0;
	if (name[pos] == AML_ZERO || name[pos] == AML_ONE)
		return (u8)(1u << name[pos]);
	if (name[pos] < AML_BYTE || name[pos] > AML_DWORD || left <= pos + 1)
		return 0;
	return (u8)(1u << (name[pos + 1] & SLP_TYP_MAX));
}

u32 acpi_hide_sleep(struct acpi_header *table, u8 *types)
{
	u8 *base = (u8 *)table;
	u32 count = 0;

	for (u32 pos = sizeof(*table); pos < table->length; pos++) {
		u8 *name = sleep_name(base + pos, table->length - pos);

		if (name) {
			*types |= sleep_type(name, (size_t)(base + table->length - name));
			name[0] = 'K';
			count++;
		}
	}
	if (count)
		acpi_fix_checksum(table);
	return count;
}
