/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/linux_boot.c: reading a kernel's setup header, and planning where everything goes. */
#include "test.h"

#include "lib/linux_boot.h"

/* --- the setup header --- */

#define SETUP_SECTS 4u
#define FILE_SIZE   ((SETUP_SECTS + 1) * 512 + 4096)

static u8 file[FILE_SIZE];
static struct linux_image image;
static const char *why;

static void put(u32 at, u64 v, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		file[at + i] = (u8)(v >> (i * 8));
}

/* Offsets as boot.rst lists them. */
static void good_file(void)
{
	memset(file, 0, sizeof(file));
	put(0x1f1, SETUP_SECTS, 1);
	put(0x1f4, 4096 / 16, 4);  /* syssize */
	put(0x1fe, 0xaa55, 2);	   /* boot_flag */
	put(0x200, 0x6aeb, 2);	   /* jump: the header ends at 0x26c */
	put(0x202, 0x53726448, 4); /* HdrS */
	put(0x206, 0x20f, 2);	   /* version */
	put(0x211, 1, 1);	   /* loadflags */
	put(0x22c, 0x7fffffff, 4); /* initrd_addr_max */
	put(0x230, 0x200000, 4);   /* kernel_alignment */
	put(0x234, 1, 1);	   /* relocatable_kernel */
	put(0x236, 0x7f, 2);	   /* xloadflags */
	put(0x238, 2047, 4);	   /* cmdline_size */
	put(0x248, 0x100, 4);	   /* payload_offset */
	put(0x24c, 0xe00, 4);	   /* payload_length */
	put(0x258, 0x1000000, 8);  /* pref_address */
	put(0x260, 0x1800000, 4);  /* init_size */
}

static int parse(size_t size)
{
	void *copy = exact_copy(file, size);
	int error;

	why = "nothing said";
	memset(&image, 0xee, sizeof(image));
	error = linux_parse(copy, size, &image, &why);
	free(copy);
	if (error) {
		assert_int_equal(error, -EINVAL);
		check_why(why);
	} else {
		assert_null(why);
	}
	return error;
}

static void refused(u32 at, u64 v, u32 bytes, const char *part)
{
	good_file();
	put(at, v, bytes);
	assert_int_equal(parse(FILE_SIZE), -EINVAL);
	assert_non_null(strstr(why, part));
}

static void a_kernel_is_read(void **state)
{
	(void)state;
	good_file();
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_int_equal(image.setup_bytes, 5 * 512);
	assert_int_equal(image.payload_bytes, 4096);
	assert_int_equal(image.pref_address, 0x1000000);
	assert_int_equal(image.init_size, 0x1800000);
	assert_int_equal(image.alignment, 0x200000);
	assert_true(image.relocatable);
	assert_true(image.is_64bit);
	assert_int_equal(image.initrd_addr_max, 0x7fffffff);
	assert_int_equal(image.cmdline_size, 2047);
	assert_int_equal(image.version, 0x20f);
}

static void variants_of_kernels_are_read(void **state)
{
	(void)state;
	good_file();
	put(0x1f1, 0, 1); /* stands for 4 */
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_int_equal(image.setup_bytes, 5 * 512);
	good_file();
	put(0x236, 0, 2);
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_false(image.is_64bit);
	/* Before 2.12 the field did not exist. */
	good_file();
	put(0x206, 0x20b, 2);
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_false(image.is_64bit);
	good_file();
	put(0x206, 0x20a, 2);
	assert_int_equal(parse(FILE_SIZE), 0);
	/* The lowest address, and a payload up to the end. */
	good_file();
	put(0x230, 0x100000, 4);
	put(0x258, 0x100000, 8);
	put(0x24c, 0xf00, 4);
	assert_int_equal(parse(FILE_SIZE), 0);
	/* Not relocatable: its alignment does not matter. */
	good_file();
	put(0x234, 0, 1);
	put(0x230, 0, 4);
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_false(image.relocatable);
	/* A signature behind the kernel, longer than what it asks for. */
	good_file();
	put(0x260, 100, 4);
	assert_int_equal(parse(FILE_SIZE), 0);
	assert_int_equal(image.init_size, 4096);
}

