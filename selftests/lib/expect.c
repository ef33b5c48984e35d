// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this machine is expected to do, what its user wants, and how a test ends
 * early.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

static const char * const route_names[] = {
	[PEERBUF_ROUTE_NONE] = "none",
	[PEERBUF_ROUTE_BUS] = "bus",
	[PEERBUF_ROUTE_HOST] = "host",
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		fail("%s is not set; start the tests with make check", name);
	return value;
}

static unsigned int route_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(route_names); i++) {
		if (!strcmp(route_names[i], name))
			return i;
	}
	fail("PEERBUF_ROUTE is '%s'; it must be bus, host or none", name);
}

/**
 * pb_expect() - read the environment, once
 *
 * Return: what the topology is expected to do.
 */
const struct pb_expect *pb_expect(void)
{
	static struct pb_expect expect;

	if (!expect.topology) {
		expect.route = route_number(variable("PEERBUF_ROUTE"));
		expect.reason = atoi(variable("PEERBUF_REASON"));
		expect.iommu = atoi(variable("PEERBUF_IOMMU"));
		expect.admin = atoi(variable("PEERBUF_ADMIN"));
		expect.data = atoi(variable("PEERBUF_DATA"));
		expect.hotplug = atoi(variable("PEERBUF_HOTPLUG"));
		expect.monitor = getenv("PEERBUF_MONITOR");
		expect.topology = variable("PEERBUF_TOPOLOGY");
	}
	return &expect;
}

/* pb_debug_kernel() - Return: whether everything takes several times as long. */
bool pb_debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

/**
 * pb_setting() - a number that who runs a test may choose
 * @name: of the variable in the environment
 * @value: where it is not set
 *
 * Return: the number.
 */
unsigned long long pb_setting(const char *name, unsigned long long value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}

/**
 * pb_fail() - end this test as failed
 * @file: of the caller
 * @line: of the caller
 * @format: what is wrong
 *
 * The harness reports an abort() as a failed assertion, in a forked child of a
 * test pb_join() does.
 */
void pb_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "# %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

/**
 * pb_must() - end this test if a call failed; use must()
 * @value: what the call returned
 * @what: the call
 * @file: of the caller
 * @line: of the caller
 *
 * Return: @value.
 */
long pb_must(long value, const char *what, const char *file, int line)
{
	if (value < 0)
		pb_fail(file, line, "%s: %s (%ld)", what, strerror(-value),
			value);
	return value;
}
