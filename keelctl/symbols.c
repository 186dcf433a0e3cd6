/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

#define SYMBOL_MAX 128

struct symbol {
	uint64_t address;
	char *name;
};

struct symbols {
	struct symbol *at;
	size_t count, room;
};

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static bool add(struct symbols *symbols, uint64_t address, const char *name)
{
	if (symbols->count == symbols->room) {
		size_t room = symbols->room ? 2 * symbols->room : 1024;
		struct symbol *more = realloc(symbols->at, room * sizeof(*more));

		if (!more)
			return false;
		symbols->at = more;
		symbols->room = room;
	}
	symbols->at[symbols->count].address = address;
	symbols->at[symbols->count].name = strdup(name);
	return symbols->at[symbols->count++].name != NULL;
}

struct symbols *symbols_read(const char *path)
{
	FILE *file = fopen(path, "re");
	struct symbols *symbols = file ? calloc(1, sizeof(*symbols)) : NULL;
	char line[256], name[SYMBOL_MAX], kind;
	unsigned long long address;
	bool ok = symbols != NULL;

	/* All addresses are 0 for who may not see them. */
	while (ok && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %127s", &address, &kind, name) == 3 && address &&
		    strchr("tTwW", kind))
			ok = add(symbols, address, name);
	}
	if (file)
		fclose(file);
	if (!ok || !symbols->count) {
		symbols_free(symbols);
		return NULL;
	}
	qsort(symbols->at, symbols->count, sizeof(*symbols->at), by_address);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->count; i++)
		free(symbols->at[i].name);
	free(symbols->at);
	free(symbols);
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset)
{
	size_t low = 0, high = symbols ? symbols->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->at[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return "";
	*offset = address - symbols->at[low - 1].address;
	return symbols->at[low - 1].name;
}
