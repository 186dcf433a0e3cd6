/* SPDX-License-Identifier: BSD-2-Clause */
/* vmx/decode.c: raw fields as the SDM defines them, and what becomes of them. */
#include "test.h"

#include "vmx/decode.h"

#define RSP 4
#define VALID 0x80000000u
#define HAS_ERROR 0x800u
#define EXTERNAL (0u << 8)
#define NMI (2u << 8)
#define HARDWARE (3u << 8)
#define SOFTWARE_INTERRUPT (4u << 8)
#define SOFTWARE_EXCEPTION (6u << 8)
#define UNDEFINED_BIT_12 0x1000u

#define UD 6
#define GP 13
#define PF 14

/* As many as an instruction can name; each has a value of its own. */
static unsigned long registers[16];

static int set_up(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(registers); i++)
		registers[i] = (unsigned long)0x1234567800000000ull + 0x11 * i;
	registers[RSP] = 0xbad;
	return 0;
}

static struct exit_info decode(const struct vmx_exit_fields *fields)
{
	struct exit_info info;

	memset(&info, 0, sizeof(info));
	vmx_decode(fields, registers, &info);
	assert_int_equal(info.raw, fields->reason);
	assert_int_equal(info.qualification, fields->qualification);
	return info;
}

static struct exit_info decode_cr(u64 qualification, bool in_64bit_code, u64 cr0)
{
	return decode(&(struct vmx_exit_fields){ .reason = 28,
						 .qualification = qualification,
						 .in_64bit_code = in_64bit_code,
						 .cr0 = cr0,
						 .rsp = (unsigned long)0xfedcba9800001000ull });
}

static void test_reasons(void **state)
{
	static const struct {
		u32 raw;
		enum exit_reason reason;
	} cases[] = {
		{ 2, EXIT_TRIPLE_FAULT },  { 3, EXIT_INIT },	      { 4, EXIT_SIPI },
		{ 8, EXIT_NMI_WINDOW },	   { 9, EXIT_TASK_SWITCH },   { 10, EXIT_CPUID },
		{ 11, EXIT_HIDDEN_INSN },  { 13, EXIT_INVD },	      { 18, EXIT_HYPERCALL },
		{ 19, EXIT_HIDDEN_INSN },  { 27, EXIT_HIDDEN_INSN },  { 31, EXIT_RDMSR },
		{ 32, EXIT_WRMSR },	   { 50, EXIT_HIDDEN_INSN },  { 53, EXIT_HIDDEN_INSN },
		{ 52, EXIT_INIT },	   { 55, EXIT_XSETBV },	      { 1, EXIT_UNKNOWN },
		{ 12, EXIT_UNKNOWN },
		{ 56, EXIT_UNKNOWN },	   { 0xffff, EXIT_UNKNOWN },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vmx_exit_fields fields = { .reason = cases[i].raw };

		assert_int_equal(decode(&fields).reason, cases[i].reason);
	}
}

static void test_needs(void **state)
{
	(void)state;
	/* The fast path reads nothing but the reason. */
	assert_int_equal(vmx_needs(10), 0);
	assert_int_equal(vmx_needs(31), 0);
	assert_int_equal(vmx_needs(3), 0);
	/* The preemption timer, unless the INIT has come after all. */
	assert_int_equal(vmx_needs(52), NEED_LOST_KICK);
	assert_int_equal(vmx_needs(30), NEED_QUALIFICATION);
	assert_true(vmx_needs(48) & NEED_IDT_VECTORING);
	/* A task switch through a gate is emulated, not delivered again. */
	assert_false(vmx_needs(9) & NEED_IDT_VECTORING);
	assert_int_equal(vmx_needs(0xffff), NEED_QUALIFICATION);
}

static void test_nmi(void **state)
{
	struct vmx_exit_fields fields = { .reason = 0, .interruption_info = VALID | NMI | 2 };

	(void)state;
	assert_int_equal(decode(&fields).reason, EXIT_NMI);
	fields.interruption_info = VALID | HAS_ERROR | HARDWARE | PF;
	assert_int_equal(decode(&fields).reason, EXIT_UNKNOWN);
}

