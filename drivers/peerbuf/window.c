// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: which parts of a BAR may be lent, and which are. Knows ranges and
 * the memory behind them; who holds a range, and why, is for pools and buffers.
 */
#include <kunit/visibility.h>
#include <linux/align.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "provider.h"
#include "trace.h"
#include "window.h"

/* How much is mapped at a time to clear it: bounds kernel address space. */
#define CLEAR_CHUNK	SZ_4M

/* How much is cleared before others may run: a slow BAR takes its time. */
#define CLEAR_STEP	SZ_64K

/**
 * peerbuf_range_check - is a range usable and within bounds
 * @offset: start of the range, bytes
 * @length: length of the range, bytes
 * @limit: length of what it must lie in, bytes
 *
 * Context: any.
 *
 * Return: 0; -EINVAL if empty or not page aligned; -EOVERFLOW if the sum does
 * not fit; -ERANGE if it reaches beyond @limit.
 */
int peerbuf_range_check(u64 offset, u64 length, u64 limit)
{
	if (!length || !PAGE_ALIGNED(offset) || !PAGE_ALIGNED(length))
		return -EINVAL;

	return peerbuf_check_bounds(offset, length, limit);
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_range_check);

/**
 * peerbuf_window_create - describe a window of a BAR
 * @provider: whose BAR it is
 * @bar: number of the BAR
 * @offset: start in the BAR, bytes
 * @length: bytes
 *
 * Context: process, may sleep. Touches no hardware.
 *
 * Return: the window; an ERR_PTR of -EINVAL, -EOVERFLOW, -ERANGE or -ENOMEM.
 */
