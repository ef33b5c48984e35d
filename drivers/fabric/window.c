// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory windows of the host bridges: a place in the machine's address space
 * where nothing else is, or a BAR of the function above (VMD).
 */
#include <linux/align.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include "fabric.h"

/* Bridges forward whole mebibytes */
#define GRAIN		SZ_1M
#define MAX_ALIGN	SZ_1T

/*
 * Room for all prefetchable BARs, when the description has no window. The PCI
 * core aligns a bridge's window to the largest BAR below; more room than one
 * such alignment is not needed where BARs are of similar sizes.
 */
static u64 wanted_size(struct fabric_host *host)
{
	struct fabric_function *function;
	u64 sum = 0, largest = 0, size;
	int nr;

	for (function = fabric_next_function(host, NULL); function;
	     function = fabric_next_function(host, function))
		for (nr = 0; nr < PCI_STD_NUM_BARS; nr++) {
			if (!function->bars[nr].prefetch)
				continue;
			size = max_t(u64, function->bars[nr].size, GRAIN);
			largest = max(largest, size);
			sum += size;
		}

	return sum ? ALIGN(sum, largest) + largest : 0;
}

static int request_fixed(struct fabric *fabric, struct fabric_host *host,
			 struct fabric_window *window)
{
	struct resource *res = &window->res;

	res->start = window->start;
	res->end = window->start + window->size - 1;
	if (res->end > iomem_resource.end)
		return fabric_fail(fabric, host->line, -ERANGE,
				   "window %pR is beyond this CPU's %pa", res,
				   &iomem_resource.end);

	if (request_resource(&iomem_resource, res))
		return fabric_fail(fabric, host->line, -EBUSY,
				   "window %pR overlaps something in /proc/iomem: say 'window any'",
				   res);
	return 0;
}

static int request_anywhere(struct fabric *fabric, struct fabric_host *host,
			    struct fabric_window *window)
{
	u64 align = min_t(u64, rounddown_pow_of_two(window->size), MAX_ALIGN);

	if (allocate_resource(&iomem_resource, &window->res, window->size,
			      SZ_4G, iomem_resource.end, align, NULL, NULL))
		return fabric_fail(fabric, host->line, -ENOSPC,
				   "this machine has no hole of %llu MiB for a window",
				   window->size / SZ_1M);
	return 0;
}

/* As vmd.c does it: the BAR's addresses, below the BAR in the resource tree. */
static int request_bar(struct fabric *fabric, struct fabric_host *host,
		       struct fabric_window *window)
{
	struct resource *bar = &host->above_pdev->resource[window->bar];

	window->res.start = bar->start;
	window->res.end = bar->end;
	window->size = resource_size(bar);
	if (request_resource(bar, &window->res))
		return fabric_fail(fabric, host->line, -EBUSY,
				   "BAR %d of %s is in use: another bridge has it",
				   window->bar, host->above->name);
	return 0;
}

static int settle_offset(struct fabric *fabric, struct fabric_host *host,
			 struct fabric_window *window)
{
	struct resource *res = &window->res;

	if (window->by_bus)
		window->offset = res->start - window->bus_start;
	if (res->end - window->offset < res->start - window->offset)
		return fabric_fail(fabric, host->line, -ERANGE,
				   "window %pR: no bus addresses with offset %#llx",
				   res, window->offset);

	/* What lies below 4 GiB on the bus can hold BARs of every kind */
	if (res->end - window->offset > U32_MAX)
		res->flags |= IORESOURCE_MEM_64 | IORESOURCE_PREFETCH;
	return 0;
}

static int request_window(struct fabric *fabric, struct fabric_host *host,
			  struct fabric_window *window)
{
	int ret;

	window->res.name = "peerbuf-fabric";
	window->res.flags = IORESOURCE_MEM;
	if (window->bar >= 0)
		ret = request_bar(fabric, host, window);
	else if (window->anywhere)
		ret = request_anywhere(fabric, host, window);
	else
		ret = request_fixed(fabric, host, window);
	if (!ret)
		ret = settle_offset(fabric, host, window);
	return ret;
}

/**
 * fabric_request_windows() - find and reserve a host bridge's memory windows
 * @fabric: the file
 * @host: whose windows; the function above it, if any, exists
 *
 * Return: 0 or a negative errno, with a message. Undo with
 * fabric_release_windows(), also after an error.
 */
int fabric_request_windows(struct fabric *fabric, struct fabric_host *host)
{
	u64 size = wanted_size(host);
	unsigned int i;
	int ret = 0;

	if (!host->nr_windows && size)
		host->windows[host->nr_windows++] = (struct fabric_window) {
			.size = size,
			.anywhere = true,
			.bar = -1,
		};

	for (i = 0; i < host->nr_windows && !ret; i++)
		ret = request_window(fabric, host, &host->windows[i]);

	return ret;
}

/**
 * fabric_release_windows() - give the addresses back
 * @host: whose windows; nothing is left in them
 */
void fabric_release_windows(struct fabric_host *host)
{
	unsigned int i;

	for (i = 0; i < host->nr_windows; i++)
		if (host->windows[i].res.parent)
			release_resource(&host->windows[i].res);
}