static void test_mov_to_cr(void **state)
{
	(void)state;
	for (u32 number = 0; number < 16; number++) {
		/* MOV CR4, register */
		struct exit_info info = decode_cr(number << 8 | 4, true, 0);
		u64 want = number == RSP ? (unsigned long)0xfedcba9800001000ull :
					   registers[number];

		assert_int_equal(info.reason, EXIT_CR);
		assert_int_equal(info.cr.number, 4);
		assert_int_equal(info.cr.value, want);
	}
	assert_int_equal(decode_cr(15 << 8 | 0, true, 0).cr.number, 0);
	assert_int_equal(decode_cr(3, true, 0).cr.number, 3);
}

static void test_mov_to_cr_outside_64bit_code(void **state)
{
	(void)state;
	/* The upper half of a register means nothing there. */
	assert_int_equal(decode_cr(1 << 8, false, 0).cr.value, (u32)registers[1]);
	assert_int_equal(decode_cr(RSP << 8, false, 0).cr.value, 0x1000);
}

static void test_mov_from_cr(void **state)
{
	(void)state;
	assert_int_equal(decode_cr(1 << 4 | 3, true, 0).reason, EXIT_UNKNOWN);
}

static void test_clts(void **state)
{
	struct exit_info info = decode_cr(2 << 4, true, 0x8005003b);

	(void)state;
	assert_int_equal(info.reason, EXIT_CR);
	assert_int_equal(info.cr.number, 0);
	assert_int_equal(info.cr.value, 0x80050033);
}

static void test_lmsw(void **state)
{
	const u64 lmsw = 3 << 4, memory = 1 << 6;

	(void)state;
	assert_int_equal(decode_cr(0xfff1ull << 16 | lmsw, false, 0x10).cr.value, 0x11);
	assert_int_equal(decode_cr(0x000eull << 16 | lmsw | memory, false, 0x60000010).cr.value,
			 0x6000001e);
	/* It cannot clear PE, but the other three. */
	assert_int_equal(decode_cr(0x0000ull << 16 | lmsw, false, 0x8005003f).cr.value, 0x80050031);
}

static void test_io(void **state)
{
	struct vmx_exit_fields fields = { .reason = 30, .qualification = 0xcf90000 };
	struct exit_info info = decode(&fields);

	(void)state;
	assert_int_equal(info.reason, EXIT_IO);
	assert_int_equal(info.io.port, 0xcf9);
	assert_int_equal(info.io.bytes, 1);
	assert_false(info.io.in);
	assert_false(info.io.string);
	fields.qualification = 0xb0040019; /* INSW from 0xb004, DX */
	info = decode(&fields);
	assert_int_equal(info.io.port, 0xb004);
	assert_int_equal(info.io.bytes, 2);
	assert_true(info.io.in);
	assert_true(info.io.string);
	fields.qualification = 0xffff0043;
	info = decode(&fields);
	assert_int_equal(info.io.port, 0xffff);
	assert_int_equal(info.io.bytes, 4);
}

static void test_memory(void **state)
{
	struct vmx_exit_fields fields = { .reason = 48, .qualification = 0x182,
					  .gpa = 0x123456789000ull };
	struct exit_info info = decode(&fields);

	(void)state;
	assert_int_equal(info.reason, EXIT_MEMORY);
	assert_true(info.memory.gpa == 0x123456789000ull);
	assert_true(info.memory.write);
	assert_false(info.memory.fetch);
	assert_false(info.memory.misconfigured);
	fields.qualification = 0x184;
	assert_true(decode(&fields).memory.fetch);
	assert_false(decode(&fields).memory.write);
	fields = (struct vmx_exit_fields){ .reason = 49, .gpa = 0x1000 };
	assert_true(decode(&fields).memory.misconfigured);
}

static bool by_instruction(u64 qualification, u32 idt_vectoring_info)
{
	return decode(&(struct vmx_exit_fields){ .reason = 48,
						 .qualification = qualification,
						 .idt_vectoring_info = idt_vectoring_info })
		.memory.by_instruction;
}