static void what_is_no_kernel_is_refused(void **state)
{
	(void)state;
	refused(0x1fe, 0xaa54, 2, "boot sector");
	refused(0x202, 0x53726449, 4, "HdrS");
	refused(0x206, 0x209, 2, "2.6.31");
	refused(0x206, 0, 2, "too old");
	refused(0x211, 0xfe, 1, "bzImage");
	refused(0x258, 0, 8, "load address");
	refused(0x258, 0xfffff, 8, "load address");
	refused(0x258, 0x1000001, 8, "load address");
	refused(0x258, 1ull << 32, 8, "load address");
	refused(0x258, 1ull << 63, 8, "load address");
	refused(0x260, 0, 4, "load address");
	refused(0x230, 0, 4, "alignment");
	refused(0x230, 0x300000, 4, "alignment");
	refused(0x230, 0x800, 4, "alignment");
	refused(0x230, 0x2000000, 4, "alignment");
}

static void lengths_beyond_the_file_are_refused(void **state)
{
	(void)state;
	refused(0x1f1, 13, 1, "truncated");
	refused(0x1f1, 255, 1, "truncated");
	refused(0x1f4, 4096 / 16 + 1, 4, "truncated");
	refused(0x1f4, 0xffffffff, 4, "truncated");
	refused(0x248, 0x201, 4, "truncated");
	refused(0x24c, 0xf01, 4, "truncated");
	refused(0x24c, 0xffffffff, 4, "truncated");
	/* The sum must not wrap. */
	good_file();
	put(0x248, 0x80000000, 4);
	put(0x24c, 0x80000000, 4);
	assert_int_equal(parse(FILE_SIZE), -EINVAL);
}

static void truncated_anywhere_is_said(void **state)
{
	(void)state;
	good_file();
	for (size_t size = 0; size < FILE_SIZE; size++) {
		assert_int_equal(parse(size), -EINVAL);
		assert_non_null(strstr(why, "truncated"));
	}
}

static void nasty_headers_do_no_harm(void **state)
{
	u32 accepted = 0;

	(void)state;
	for (u32 at = 0x1f0; at < 0x270; at++) {
		for (u32 i = 0; i < ARRAY_SIZE(nasty); i++) {
			good_file();
			put(at, nasty[i], 4);
			if (parse(FILE_SIZE))
				continue;
			accepted++;
			assert_true(image.setup_bytes + image.payload_bytes == FILE_SIZE);
			assert_true(image.init_size >= image.payload_bytes);
			assert_true(image.pref_address >= MIB(1) && image.pref_address < GIB(4));
			assert_true(image.alignment >= PAGE_SIZE);
			assert_int_equal(image.alignment & (image.alignment - 1), 0);
		}
	}
	assert_true(accepted > 100);
}

/* --- the plan --- */

static struct range_list ram;
static struct linux_layout layout;

static int plan(const struct range *kernel, const struct range *initrd, size_t cmdline_len)
{
	int error;

	why = "nothing said";
	memset(&layout, 0xee, sizeof(layout));
	error = linux_plan(&image, &ram, kernel, initrd, cmdline_len, &layout, &why);
	if (error)
		check_why(why);
	else
		assert_null(why);
	return error;
}

/* What a PC with @size bytes below 4 GiB has. */
static void pc(u64 size)
{
	memset(&ram, 0, sizeof(ram));
	range_set(&ram, 0, 0x9fc00, RANGE_USABLE);
	range_set(&ram, 0x9fc00, MIB(1), RANGE_RESERVED);
	range_set(&ram, MIB(1), size, RANGE_USABLE);
	good_file();
	assert_int_equal(parse(FILE_SIZE), 0);
}

static bool apart(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a + a_size <= b || b + b_size <= a;
}

