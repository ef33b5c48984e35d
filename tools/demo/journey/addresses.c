// SPDX-License-Identifier: MIT
/*
 * Every address that the devices were given for DMA, as the tracepoint
 * peerbuf_address told it, with the memory that stands behind it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journey.h"

#define TRACING "/sys/kernel/tracing/"
#define EVENT ": peerbuf_address: "
#define FORMAT "provider=%*s buffer=%llu importer=%31s phys=%llx address=%llx length=%llu"

static int put(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int addresses_watch(void)
{
	int err = put(TRACING "trace", O_TRUNC, "");

	return err ? err : put(TRACING "events/peerbuf/peerbuf_address/enable", 0, "1");
}

static __u64 outside(const struct peerbuf_window_info *window, __u64 phys, __u64 length)
{
	bool inside = phys >= window->phys && length <= window->length &&
		      phys - window->phys <= window->length - length;

	return inside ? 0 : length;
}

/* Which address the route has for that memory; any, where an IOMMU translates. */
static bool is_right(const struct peerbuf_window_info *window, const struct device *device,
		     __u64 phys, __u64 address)
{
	if (device->verdict.route == PEERBUF_ROUTE_BUS)
		return address == phys - window->phys + window->bus;
	if (device->verdict.flags & PEERBUF_VERDICT_IOMMU)
		return true;
	return address == phys;
}

int addresses_read(const struct peerbuf_window_info *window, const struct device *device,
		   __u64 id, struct addresses *seen)
{
	unsigned long long buffer, phys, address, length;
	char line[512], importer[32];
	const char *event;
	FILE *trace = fopen(TRACING "trace", "re");

	if (!trace)
		return -errno;
	*seen = (struct addresses) { };
	while (fgets(line, sizeof(line), trace)) {
		event = strstr(line, EVENT);
		if (!event || sscanf(event + strlen(EVENT), FORMAT, &buffer, importer, &phys,
				     &address, &length) != 5)
			continue;
		if (buffer != id || strcmp(importer, name_of(&device->function)))
			continue;
		if (!seen->extents++)
			seen->first = address;
		seen->bytes += length;
		seen->outside += outside(window, phys, length);
		if (!is_right(window, device, phys, address))
			seen->misled += length;
	}
	fclose(trace);
	return 0;
}