struct peerbuf_window *peerbuf_window_create(struct peerbuf_provider *provider,
					     int bar, u64 offset, u64 length)
{
	struct pci_dev *pdev = provider->pdev;
	struct peerbuf_window *window;
	int ret;

	if (bar < 0 || bar >= PCI_STD_NUM_BARS ||
	    !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return ERR_PTR(-EINVAL);

	/* A page that the BAR shares with a neighbour is not ours to lend. */
	if (!PAGE_ALIGNED(pci_resource_start(pdev, bar)))
		return ERR_PTR(-EINVAL);

	ret = peerbuf_range_check(offset, length, pci_resource_len(pdev, bar));
	if (ret)
		return ERR_PTR(ret);

	window = kzalloc_obj(*window);
	if (!window)
		return ERR_PTR(-ENOMEM);

	kobject_init(&window->kobj, &peerbuf_window_ktype);
	window->provider = provider;
	window->bar = bar;
	window->bar_offset = offset;
	window->length = length;
	window->phys = pci_resource_start(pdev, bar) + offset;
	window->bus = pci_bus_address(pdev, bar) + offset;
	window->claims = RB_ROOT_CACHED;
	if (pci_resource_flags(pdev, bar) & IORESOURCE_PREFETCH)
		window->flags |= PEERBUF_WINDOW_PREFETCHABLE;

	return window;
}

/**
 * peerbuf_window_destroy - let go of a window
 * @window: disabled, nothing lent
 *
 * Context: any.
 */
void peerbuf_window_destroy(struct peerbuf_window *window)
{
	WARN_ON(!RB_EMPTY_ROOT(&window->claims.rb_root));
	kobject_put(&window->kobj);
}

/**
 * peerbuf_window_enable - prepare the memory for use
 * @window: a new or disabled window of a device whose memory decoding is on
 *
 * User mappings inherit the cache mode that the range is reserved with: without
 * the reservation x86 hands out uncached ones (arch/x86/mm/pat/memtype.c).
 *
 * Context: process, may sleep.
 *
 * Return: 0 or -ENOMEM, -EBUSY (the range is in use with another cache mode).
 */
int peerbuf_window_enable(struct peerbuf_window *window)
{
	int ret;

	if (!peerbuf_window_prefetchable(window))
		return 0;

	ret = arch_io_reserve_memtype_wc(window->phys, window->length);
	if (ret)
		return ret;
	window->memtype_reserved = true;

	window->probe = peerbuf_window_map(window, 0, PAGE_SIZE);
	if (!window->probe) {
		peerbuf_window_disable(window);
		return -ENOMEM;
	}

	return 0;
}

/**
 * peerbuf_window_disable - undo peerbuf_window_enable()
 * @window: a window that nobody can reach any more
 *
 * Context: process, may sleep.
 */
void peerbuf_window_disable(struct peerbuf_window *window)
{
	if (window->probe)
		iounmap(window->probe);
	window->probe = NULL;

	if (window->memtype_reserved)
		arch_io_free_memtype_wc(window->phys, window->length);
	window->memtype_reserved = false;
}

/**
 * peerbuf_window_claim - take a range for one use
 * @window: the window
 * @claim: kept by the caller until peerbuf_window_unclaim(); @claim->shared set
 * @offset: start in the window, checked by peerbuf_range_check()
 * @length: bytes
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: 0, or -EBUSY if the range overlaps one and not both are shared.
 */
int peerbuf_window_claim(struct peerbuf_window *window,
			 struct peerbuf_claim *claim, u64 offset, u64 length)
{
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = (offset + length - 1) >> PAGE_SHIFT;
	struct interval_tree_node *node;

	lockdep_assert_held(&window->provider->lock);

	for (node = interval_tree_iter_first(&window->claims, first, last);
	     node; node = interval_tree_iter_next(node, first, last))
		if (!claim->shared ||
		    !container_of(node, struct peerbuf_claim, node)->shared)
			return -EBUSY;

	claim->node.start = first;
	claim->node.last = last;
	interval_tree_insert(&claim->node, &window->claims);
	return 0;
}

/**
 * peerbuf_window_unclaim - give a range back
 * @window: the window
 * @claim: from peerbuf_window_claim()
 *
 * Context: process; &peerbuf_provider.lock held.
 */
void peerbuf_window_unclaim(struct peerbuf_window *window,
			    struct peerbuf_claim *claim)
{
	lockdep_assert_held(&window->provider->lock);
	interval_tree_remove(&claim->node, &window->claims);
}

/**
 * peerbuf_window_available - how much is not lent
 * @window: the window
 *
 * Shared ranges that overlap count once. Cost grows with the number of claims.
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: bytes that no claim covers.
 */
u64 peerbuf_window_available(struct peerbuf_window *window)
{
	struct interval_tree_node *node;
	unsigned long next = 0;
	u64 taken = 0;

	lockdep_assert_held(&window->provider->lock);

	/* In order of start, so @next is the first page not counted yet. */
	for (node = interval_tree_iter_first(&window->claims, 0, ULONG_MAX);
	     node; node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		if (node->last < next)
			continue;
		taken += node->last - max(node->start, next) + 1;
		next = node->last + 1;
	}

	return window->length - (taken << PAGE_SHIFT);
}

static bool stop_waits(const struct peerbuf_window *window)
{
	return READ_ONCE(window->provider->stops);
}

static int clear_chunk(struct peerbuf_window *window, u64 offset, size_t length)
{
	void __iomem *mem = peerbuf_window_map(window, offset, length);
	size_t done, step;

	if (!mem)
		return -ENOMEM;

	for (done = 0; done < length && !stop_waits(window); done += step) {
		step = min_t(size_t, length - done, CLEAR_STEP);
		memset_io(mem + done, 0, step);
		cond_resched();
	}

	iounmap(mem);
	return done < length ? -EAGAIN : 0;
}

/**
 * peerbuf_window_clear - zero a range, before somebody new gets it
 * @window: the window
 * @offset: start in the window
 * @length: bytes
 *
 * On return the zeroes have reached the device: a peer's write that comes after
 * cannot be overtaken by them.
 *
 * Context: process, may sleep, takes time in proportion to @length.
 * Within peerbuf_provider_access(); ends early for a stop.
 *
 * Return: 0, -ENOMEM or -EAGAIN (a stop has begun).
 */
int peerbuf_window_clear(struct peerbuf_window *window, u64 offset, u64 length)
{
	size_t step;
	int ret;

	lockdep_assert_held_read(&window->provider->hardware);
	trace_peerbuf_clear(window, offset, length);

	for (; length; offset += step, length -= step) {
		step = min_t(u64, length, CLEAR_CHUNK);
		ret = clear_chunk(window, offset, step);
		if (ret)
			return ret;
	}

	peerbuf_window_flush(window);
	return 0;
}

/**
 * peerbuf_window_flush - push the CPU's posted writes into the device
 * @window: the window
 *
 * A read does not pass a write on the same way (PCIe 6.0, 2.4.1). Memory that
 * may react to reads is left alone; config space of the same function does as
 * well.
 *
 * Context: process; within peerbuf_provider_access().
 */
void peerbuf_window_flush(struct peerbuf_window *window)
{
	u16 vendor;

	/* drain write-combining buffers first */
	wmb();

	if (window->probe)
		readl(window->probe);
	else
		pci_read_config_word(window->provider->pdev, PCI_VENDOR_ID,
				     &vendor);
}
