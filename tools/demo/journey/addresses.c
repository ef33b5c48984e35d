// SPDX-License-Identifier: MIT
/*
 * Every address that the devices were given for DMA, as tracepoints told it:
 * peerbuf_address those of buffers, with the memory that stands behind them; the
 * kernel's DMA API all others, from before there are buffers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "journey.h"

#define TRACING "/sys/kernel/tracing/"
#define EVENT ": peerbuf_address: "
#define MAP_EVENT ": dma_map_phys: "
#define MAP_FORMAT "%31s dir=%*s dma_addr=%*s size=%llu phys_addr=%llx"
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

/* All by which a driver gets memory that its device can reach */
static const char * const dma_events[] = {
	"dma_map_phys", "dma_map_sg", "dma_alloc", "dma_alloc_pages", "dma_alloc_sgt",
};

int addresses_watch(void)
{
	int err = put(TRACING "trace", O_TRUNC, "");

	return err ? err : put(TRACING "events/peerbuf/peerbuf_address/enable", 0, "1");
}

int addresses_watch_memory(void)
{
	char path[80];
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(dma_events) && !err; i++) {
		snprintf(path, sizeof(path), TRACING "events/dma/%s/enable", dma_events[i]);
		err = put(path, 0, "1");
	}
	return err;
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

/* What tracing writes first: has it kept all that it saw? */
static bool is_cut_off(const char *line)
{
	unsigned long long kept, seen;

	return sscanf(line, "# entries-in-buffer/entries-written: %llu/%llu", &kept,
		      &seen) == 2 && kept != seen;
}

/* Which of dma_events a line tells of the device; -1 for none */
static int find_event(const char *line, const struct device *device)
{
	char text[96];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dma_events); i++) {
		snprintf(text, sizeof(text), ": %s: %s ", dma_events[i],
			 name_of(&device->function));
		if (strstr(line, text))
			return (int)i;
	}
	return -1;
}

/*
 * How much system memory the device can reach that it could not reach before.
 * Negative errno if that is not known: also where it came by something else than
 * dma_map_phys.
 */
int addresses_read_memory(const struct peerbuf_window_info *window,
			  const struct device *device, __u64 *bytes)
{
	unsigned long long phys, length;
	char line[1024], importer[32];
	FILE *trace = fopen(TRACING "trace", "re");
	int event, err = 0;

	if (!trace)
		return -errno;
	*bytes = 0;
	while (!err && fgets(line, sizeof(line), trace)) {
		event = find_event(line, device);
		if (is_cut_off(line) || event > 0)
			err = -EOVERFLOW;
		if (event)
			continue;
		if (sscanf(strstr(line, MAP_EVENT) + strlen(MAP_EVENT), MAP_FORMAT,
			   importer, &length, &phys) != 3)
			err = -EPROTO;
		else
			*bytes += outside(window, phys, length);
	}
	fclose(trace);
	return err;
}
