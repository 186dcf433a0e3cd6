/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/icr.c: the fields of the register, and whom a command reaches. */
#include "test.h"

#include "lib/icr.h"

#define FLAT	0xffffffffu
#define CLUSTER 0x0fffffffu

static struct apic_place xapic(u32 id, u8 logical, u32 dfr)
{
	return (struct apic_place){
		.id = id, .ldr = (u32)logical << 24, .dfr = dfr, .enabled = true};
}

/* 11.12.10.2: the logical ID follows from the ID. */
static struct apic_place x2apic(u32 id)
{
	return (struct apic_place){
		.id = id, .ldr = id >> 4 << 16 | BIT(id & 15), .x2apic = true, .enabled = true};
}

static bool hits(struct icr icr, struct apic_place place)
{
	bool as_other = icr_hits(&icr, &place, false);

	/* Without a shorthand the sender is as good a destination as any. */
	assert_int_equal(icr_hits(&icr, &place, true), as_other);
	place.enabled = false;
	assert_false(icr_hits(&icr, &place, false));
	assert_false(icr_hits(&icr, &place, true));
	return as_other;
}

static bool physical(u8 destination, struct apic_place place)
{
	return hits(icr_xapic(0x4500, (u32)destination << 24), place);
}

static bool physical2(u32 destination, struct apic_place place)
{
	return hits(icr_x2apic((u64)destination << 32 | 0x4500), place);
}

static bool logical(u8 destination, struct apic_place place)
{
	return hits(icr_xapic(0x4d00, (u32)destination << 24), place);
}

static bool logical2(u32 destination, struct apic_place place)
{
	return hits(icr_x2apic((u64)destination << 32 | 0x4d00), place);
}

static void check_fields(struct icr icr, u32 low)
{
	assert_int_equal(icr.vector, low & 0xff);
	assert_int_equal(icr.mode, low >> 8 & 7);
	assert_int_equal(icr.logical, low >> 11 & 1);
	assert_int_equal(icr.assert, low >> 14 & 1);
	assert_int_equal(icr.level_triggered, low >> 15 & 1);
	assert_int_equal(icr.shorthand, low >> 18 & 3);
}

static void fields(void **state)
{
	struct icr startup = icr_xapic(0x000c4699, 0x12345678);

	(void)state;
	assert_int_equal(startup.vector, 0x99);
	assert_int_equal(startup.mode, ICR_SIPI);
	assert_false(startup.logical);
	assert_true(startup.assert);
	assert_false(startup.level_triggered);
	assert_int_equal(startup.shorthand, ICR_ALL_BUT_SELF);
	assert_int_equal(startup.destination, 0x12);
	assert_false(startup.x2apic);
	for (u32 i = 0; i < 100000; i++) {
		u64 v = random_u64();
		u32 high = (u32)(v >> 32);

		check_fields(icr_xapic((u32)v, high), (u32)v);
		check_fields(icr_x2apic(v), (u32)v);
		assert_int_equal(icr_xapic((u32)v, high).destination, high >> 24);
		assert_int_equal(icr_x2apic(v).destination, high);
		assert_true(icr_x2apic(v).x2apic);
	}
	/* Each bit alone, so that none stands for another; reserved ones for nothing. */
	for (u32 bit = 0; bit < 32; bit++)
		check_fields(icr_xapic(BIT(bit), 0), BIT(bit));
}

static bool is_deassert(u32 low)
{
	struct icr icr = icr_xapic(low, 0), icr2 = icr_x2apic(low);

	assert_int_equal(icr_is_init_deassert(&icr), icr_is_init_deassert(&icr2));
	return icr_is_init_deassert(&icr);
}

static void init_deassert(void **state)
{
	(void)state;
	assert_true(is_deassert(0x8500));
	assert_true(is_deassert(0xc8500)); /* to all but self */
	assert_true(is_deassert(0x8d34));  /* logical, with a vector */
	assert_false(is_deassert(0xc500)); /* assert, level-triggered: INIT as Linux sends it */
	assert_false(is_deassert(0x4500)); /* assert, edge */
	assert_false(is_deassert(0x0500)); /* edge: the level is ignored, this is an INIT */
	for (u32 mode = 0; mode < 8; mode++)
		assert_int_equal(is_deassert(0x8000 | mode << 8), mode == ICR_INIT);
}