static void on_an_empty_machine_nothing_moves(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};
	struct range initrd = {MIB(200), MIB(230) + 17, 0};

	(void)state;
	pc(GIB(1));
	assert_int_equal(plan(&kernel, &initrd, 100), 0);
	assert_int_equal(layout.kernel, 0x1000000);
	assert_int_equal(layout.initrd, MIB(200));
	assert_true(layout.boot_params >= 0x1000 && layout.boot_params % PAGE_SIZE == 0);
	assert_true(layout.cmdline + 101 <= 0x9fc00);
	assert_int_equal(layout.gdt % 8, 0);
	assert_true(apart(layout.gdt, 32, layout.boot_params, 4096));
	assert_true(apart(layout.gdt, 32, layout.cmdline, 101));
	assert_true(apart(layout.cmdline, 101, layout.boot_params, 4096));
}

static void no_initrd_is_fine(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};

	(void)state;
	pc(GIB(1));
	assert_int_equal(plan(&kernel, NULL, 0), 0);
	assert_int_equal(layout.initrd, 0);
}

static void an_initrd_moves_when_it_must(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};
	static const struct range places[] = {
		{0x1000000, 0x1000000 + MIB(20), 0},   /* where the kernel goes */
		{MIB(200) + 1, MIB(230), 0},	       /* not page-aligned */
		{MIB(1000), MIB(1030), 0},	       /* not in usable memory */
		{GIB(2) - MIB(8), GIB(2) + MIB(8), 0}, /* beyond initrd_addr_max */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		u64 size = places[i].end - places[i].start;

		pc(i == 3 ? GIB(3) : GIB(1));
		range_set(&ram, MIB(1010), MIB(1020), RANGE_NVS);
		assert_int_equal(plan(&kernel, &places[i], 10), 0);
		assert_int_not_equal(layout.initrd, places[i].start);
		assert_int_equal(layout.initrd,
				 align_down((i == 3 ? GIB(2) : MIB(1010)) - size, PAGE_SIZE));
	}
}

static void an_initrd_next_to_the_kernel_stays(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};
	struct range below = {MIB(16) - MIB(4), MIB(16), 0};
	struct range above = {MIB(40), MIB(44), 0};

	(void)state;
	pc(GIB(1));
	assert_int_equal(plan(&kernel, &below, 10), 0);
	assert_int_equal(layout.initrd, below.start);
	assert_int_equal(plan(&kernel, &above, 10), 0);
	assert_int_equal(layout.initrd, above.start);
}

/* Modules in low memory, where Linux's own things go. */
static void low_memory_is_shared_with_modules(void **state)
{
	struct range kernel = {0x9e000, 0x9f000, 0};
	struct range initrd = {0x9c000, 0x9c100, 0};

	(void)state;
	pc(GIB(1));
	assert_int_equal(plan(&kernel, &initrd, 10), 0);
	assert_int_equal(layout.initrd, initrd.start);
	assert_int_equal(layout.boot_params, 0x9a000);
	assert_true(layout.gdt > layout.boot_params && layout.cmdline > layout.gdt);
	assert_int_equal(plan(&kernel, NULL, 10), 0);
	assert_int_equal(layout.boot_params, 0x9c000);
	/* The command line's NUL is in the block, too, at the border of a page. */
	image.cmdline_size = 8192;
	for (u32 len = 4096 - 32 - 2; len <= 4096 - 32 + 1; len++) {
		assert_int_equal(plan(&(struct range){MIB(100), MIB(107), 0}, NULL, len), 0);
		assert_int_equal(layout.boot_params, 0x9f000 - (len < 4096 - 32 ? 0x2000 : 0x3000));
	}
	/* One at address 0 that is empty is none. */
	assert_int_equal(plan(&kernel, &(struct range){0, 0, 0}, 10), 0);
	assert_int_equal(layout.initrd, 0);
}

