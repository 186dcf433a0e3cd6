/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/kvm_pv.c: what becomes of each of KVM's features under Keel. */
#include "test.h"

#include "lib/kvm_pv.h"

struct want {
	u8 bit;
	enum kvm_pv_decision vmx, svm;
};

/* Written down a second time, by KVM's numbers (Linux arch/x86/include/uapi/asm/kvm_para.h). */
static const struct want wanted[] = {
	{0, KVM_PV_FORWARD, KVM_PV_FORWARD},  {1, KVM_PV_PASS, KVM_PV_PASS},
	{2, KVM_PV_MASK, KVM_PV_MASK},	      {3, KVM_PV_FORWARD, KVM_PV_FORWARD},
	{4, KVM_PV_SWALLOW, KVM_PV_SWALLOW},  {5, KVM_PV_SWALLOW, KVM_PV_FORWARD},
	{6, KVM_PV_FORWARD, KVM_PV_FORWARD},  {7, KVM_PV_FORWARD, KVM_PV_FORWARD},
	{9, KVM_PV_MASK, KVM_PV_PASS},	      {10, KVM_PV_MASK, KVM_PV_MASK},
	{11, KVM_PV_FORWARD, KVM_PV_FORWARD}, {12, KVM_PV_FORWARD, KVM_PV_FORWARD},
	{13, KVM_PV_FORWARD, KVM_PV_FORWARD}, {14, KVM_PV_SWALLOW, KVM_PV_SWALLOW},
	{15, KVM_PV_PASS, KVM_PV_PASS},	      {16, KVM_PV_MASK, KVM_PV_MASK},
	{17, KVM_PV_MASK, KVM_PV_MASK},	      {24, KVM_PV_PASS, KVM_PV_PASS},
};

static const struct kvm_pv *of_bit(u8 bit)
{
	const struct kvm_pv *found = NULL;
	u32 count;
	const struct kvm_pv *table = kvm_pv_table(&count);

	for (u32 i = 0; i < count; i++) {
		if (table[i].bit == bit) {
			assert_null(found); /* each bit once */
			found = &table[i];
		}
	}
	return found;
}

static void each_feature_is_decided(void **state)
{
	u32 count;

	(void)state;
	kvm_pv_table(&count);
	assert_int_equal(count, ARRAY_SIZE(wanted));
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++) {
		const struct kvm_pv *pv = of_bit(wanted[i].bit);

		assert_non_null(pv);
		assert_int_equal(pv->vmx, wanted[i].vmx);
		assert_int_equal(pv->svm, wanted[i].svm);
	}
}

/* Not one feature may be used by a guest that cannot have what it rests on. */
static void what_is_not_handed_on_is_hidden(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wanted); i++) {
		u32 bit = BIT(wanted[i].bit);

		assert_int_equal(!(kvm_pv_hidden(true) & bit), kvm_pv_goes_on(wanted[i].vmx));
		assert_int_equal(!(kvm_pv_hidden(false) & bit), kvm_pv_goes_on(wanted[i].svm));
	}
	/* Bits that Linux' KVM does not have: nobody knows what goes with them. */
	for (u32 bit = 0; bit < 32; bit++) {
		if (!of_bit((u8)bit)) {
			assert_true(kvm_pv_hidden(true) & BIT(bit));
			assert_true(kvm_pv_hidden(false) & BIT(bit));
		}
	}
	/* A flush by the flag in steal time, where steal time is swallowed, would be lost. */
	assert_false(kvm_pv_goes_on(of_bit(9)->vmx) && !kvm_pv_goes_on(of_bit(5)->vmx));
	assert_false(kvm_pv_goes_on(of_bit(9)->svm) && !kvm_pv_goes_on(of_bit(5)->svm));
}

static void msrs_belong_to_their_feature(void **state)
{
	static const struct {
		u32 msr;
		u8 bit;
		u8 has;
	} msrs[] = {
		{0x11, 0, KVM_PV_PAGE | KVM_PV_RESET},	     {0x12, 0, KVM_PV_PAGE | KVM_PV_RESET},
		{0x4b564d00, 3, KVM_PV_PAGE | KVM_PV_RESET}, {0x4b564d01, 3, KVM_PV_PAGE | KVM_PV_RESET},
		{0x4b564d02, 4, KVM_PV_PAGE},		     {0x4b564d03, 5, KVM_PV_PAGE | KVM_PV_RESET},
		{0x4b564d04, 6, KVM_PV_PAGE | KVM_PV_RESET}, {0x4b564d05, 12, 0},
		{0x4b564d06, 14, 0},			     {0x4b564d07, 14, 0},
		{0x4b564d08, 17, 0},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(msrs); i++) {
		const struct kvm_pv *pv = kvm_pv_of_msr(msrs[i].msr);

		assert_non_null(pv);
		assert_int_equal(pv->bit, msrs[i].bit);
		assert_int_equal(pv->has, msrs[i].has);
	}
	assert_null(kvm_pv_of_msr(0));
	assert_null(kvm_pv_of_msr(0x10));
	assert_null(kvm_pv_of_msr(0x13));
	assert_null(kvm_pv_of_msr(0x4b564d09));
	assert_null(kvm_pv_of_msr(0x4b564dff));
}

/* INIT's first MSR is the one whose 0 means off: a wall clock at address 0 would be written. */
static void reset_is_no_write_to_memory(void **state)
{
	(void)state;
	assert_int_equal(of_bit(0)->msrs[0], 0x12);
	assert_int_equal(of_bit(3)->msrs[0], 0x4b564d01);
}

static void calls_belong_to_their_feature(void **state)
{
	(void)state;
	assert_int_equal(kvm_pv_of_call(2)->bit, 2);
	assert_int_equal(kvm_pv_of_call(5)->bit, 7);
	assert_int_equal(kvm_pv_of_call(10)->bit, 11);
	assert_int_equal(kvm_pv_of_call(11)->bit, 13);
	assert_int_equal(kvm_pv_of_call(12)->bit, 16);
	assert_null(kvm_pv_of_call(0));
	assert_null(kvm_pv_of_call(1));
	assert_null(kvm_pv_of_call(9));
	assert_null(kvm_pv_of_call(13));
	assert_null(kvm_pv_of_call(0x10000000aull));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_feature_is_decided),
	cmocka_unit_test(what_is_not_handed_on_is_hidden),
	cmocka_unit_test(msrs_belong_to_their_feature),
	cmocka_unit_test(reset_is_no_write_to_memory),
	cmocka_unit_test(calls_belong_to_their_feature),
};

TEST_MAIN(tests)
