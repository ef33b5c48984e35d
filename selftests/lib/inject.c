// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on order: the nth allocation, or copy from or to user memory, of what
 * this process does next (Documentation/fault-injection, "fail-nth").
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define DEBUGFS	"/sys/kernel/debug"

/* A file, and what belongs in it. */
static const char * const settings[][2] = {
	{ DEBUGFS "/failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "/failslab/verbose", "0" },
	{ DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "/fail_page_alloc/min-order", "0" },
	{ DEBUGFS "/fail_page_alloc/verbose", "0" },
	{ DEBUGFS "/fail_usercopy/verbose", "0" },
};

/*
 * vmalloc() warns with a stack trace where it finds no memory, as the page
 * allocator does, and the test machine takes that for trouble: leave it alone.
 */
#define VMALLOC	"__vmalloc_node_range_noprof"

static void find_function(const char *name, unsigned long long *start,
			  unsigned long long *end)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long long address;
	char line[512], symbol[256];

	*start = 0;
	*end = 0;
	while (file && !*end && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %*c %255s", &address, symbol) != 2)
			continue;
		if (*start && address > *start)
			*end = address;
		else if (!strcmp(symbol, name))
			*start = address;
	}
	if (!*end)
		fail("/proc/kallsyms has no %s", name);
	fclose(file);
}

static void spare(const char *attribute, const unsigned long long range[2])
{
	char path[128], text[32];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s/reject-%s", attribute,
			 i ? "end" : "start");
		snprintf(text, sizeof(text), "%#llx", range[i]);
		must(pb_write_file(path, text));
	}
}

/**
 * pb_inject_spare() - leave a function of the kernel, and what it calls, alone
 * @function: a name; instead of the one that was spared before
 */
void pb_inject_spare(const char *function)
{
	unsigned long long range[2];

	find_function(function, &range[0], &range[1]);
	spare("failslab", range);
	spare("fail_page_alloc", range);
}

/*
 * pb_inject_open() - make failures possible, for this process alone.
 * Return: a descriptor for pb_inject() and pb_inject_end().
 */
int pb_inject_open(void)
{
	int fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	size_t i;

	if (fd < 0)
		fail("/proc/self/fail-nth: %s; does this kernel inject failures?",
		     strerror(errno));
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		must(pb_write_file(settings[i][0], settings[i][1]));
	pb_inject_spare(VMALLOC);
	return fd;
}

/* pb_inject() - let the @nth thing that can fail from now on, do so. */
void pb_inject(int inject, unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(inject, text, length, 0) != length)
		fail("cannot order a failure: %s", strerror(errno));
}

/*
 * pb_inject_end() - no more failures. To ask for what is left, and to take it
 * back, are calls that copy: they may be what fails.
 *
 * Return: whether it happened before.
 */
bool pb_inject_end(int inject)
{
	char text[16] = "";
	ssize_t length = pread(inject, text, sizeof(text) - 1, 0);
	bool happened = length > 0 && !atoi(text);

	while (pwrite(inject, "0", 1, 0) != 1)
		;
	return happened;
}