/* The last byte may be at initrd_addr_max itself. */
static void the_initrd_limit_is_inclusive(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};
	struct range initrd = {GIB(2) - MIB(8), GIB(2), 0};

	(void)state;
	pc(GIB(3));
	assert_int_equal(plan(&kernel, &initrd, 10), 0);
	assert_int_equal(layout.initrd, initrd.start);
	initrd.end++;
	assert_int_equal(plan(&kernel, &initrd, 10), 0);
	assert_int_equal(layout.initrd, initrd.start - PAGE_SIZE);
	image.initrd_addr_max = 0xffffffff;
	range_set(&ram, GIB(3), GIB(4), RANGE_USABLE);
	initrd = (struct range){GIB(4), GIB(4) + MIB(8), 0};
	assert_int_equal(plan(&kernel, &initrd, 10), 0);
	assert_int_equal(layout.initrd, GIB(4) - MIB(8));
}

static void a_kernel_moves_up_when_it_must(void **state)
{
	struct range kernel = {MIB(100), MIB(107), 0};

	(void)state;
	pc(GIB(1));
	range_set(&ram, MIB(17), MIB(21), RANGE_RESERVED);
	assert_int_equal(plan(&kernel, NULL, 10), 0);
	assert_int_equal(layout.kernel, MIB(22));
	image.relocatable = false;
	assert_int_equal(plan(&kernel, NULL, 10), -ENOMEM);
	assert_non_null(strstr(why, "memory for the kernel"));
}

/* A kernel loaded below pref_address would move itself there: free memory below is no help. */
static void a_kernel_never_goes_below_its_address(void **state)
{
	struct range kernel = {MIB(2), MIB(3), 0};

	(void)state;
	pc(GIB(1));
	image.pref_address = MIB(512);
	image.init_size = (u32)MIB(600);
	assert_int_equal(plan(&kernel, NULL, 10), -ENOMEM);
	image.init_size = (u32)MIB(500);
	assert_int_equal(plan(&kernel, NULL, 10), 0);
	assert_int_equal(layout.kernel, MIB(512));
}

static void too_little_memory_is_said(void **state)
{
	struct range kernel = {MIB(2), MIB(3), 0};
	struct range initrd = {MIB(3), MIB(13), 0};

	(void)state;
	pc(MIB(40));
	assert_int_equal(plan(&kernel, &initrd, 10), 0);
	pc(MIB(39));
	assert_int_equal(plan(&kernel, &initrd, 10), -ENOMEM);
	assert_non_null(strstr(why, "memory for the kernel"));
	pc(MIB(40));
	initrd.end += MIB(30);
	assert_int_equal(plan(&kernel, &initrd, 10), -ENOMEM);
	assert_non_null(strstr(why, "initrd is too large"));
	pc(MIB(40));
	assert_int_equal(plan(&kernel, NULL, 2047), 0);
	assert_int_equal(plan(&kernel, NULL, 2048), -EINVAL);
	assert_non_null(strstr(why, "command line"));
	range_set(&ram, 0, KIB(640), RANGE_RESERVED);
	assert_int_equal(plan(&kernel, NULL, 10), -ENOMEM);
	assert_non_null(strstr(why, "640 KiB"));
}

/* Sizes that no sum may wrap. */
static void absurd_sizes_are_refused(void **state)
{
	struct range kernel = {MIB(2), MIB(3), 0};
	struct range initrd = {4096, UINT64_MAX, 0};

	(void)state;
	pc(GIB(1));
	assert_int_equal(plan(&kernel, &initrd, 10), -ENOMEM);
	pc(GIB(1));
	image.init_size = 0xffffffff;
	assert_int_equal(plan(&kernel, NULL, 10), -ENOMEM);
	pc(GIB(1));
	image.cmdline_size = 0xffffffff;
	assert_int_equal(plan(&kernel, NULL, 0xfffffff0), -ENOMEM);
}

#define ARENA MIB(24)

static struct range module_place(u64 size, const struct range *other)
{
	struct range r;