static void shorthands(void **state)
{
	static const bool want[4][2] = {
		[ICR_SELF] = {false, true},
		[ICR_ALL] = {true, true},
		[ICR_ALL_BUT_SELF] = {true, false},
	};
	struct apic_place places[] = {xapic(3, 0, FLAT), xapic(3, 0, CLUSTER), x2apic(3)};

	(void)state;
	/* For each destination, logical or not, from either mode. */
	for (u32 i = 0; i < 3 * 4 * 256 * 2 * 2; i++) {
		struct apic_place place = places[i % 3];
		u32 shorthand = i / 3 % 4, low = shorthand << 18 | (i & 1) << 11 | 0x4600;
		u32 destination = i / 12 % 256;
		bool self = i / 3072 % 2;
		struct icr icr = i / 6144 ? icr_x2apic((u64)destination << 32 | low)
					  : icr_xapic(low, destination << 24);

		if (shorthand == ICR_NO_SHORTHAND)
			continue;
		assert_int_equal(icr_hits(&icr, &place, self), want[shorthand][self]);
		place.enabled = false;
		assert_false(icr_hits(&icr, &place, self));
	}
}

/* Sender and receiver in xAPIC mode. */
static void physical_xapic(void **state)
{
	(void)state;
	for (u32 to = 0; to < 256; to++)
		for (u32 id = 0; id < 256; id++)
			assert_int_equal(physical((u8)to, xapic(id, 0, FLAT)),
					 to == id || to == 0xff);
	/* The ID register has eight bits. The LDR says nothing here. */
	assert_true(physical(0x01, xapic(0x101, 0, FLAT)));
	assert_false(physical(0x02, xapic(0x101, 0x02, FLAT)));
	assert_true(physical(0xff, xapic(0x101, 0, FLAT)));
}

static void physical_x2apic(void **state)
{
	static const u32 ids[] = {0, 1, 0xfe, 0xff, 0x100, 0x101, 0xffff, 0x10001, 0xfffffffe};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		for (u32 k = 0; k < ARRAY_SIZE(ids); k++)
			assert_int_equal(physical2(ids[i], x2apic(ids[k])), i == k);
		assert_true(physical2(0xffffffff, x2apic(ids[i])));
	}
}

static void physical_mixed(void **state)
{
	(void)state;
	/* An OS in x2APIC mode starts CPUs that are not yet. */
	for (u32 to = 0; to < 256; to++)
		for (u32 id = 0; id < 256; id++)
			assert_int_equal(physical2(to, xapic(id, 0, FLAT)), to == id);
	assert_true(physical2(0xffffffff, xapic(7, 0, FLAT)));
	/* A long ID is good in both forms, but one short ID is not another's long one. */
	assert_true(physical2(0x101, xapic(0x101, 0, FLAT)));
	assert_true(physical2(0x01, xapic(0x101, 0, FLAT)));
	assert_false(physical2(0x101, xapic(0x01, 0, FLAT)));
	assert_false(physical2(0x201, xapic(0x101, 0, FLAT)));
	assert_false(physical2(0xffffff07, xapic(0x07, 0, FLAT)));
	/* 255 is a CPU to an x2APIC sender. */
	assert_false(physical2(0xff, xapic(7, 0, FLAT)));
	assert_true(physical2(0xff, x2apic(0xff)));

	/* The other way round. */
	assert_true(physical(0x07, x2apic(0x07)));
	assert_false(physical(0x07, x2apic(0x107)));
	assert_false(physical(0x07, x2apic(0x08)));
	assert_true(physical(0xff, x2apic(0x07)));
	assert_true(physical(0xff, x2apic(0x12345)));
}

static void logical_flat(void **state)
{
	(void)state;
	for (u32 to = 0; to < 256; to++)
		for (u32 ldr = 0; ldr < 256; ldr++)
			assert_int_equal(logical((u8)to, xapic(0x55, (u8)ldr, FLAT)),
					 to == 0xff || (to & ldr) != 0);
	/* Nobody, and nobody's place; but broadcast is for a CPU without one as well. */
	assert_false(logical(0x00, xapic(0, 0xff, FLAT)));
	assert_false(logical(0xfe, xapic(0, 0x00, FLAT)));
	assert_true(logical(0xff, xapic(0, 0x00, FLAT)));
	/* Reserved bits of the LDR are none of its eight; those of the DFR do not make a model. */
	assert_false(hits(icr_xapic(0x4d00, 0x02ffffff),
			  (struct apic_place){.ldr = 0x01ffffff, .dfr = FLAT, .enabled = true}));
	assert_true(logical(0x12, xapic(0, 0x02, 0xf0000000)));
}

