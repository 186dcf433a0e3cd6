/* SPDX-License-Identifier: BSD-2-Clause */
/* svm/decode.c: exit codes, events to deliver again, instruction lengths. */
#include "test.h"

#include "svm/decode.h"

static struct exit_info decode(u64 exitcode, u64 info1, u64 info2)
{
	struct vmcb_control control = { .exitcode = exitcode,
					.exitinfo1 = info1,
					.exitinfo2 = info2 };
	struct exit_info info = { 0 };

	svm_decode(&control, &info);
	return info;
}

static void test_reasons(void **state)
{
	(void)state;
	assert_int_equal(decode(VMEXIT_MSR, 0, 0).reason, EXIT_RDMSR);
	assert_int_equal(decode(VMEXIT_MSR, 1, 0).reason, EXIT_WRMSR);
	assert_int_equal(decode(VMEXIT_VMMCALL, 0, 0).reason, EXIT_HYPERCALL);
	assert_int_equal(decode(VMEXIT_SHUTDOWN, 0, 0).reason, EXIT_TRIPLE_FAULT);
	assert_int_equal(decode(VMEXIT_INIT, 0, 0).reason, EXIT_INIT);
	assert_int_equal(decode(VMEXIT_INVD, 0, 0).reason, EXIT_INVD);
	for (u64 code = VMEXIT_VMLOAD; code <= VMEXIT_SKINIT; code++)
		assert_int_equal(decode(code, 0, 0).reason, EXIT_HIDDEN_INSN);
	assert_int_equal(decode(VMEXIT_VMRUN, 0, 0).reason, EXIT_HIDDEN_INSN);
	assert_int_equal(decode(VMEXIT_INVLPGA, 0, 0).reason, EXIT_HIDDEN_INSN);
	assert_int_equal(decode(VMEXIT_CPUID, 0, 0).reason, EXIT_CPUID);
	assert_int_equal(decode(VMEXIT_NMI, 0, 0).reason, EXIT_NMI);
	assert_int_equal(decode(VMEXIT_IRET, 0, 0).reason, EXIT_NMI_WINDOW);
	/* The step over an IRET ends by #DB, or by a fault of its own. */
	assert_int_equal(decode(VMEXIT_EXCEPTION + 1, 0, 0).reason, EXIT_NMI_WINDOW);
	assert_int_equal(decode(VMEXIT_EXCEPTION_LAST, 0, 0).reason, EXIT_NMI_WINDOW);
	/* INTR is not intercepted, and there is no such code as 0x7ff. */
	assert_int_equal(decode(0x60, 0, 0).reason, EXIT_UNKNOWN);
	assert_int_equal(decode(0x7ff, 0, 0).reason, EXIT_UNKNOWN);
}

/* APM volume 2, figure 15-2: OUT DX (0x604), AX; REP INSB from port 0x60. */
static void test_ports(void **state)
{
	struct exit_info out = decode(VMEXIT_IOIO, 0x06040020, 0x1234);
	struct exit_info ins = decode(VMEXIT_IOIO, 0x0060001d, 0x1234);

	(void)state;
	assert_int_equal(out.reason, EXIT_IO);
	assert_int_equal(out.io.port, 0x604);
	assert_int_equal(out.io.bytes, 2);
	assert_false(out.io.in);
	assert_false(out.io.string);
	assert_int_equal(ins.io.port, 0x60);
	assert_int_equal(ins.io.bytes, 1);
	assert_true(ins.io.in);
	assert_true(ins.io.string);
}

static void test_nested_faults(void **state)
{
	struct exit_info write = decode(VMEXIT_NPF, BIT64(32) | 0x6, 0x123456789000ull);
	struct exit_info fetch = decode(VMEXIT_NPF, BIT64(32) | 0x14, 0x1000);
	struct exit_info reserved = decode(VMEXIT_NPF, BIT64(32) | 0xd, 0x1000);

	(void)state;
	assert_int_equal(write.reason, EXIT_MEMORY);
	assert_true(write.memory.gpa == 0x123456789000ull);
	assert_true(write.memory.write);
	assert_false(write.memory.fetch);
	assert_false(write.memory.misconfigured);
	assert_true(fetch.memory.fetch);
	assert_false(fetch.memory.write);
	assert_true(reserved.memory.misconfigured);
	assert_true(write.memory.by_instruction);
	/* Bit 33: in a walk of the guest's own tables. */
	assert_false(decode(VMEXIT_NPF, BIT64(33) | 0x6, 0x1000).memory.by_instruction);
}

static void test_events(void **state)
{
	u64 page_fault = EVENT_VALID | EVENT_TYPE_EXCEPTION | EVENT_ERROR_VALID | 14 | BIT64(33);

	(void)state;
	assert_true(svm_event_to_reinject(page_fault) == page_fault);
	assert_true(svm_event_to_reinject(EVENT_VALID | 0x30) == (EVENT_VALID | 0x30));
	assert_true(svm_event_to_reinject(page_fault & ~EVENT_VALID) == 0);
	/* INT 0x80, INT3 and INTO are executed again. */
	assert_true(svm_event_to_reinject(EVENT_VALID | EVENT_TYPE_SOFTWARE | 0x80) == 0);
	assert_true(svm_event_to_reinject(EVENT_VALID | EVENT_TYPE_EXCEPTION | 3) == 0);
	assert_true(svm_event_to_reinject(EVENT_VALID | EVENT_TYPE_EXCEPTION | 4) == 0);
	assert_true(svm_event_to_reinject(EVENT_VALID | EVENT_TYPE_EXCEPTION | 1) != 0);
}

static void test_lengths(void **state)
{
	static const struct {
		u8 code[15];
		u8 len;
		bool long_mode;
		u8 want;
	} cases[] = {
		{ { 0x0f, 0x32 }, 15, true, 2 },                   /* RDMSR */
		{ { 0x0f, 0x30 }, 2, false, 2 },                   /* WRMSR at the end of a page */
		{ { 0x0f, 0x01, 0xd9 }, 15, false, 3 },            /* VMMCALL */
		{ { 0x48, 0x0f, 0x32 }, 15, true, 3 },             /* REX.W RDMSR */
		{ { 0x48, 0x0f, 0x32 }, 15, false, 0 },            /* DEC EAX in 32-bit code */
		{ { 0x2e, 0x66, 0x0f, 0x01, 0xd9 }, 15, true, 5 }, /* CS: 66 VMMCALL */
		{ { 0x0f, 0x08 }, 15, true, 2 },                   /* INVD */
		{ { 0x0f, 0x01 }, 2, true, 0 },                    /* cut off before ModRM */
		{ { 0x0f }, 1, true, 0 },
		{ { 0x90 }, 15, true, 0 },
		{ { 0x66, 0x66, 0x66 }, 3, true, 0 },
		{ { 0 }, 0, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(svm_insn_length(cases[i].code, cases[i].len, cases[i].long_mode),
				 cases[i].want);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_reasons),
	cmocka_unit_test(test_ports),
	cmocka_unit_test(test_nested_faults),
	cmocka_unit_test(test_events),
	cmocka_unit_test(test_lengths),
};

TEST_MAIN(tests)