static void test_memory_by_instruction(void **state)
{
	(void)state;
	assert_true(by_instruction(0x181, 0));
	assert_true(by_instruction(0x182, 0));
	/* A walk of the guest's page tables, at first for a read and then to set a bit. */
	assert_false(by_instruction(0x081, 0));
	assert_false(by_instruction(0x083, 0));
	/* The load of the PDPTEs by MOV to CR3 has no linear address; bit 8 is undefined then. */
	assert_false(by_instruction(0x001, 0));
	assert_false(by_instruction(0x101, 0));
	/* The frame of an interrupt, and its descriptor in the IDT. */
	assert_false(by_instruction(0x182, VALID | EXTERNAL | 0x31));
	assert_false(by_instruction(0x181, VALID | HAS_ERROR | HARDWARE | PF));
	/* Without the valid bit the vectoring information means nothing. */
	assert_true(by_instruction(0x182, EXTERNAL | 0x31));
	/* A trace packet. */
	assert_false(by_instruction(0x10182, 0));
	assert_false(decode(&(struct vmx_exit_fields){ .reason = 49 }).memory.by_instruction);
}

static void test_sipi(void **state)
{
	struct vmx_exit_fields fields = { .reason = 4, .qualification = 0x9a };

	(void)state;
	assert_int_equal(vmx_needs(4), NEED_QUALIFICATION);
	assert_int_equal(decode(&fields).reason, EXIT_SIPI);
	assert_int_equal(decode(&fields).sipi.vector, 0x9a);
	fields.qualification = 0xff;
	assert_int_equal(decode(&fields).sipi.vector, 0xff);
}

static struct vmx_event interrupted(u32 idt_vectoring_info)
{
	return vmx_interrupted_event(&(struct vmx_exit_fields){
		.reason = 48,
		.idt_vectoring_info = idt_vectoring_info,
		.idt_vectoring_error = 7,
		.instruction_length = 2,
	});
}

static void test_interrupted_event(void **state)
{
	struct vmx_event event = interrupted(VALID | UNDEFINED_BIT_12 | EXTERNAL | 0x31);

	(void)state;
	assert_int_equal(event.info, VALID | EXTERNAL | 0x31);
	assert_int_equal(event.error, 0);
	assert_int_equal(event.instruction_length, 0);

	event = interrupted(VALID | HAS_ERROR | HARDWARE | PF);
	assert_int_equal(event.info, VALID | HAS_ERROR | HARDWARE | PF);
	assert_int_equal(event.error, 7);

	event = interrupted(VALID | SOFTWARE_INTERRUPT | 0x80);
	assert_int_equal(event.info, VALID | SOFTWARE_INTERRUPT | 0x80);
	assert_int_equal(event.instruction_length, 2);

	event = interrupted(VALID | SOFTWARE_EXCEPTION | 3);
	assert_int_equal(event.instruction_length, 2);

	/* Without the valid bit the rest is left over from an earlier exit. */
	assert_int_equal(interrupted(HARDWARE | PF).info, 0);
}

static void test_exception(void **state)
{
	struct vmx_event event = vmx_exception(GP, 0x18, true);

	(void)state;
	assert_int_equal(event.info, VALID | HAS_ERROR | HARDWARE | GP);
	assert_int_equal(event.error, 0x18);
	/* Real mode pushes no error code. */
	assert_int_equal(vmx_exception(GP, 0, false).info, VALID | HARDWARE | GP);
	assert_int_equal(vmx_exception(UD, 0, true).info, VALID | HARDWARE | UD);
	assert_int_equal(vmx_exception(1, 0, true).info, VALID | HARDWARE | 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(test_reasons, set_up),
	cmocka_unit_test_setup(test_needs, set_up),
	cmocka_unit_test_setup(test_nmi, set_up),
	cmocka_unit_test_setup(test_mov_to_cr, set_up),
	cmocka_unit_test_setup(test_mov_to_cr_outside_64bit_code, set_up),
	cmocka_unit_test_setup(test_mov_from_cr, set_up),
	cmocka_unit_test_setup(test_clts, set_up),
	cmocka_unit_test_setup(test_lmsw, set_up),
	cmocka_unit_test_setup(test_io, set_up),
	cmocka_unit_test_setup(test_memory, set_up),
	cmocka_unit_test_setup(test_memory_by_instruction, set_up),
	cmocka_unit_test_setup(test_sipi, set_up),
	cmocka_unit_test_setup(test_interrupted_event, set_up),
	cmocka_unit_test_setup(test_exception, set_up),
};

TEST_MAIN(tests)
