/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On i386 the kernel takes the next one as segments, and starts it in flat 32-bit protected mode. So a
 * bzImage of any width is put in place here as a boot loader does (Linux' Documentation/x86/boot.rst).
 */
#include <asm/bootparam.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define PAGE 4096UL
#define SECTOR 512
#define LOADER_UNDEFINED 0xff
/* Conventional memory that no firmware keeps: three pages from here. */
#define STUB 0x90000
#define PARAMS (STUB + PAGE)
#define LINE (STUB + 2 * PAGE)
#define LOW_PAGES 3

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
/* Where a label of the stub will be. */
#define AT(label) #label " - stub_start + " TEXT(STUB)

struct file {
	unsigned char *data;
	size_t size;
};

struct stub {
	unsigned entry, params;
};

/* The new kernel wants a GDT of its own kind, and its parameters' address in ESI. */
extern unsigned char stub_start[], stub_words[], stub_end[];
__asm__(".pushsection .data\n"
	"stub_start:\n"
	"	cli\n"
	"	cld\n"
	"	lgdtl	" AT(stub_gdtr) "\n"
	"	ljmp	$0x10, $" AT(stub_next) "\n"
	"stub_next: movl	$0x18, %eax\n"
	"	movl	%eax, %ds\n"
	"	movl	%eax, %es\n"
	"	movl	%eax, %ss\n"
	"	movl	" AT(stub_words) " + 4, %esi\n"
	"	xorl	%ebx, %ebx\n"
	"	xorl	%edi, %edi\n"
	"	xorl	%ebp, %ebp\n"
	"	jmp	*" AT(stub_words) "\n"
	"	.balign	8\n"
	"stub_gdt: .quad 0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
	"stub_gdtr: .word . - stub_gdt - 1\n"
	"	.long	" AT(stub_gdt) "\n"
	"stub_words: .long 0, 0\n"
	"stub_end:\n"
	".popsection");

static struct file file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file f = { .data = NULL };
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("FAIL kexec: %m at opening %s", path);
	f.size = (size_t)st.st_size;
	f.data = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (f.data == MAP_FAILED)
		die("FAIL kexec: %m at mapping %s", path);
	close(fd);
	return f;
}

/* One of the files of an entry in /sys/firmware/memmap; false if there is none. */
static int memmap(int entry, const char *name, const char **value)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%d/%s", entry, name);
	*value = contents(path);
	return **value != '\0';
}

static unsigned e820_type(const char *name)
{
	static const char *const names[] = { [1] = "System RAM", [3] = "ACPI Tables",
					     [4] = "ACPI Non-volatile Storage" };

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && !strncmp(name, names[i], strlen(names[i])))
			return i;
	return 2;
}

/* The memory map that this kernel was given. */
static void fill_e820(struct boot_params *p)
{
	const char *value;
	int n = 0;

	for (; n < E820_MAX_ENTRIES_ZEROPAGE && memmap(n, "start", &value); n++) {
		struct boot_e820_entry *e = &p->e820_table[n];

		e->addr = strtoull(value, NULL, 16);
		memmap(n, "end", &value);
		e->size = strtoull(value, NULL, 16) + 1 - e->addr;
		memmap(n, "type", &value);
		e->type = e820_type(value);
	}
	p->e820_entries = (unsigned char)n;
}

static unsigned long up(unsigned long n)
{
	return (n + PAGE - 1) & -PAGE;
}

/* All below 1 MiB: the stub, the parameters and the command line. */
static unsigned char *low_pages(const struct setup_header *header, struct file initramfs, const char *line)
{
	unsigned char *low = calloc(LOW_PAGES, PAGE);
	struct boot_params *p = (struct boot_params *)(low + (PARAMS - STUB));
	struct stub words = { .entry = (unsigned)header->pref_address, .params = PARAMS };

	memcpy(low, stub_start, (size_t)(stub_end - stub_start));
	memcpy(low + (stub_words - stub_start), &words, sizeof(words));
	p->hdr = *header;
	p->hdr.type_of_loader = LOADER_UNDEFINED;
	p->hdr.code32_start = words.entry;
	p->hdr.cmd_line_ptr = LINE;
	p->hdr.ramdisk_image = (unsigned)up(words.entry + header->init_size);
	p->hdr.ramdisk_size = (unsigned)initramfs.size;
	fill_e820(p);
	strncpy((char *)low + (LINE - STUB), line, PAGE - 1);
	return low;
}

void kexec_load(const char *kernel, const char *initramfs, const char *line)
{
	struct file image = file(kernel), initrd = file(initramfs);
	const struct setup_header *header = (const void *)(image.data + offsetof(struct boot_params, hdr));
	size_t skip = (header->setup_sects + 1u) * SECTOR;
	unsigned char *low = low_pages(header, initrd, line);
	unsigned long at = (unsigned long)header->pref_address;
	struct kexec_segment segments[] = {
		{ low, LOW_PAGES * PAGE, (void *)STUB, LOW_PAGES * PAGE },
		{ image.data + skip, image.size - skip, (void *)at, up(image.size - skip) },
		{ initrd.data, initrd.size, (void *)up(at + header->init_size), up(initrd.size) },
	};

	if (syscall(SYS_kexec_load, STUB, sizeof(segments) / sizeof(segments[0]), segments, KEXEC_ARCH_DEFAULT))
		die("FAIL kexec_load: %m");
}