static void logical_cluster(void **state)
{
	(void)state;
	for (u32 to = 0; to < 256; to++)
		for (u32 ldr = 0; ldr < 256; ldr++)
			assert_int_equal(logical((u8)to, xapic(0x55, (u8)ldr, CLUSTER)),
					 to == 0xff ||
						 (to >> 4 == ldr >> 4 && (to & ldr & 15) != 0));
	assert_true(logical(0x23, xapic(0, 0x22, CLUSTER)));
	assert_false(logical(0x13, xapic(0, 0x22, CLUSTER)));
	assert_false(logical(0x2d, xapic(0, 0x22, CLUSTER)));
	assert_false(logical(0x20, xapic(0, 0x2f, CLUSTER)));
	/* Cluster 15 is one among others unless all bits are set. */
	assert_false(logical(0xf1, xapic(0, 0x11, CLUSTER)));
	assert_true(logical(0xf1, xapic(0, 0xf1, CLUSTER)));
	assert_true(logical(0xff, xapic(0, 0x11, CLUSTER)));
	assert_true(logical(0xff, xapic(0, 0x00, CLUSTER)));
	assert_true(logical(0x12, xapic(0, 0x12, 0)));
}

/* A reserved model accepts what either of the two does. */
static void logical_reserved_model(void **state)
{
	(void)state;
	for (u32 model = 1; model < 15; model++)
		for (u32 i = 0; i < 65536; i++) {
			u8 to = (u8)i, ldr = (u8)(i >> 8);
			bool either = logical(to, xapic(0, ldr, FLAT)) ||
				      logical(to, xapic(0, ldr, CLUSTER));

			assert_int_equal(logical(to, xapic(0, ldr, model << 28)), either);
		}
}

static void logical_x2apic(void **state)
{
	(void)state;
	for (u32 id = 0; id < 64; id++) {
		for (u32 bit = 0; bit < 16; bit++)
			for (u32 cluster = 0; cluster < 4; cluster++)
				assert_int_equal(logical2(cluster << 16 | BIT(bit), x2apic(id)),
						 id == cluster * 16 + bit);
		assert_true(logical2(0xffffffff, x2apic(id)));
		assert_true(logical2((id >> 4) << 16 | 0xffff, x2apic(id)));
		assert_false(logical2((id >> 4) << 16, x2apic(id)));
		assert_false(logical2(0xffffffff & ~BIT(id & 15), x2apic(id)));
	}
	/* 0xff is eight CPUs here. */
	assert_true(logical2(0xff, x2apic(7)));
	assert_false(logical2(0xff, x2apic(8)));
	assert_false(logical2(0xff, x2apic(16)));
	/* The last cluster, with all members but one. */
	assert_true(logical2(0xffff7fff, x2apic(0xffff0)));
	assert_false(logical2(0xffff7fff, x2apic(0xfffff)));
	/* A DFR left from before says nothing. */
	assert_false(hits(icr_x2apic(0x0000000200004d00ull), (struct apic_place){.ldr = 0x00000001,
										 .dfr = FLAT,
										 .x2apic = true,
										 .enabled = true}));
}

static void logical_mixed(void **state)
{
	(void)state;
	/* From x2APIC mode: eight bits at most, by the receiver's model. */
	assert_true(logical2(0x12, xapic(0, 0x10, FLAT)));
	assert_false(logical2(0x12, xapic(0, 0x04, FLAT)));
	assert_true(logical2(0x12, xapic(0, 0x12, CLUSTER)));
	assert_false(logical2(0x12, xapic(0, 0x22, CLUSTER)));
	assert_false(logical2(0x10012, xapic(0, 0x10, FLAT)));
	assert_false(logical2(0x112, xapic(0, 0x12, CLUSTER)));
	assert_false(logical2(0x1ff, xapic(0, 0x01, FLAT)));
	assert_true(logical2(0xff, xapic(0, 0, FLAT)));
	assert_true(logical2(0xff, xapic(0, 0, CLUSTER)));
	assert_true(logical2(0xffffffff, xapic(0, 0, FLAT)));
	assert_true(logical2(0xffffffff, xapic(0, 0, CLUSTER)));
	assert_false(logical2(0xffffff01, xapic(0, 0x01, FLAT)));

	/* To x2APIC mode: members of cluster 0, or all. */
	assert_true(logical(0x82, x2apic(1)));
	assert_true(logical(0x82, x2apic(7)));
	assert_false(logical(0x82, x2apic(2)));
	assert_false(logical(0x82, x2apic(17)));
	assert_true(logical(0xff, x2apic(17)));
	assert_true(logical(0xff, x2apic(8)));
	assert_false(logical(0x00, x2apic(0)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(fields),
	cmocka_unit_test(init_deassert),
	cmocka_unit_test(shorthands),
	cmocka_unit_test(physical_xapic),
	cmocka_unit_test(physical_x2apic),
	cmocka_unit_test(physical_mixed),
	cmocka_unit_test(logical_flat),
	cmocka_unit_test(logical_cluster),
	cmocka_unit_test(logical_reserved_model),
	cmocka_unit_test(logical_x2apic),
	cmocka_unit_test(logical_mixed),
};

TEST_MAIN(tests)