	do {
		r.start = random_below((u32)(ARENA - size));
		if (random_below(4))
			r.start = align_down(r.start, PAGE_SIZE);
		r.end = r.start + size;
	} while (other && !apart(r.start, size, other->start, other->end - other->start));
	return r;
}

static void random_machine(void)
{
	memset(&ram, 0, sizeof(ram));
	range_set(&ram, 0, KIB(640), RANGE_USABLE);
	range_set(&ram, MIB(1), ARENA, RANGE_USABLE);
	for (u32 n = random_below(6); n; n--) {
		/* Multiples of 256, the step of usable(). */
		u64 start = random_below((u32)ARENA) & ~255u;

		range_set(&ram, start, start + (random_below((u32)MIB(1)) & ~255u),
			  2 + random_below(3));
	}
	range_remove(&ram, ARENA, GIB(4));
	image = (struct linux_image){
		.payload_bytes = 1 + random_below(900000),
		.pref_address = MIB(2 + random_below(10)),
		.alignment = 1u << (12 + random_below(10)),
		.relocatable = random_below(4) != 0,
		.initrd_addr_max = random_below(3) ? 0x7fffffff : (u32)(ARENA - MIB(2)),
		.cmdline_size = 2047,
	};
	image.pref_address = align_down(image.pref_address, image.alignment);
	image.init_size = image.payload_bytes + random_below((u32)MIB(8));
}

/* unusable[i]: how many of the first i pieces of 256 bytes are not usable memory. */
static u32 unusable[ARENA / 256 + 1];

static void count_unusable(void)
{
	static u8 good[ARENA / 256];

	memset(good, 0, sizeof(good));
	for (u32 i = 0; i < ram.count; i++) {
		if (ram.at[i].type == RANGE_USABLE)
			memset(good + ram.at[i].start / 256, 1,
			       (size_t)(ram.at[i].end - ram.at[i].start) / 256);
	}
	for (u32 i = 0; i < ARENA / 256; i++)
		unusable[i + 1] = unusable[i] + !good[i];
}

/* Is all of [at, at + size) usable memory? */
static bool usable(u64 at, u64 size)
{
	return at + size <= ARENA && unusable[(at + size + 255) / 256] == unusable[at / 256];
}

/* The lowest place for the kernel, or 0. */
static u64 best_kernel(void)
{
	u64 step = image.alignment;

	if (usable(image.pref_address, image.init_size))
		return image.pref_address;
	for (u64 at = image.pref_address; image.relocatable && at < ARENA; at += step) {
		if (usable(at, image.init_size))
			return at;
	}
	return 0;
}

/* The highest place for an initrd that must move, in whole pages, or 0. */
static u64 best_initrd(const struct range *kernel, u64 size)
{
	u64 limit = (u64)image.initrd_addr_max + 1;

	size = align_up(size, PAGE_SIZE);
	limit = limit < ARENA ? limit : ARENA;
	for (u64 at = align_down(limit - 1, PAGE_SIZE); at >= MIB(1); at -= PAGE_SIZE) {
		if (at + size <= limit && apart(at, size, layout.kernel, image.init_size) &&
		    apart(at, size, kernel->start, kernel->end - kernel->start) && usable(at, size))
			return at;
	}
	return 0;
}

/* Carries the plan out in a copy of memory as Keel does, and looks at what arrives. */
static void carry_out(const struct range *kernel, const struct range *initrd, u64 cmdline_len)
{
	static u8 memory[ARENA], before[ARENA];
	u64 initrd_size = initrd->end - initrd->start;

	for (u32 i = 0; i < ARENA; i += 8) {
		u64 v = i * 0x9e3779b97f4a7c15ull;

		memcpy(before + i, &v, 8);
	}
	memcpy(memory, before, ARENA);
	memset(memory + layout.boot_params, 1, BOOT_PARAMS_SIZE);
	memset(memory + layout.gdt, 2, 32);
	memset(memory + layout.cmdline, 3, cmdline_len + 1);
	memmove(memory + layout.initrd, memory + initrd->start, initrd_size);
	memmove(memory + layout.kernel, memory + kernel->start, image.payload_bytes);
	/* The kernel uses all of its place before it knows of anything else. */
	assert_memory_equal(memory + layout.kernel, before + kernel->start, image.payload_bytes);
	memset(memory + layout.kernel, 4, image.init_size);
	assert_memory_equal(memory + layout.initrd, before + initrd->start, initrd_size);
	for (u32 i = 0; i < BOOT_PARAMS_SIZE; i++)
		assert_int_equal(memory[layout.boot_params + i], 1);
	for (u32 i = 0; i < 32; i++)
		assert_int_equal(memory[layout.gdt + i], 2);
	for (u32 i = 0; i <= cmdline_len; i++)
		assert_int_equal(memory[layout.cmdline + i], 3);
}

