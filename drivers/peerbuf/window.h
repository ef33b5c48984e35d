/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_WINDOW_H
#define _PEERBUF_WINDOW_H

#include <linux/interval_tree.h>
#include <linux/io.h>
#include <linux/kobject.h>
#include <linux/rbtree.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

#include "counters.h"

struct dmem_cgroup_region;
struct peerbuf_provider;

/**
 * struct peerbuf_window - a range of one BAR that may be lent
 * @kobj: its directory in sysfs, and its reference count
 * @provider: whose memory it is
 * @index: number of the window
 * @bar: number of the BAR
 * @flags: %PEERBUF_WINDOW_PREFETCHABLE
 * @bar_offset: where the window starts in the BAR
 * @length: bytes
 * @phys: CPU physical address
 * @bus: PCI bus address, which a host bridge may have offset from @phys
 * @probe: mapping of the first page, read to push posted writes; NULL where
 *	reads may have side effects
 * @allow_static: the administrator admits static importers
 * @memtype_reserved: the range is reserved as write-combined
 * @claims: what is lent, in pages; protected by &peerbuf_provider.lock
 * @region: what the dmem cgroup controller knows it by, or NULL
 * @counters: what has happened
 *
 * All but @claims, @counters and @allow_static is constant from registration to
 * release of the provider, except that @probe and @region are valid only while
 * the provider is alive.
 */
struct peerbuf_window {
	struct kobject kobj;
	struct peerbuf_provider *provider;
	unsigned int index;
	int bar;
	u32 flags;
	u64 bar_offset;
	u64 length;
	phys_addr_t phys;
	u64 bus;
	void __iomem *probe;
	bool allow_static;
	bool memtype_reserved;
	struct rb_root_cached claims;
	struct dmem_cgroup_region *region;
	struct peerbuf_counters counters;
};

/**
 * struct peerbuf_claim - a range of a window that is lent
 * @node: place in &peerbuf_window.claims, first and last page
 * @shared: may overlap claims that are shared too
 */
struct peerbuf_claim {
	struct interval_tree_node node;
	bool shared;
};

extern const struct kobj_type peerbuf_window_ktype;

struct peerbuf_window *peerbuf_window_create(struct peerbuf_provider *provider,
					     int bar, u64 offset, u64 length);
void peerbuf_window_destroy(struct peerbuf_window *window);
int peerbuf_window_enable(struct peerbuf_window *window);
void peerbuf_window_disable(struct peerbuf_window *window);

int peerbuf_window_claim(struct peerbuf_window *window,
			 struct peerbuf_claim *claim, u64 offset, u64 length);
void peerbuf_window_unclaim(struct peerbuf_window *window,
			    struct peerbuf_claim *claim);
u64 peerbuf_window_available(struct peerbuf_window *window);

int peerbuf_range_check(u64 offset, u64 length, u64 limit);
int peerbuf_window_clear(struct peerbuf_window *window, u64 offset, u64 length);
void peerbuf_window_flush(struct peerbuf_window *window);

static inline bool peerbuf_window_prefetchable(const struct peerbuf_window *w)
{
	return w->flags & PEERBUF_WINDOW_PREFETCHABLE;
}

static inline void __iomem *
peerbuf_window_map(const struct peerbuf_window *window, u64 offset, u64 length)
{
	if (peerbuf_window_prefetchable(window))
		return ioremap_wc(window->phys + offset, length);

	return ioremap(window->phys + offset, length);
}

#endif /* _PEERBUF_WINDOW_H */