static void check_plan(const struct range *kernel, const struct range *initrd, u64 cmdline_len)
{
	u64 size = initrd->end - initrd->start;
	bool may_stay = initrd->start % PAGE_SIZE == 0 && usable(initrd->start, size) &&
			initrd->end <= (u64)image.initrd_addr_max + 1 &&
			apart(initrd->start, size, layout.kernel, image.init_size);

	assert_int_equal(layout.kernel, best_kernel());
	assert_true(usable(layout.boot_params, BOOT_PARAMS_SIZE));
	assert_true(usable(layout.gdt, 32) && usable(layout.cmdline, cmdline_len + 1));
	assert_true(layout.boot_params >= 4096 && layout.cmdline + cmdline_len < KIB(640));
	assert_int_equal(layout.initrd, may_stay ? initrd->start : best_initrd(kernel, size));
}

static void random_plans_can_be_carried_out(void **state)
{
	u32 done = 0, no_kernel = 0, no_initrd = 0, low = 0;

	(void)state;
	for (u32 run = 0; run < 300; run++) {
		struct range kernel, initrd;
		u64 cmdline_len = random_below(2000);
		int error;

		random_machine();
		count_unusable();
		kernel = module_place(image.payload_bytes, NULL);
		initrd = module_place(1 + random_below((u32)MIB(6)), &kernel);
		error = plan(&kernel, &initrd, cmdline_len);
		if (!error) {
			check_plan(&kernel, &initrd, cmdline_len);
			if (done++ % 4 == 0)
				carry_out(&kernel, &initrd, cmdline_len);
			continue;
		}
		assert_int_equal(error, -ENOMEM);
		if (strstr(why, "kernel")) {
			no_kernel++;
			assert_int_equal(best_kernel(), 0);
		} else if (strstr(why, "initrd")) {
			no_initrd++;
			assert_int_equal(best_initrd(&kernel, initrd.end - initrd.start), 0);
		} else {
			low++;
		}
	}
	assert_true(done > 90 && no_kernel > 5 && no_initrd > 5 && low < 15);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_kernel_is_read),
	cmocka_unit_test(variants_of_kernels_are_read),
	cmocka_unit_test(what_is_no_kernel_is_refused),
	cmocka_unit_test(lengths_beyond_the_file_are_refused),
	cmocka_unit_test(truncated_anywhere_is_said),
	cmocka_unit_test(nasty_headers_do_no_harm),
	cmocka_unit_test(on_an_empty_machine_nothing_moves),
	cmocka_unit_test(no_initrd_is_fine),
	cmocka_unit_test(an_initrd_moves_when_it_must),
	cmocka_unit_test(an_initrd_next_to_the_kernel_stays),
	cmocka_unit_test(low_memory_is_shared_with_modules),
	cmocka_unit_test(the_initrd_limit_is_inclusive),
	cmocka_unit_test(a_kernel_moves_up_when_it_must),
	cmocka_unit_test(a_kernel_never_goes_below_its_address),
	cmocka_unit_test(too_little_memory_is_said),
	cmocka_unit_test(absurd_sizes_are_refused),
	cmocka_unit_test(random_plans_can_be_carried_out),
};

TEST_MAIN(tests)
