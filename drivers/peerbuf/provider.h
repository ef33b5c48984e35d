/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_PROVIDER_H
#define _PEERBUF_PROVIDER_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/peerbuf.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "window.h"

struct dentry;

/* Six BARs, each with at most two holes (MSI-X table, pending bits). */
#define PEERBUF_MAX_WINDOWS	18

/**
 * struct peerbuf_provider - a PCI function that lends memory
 * @dev: the node; its reference count is the provider's
 * @cdev: the node's file operations
 * @pdev: the function, with a reference
 * @lifecycle: held while the memory is stopped or started, or the provider ends
 * @alive: held for reading by whoever needs the provider to stay registered;
 *	held for writing by its end
 * @hardware: held for reading by whoever touches the memory or makes a buffer;
 *	held for writing to wait for them, see peerbuf_provider_access()
 * @gone: unregistered or failed; nothing new may start. Set once, under
 *	@lifecycle and @hardware
 * @stops: mask of &enum peerbuf_stop; not zero while the memory is stopped.
 *	Changed under @lifecycle and @lock; who sees zero under @hardware may rely
 *	on it until then, except that a stop has begun to wait for him
 * @lossy: contents may be lost in this stop; protected by @lifecycle
 * @generation: see &struct peerbuf_event; protected by @lifecycle and
 *	@hardware, which no stop passes
 * @stopped_at: when the stop began, boot time; protected by @lifecycle
 * @unclean: pools that ended while nothing could be cleared; protected by @lock
 * @upkeep: looks after the memory while there are buffers: presence.c
 * @lock: protects @buffers, @nr_held, @next_id, @pools, @next_pool_id, claims of
 *	windows, and allocators of pools
 * @windows: @nr_windows of them, constant once registered
 * @nr_windows: how many
 * @buffers: every &struct peerbuf_buffer that exists, by id
 * @nr_buffers: how many
 * @nr_held: how many of them have not given their memory back
 * @next_id: id of the last buffer
 * @pools: every &struct peerbuf_pool that exists, by id
 * @next_pool_id: id of the last pool
 * @longest_revoke_ns: of all its buffers; protected by @lock
 * @debugfs: its directory there
 *
 * Lock order, outermost first::
 *
 *	provider->lifecycle
 *	  provider->alive
 *	    provider->hardware
 *	      provider->lock
 *	        dma_resv         (of one buffer; also inside mmap_lock, by faults)
 *
 * No user memory is touched under any of them.
 * Importers hold their own locks around dma_resv as the dma-buf rules say. A
 * revoke waits with none of these held, a stop with @lifecycle, for a limited
 * time. prime_lock_order() tells lockdep.
 */
struct peerbuf_provider {
	struct device dev;
	struct cdev cdev;
	struct pci_dev *pdev;
	struct mutex lifecycle; /* see @lifecycle above */
	struct rw_semaphore alive;
	struct rw_semaphore hardware;
	bool gone;
	unsigned int stops;
	bool lossy;
	u64 generation;
	ktime_t stopped_at;
	struct list_head unclean;
	struct delayed_work upkeep;
	struct mutex lock; /* see @lock above */
	struct peerbuf_window *windows[PEERBUF_MAX_WINDOWS];
	unsigned int nr_windows;
	struct xarray buffers;
	u32 nr_buffers;
	u32 nr_held;
	u64 next_id;
	struct xarray pools;
	u64 next_pool_id;
	u64 longest_revoke_ns;
	struct dentry *debugfs;
};

struct peerbuf_provider *peerbuf_provider_get(struct peerbuf_provider *p);
struct peerbuf_provider *
peerbuf_provider_find(const struct peerbuf_function *function);
void peerbuf_provider_visit_all(void (*visit)(struct peerbuf_provider *provider,
					      void *data),
				void *data);
struct peerbuf_provider *peerbuf_provider_of_inode(struct inode *inode);
struct peerbuf_window *peerbuf_provider_window(struct peerbuf_provider *p,
					       u32 index);
bool peerbuf_provider_enter(struct peerbuf_provider *provider);
void peerbuf_provider_leave(struct peerbuf_provider *provider);
int peerbuf_provider_access(struct peerbuf_provider *provider);
void peerbuf_provider_access_end(struct peerbuf_provider *provider);

int peerbuf_provider_init(void);
void peerbuf_provider_exit(void);

#endif /* _PEERBUF_PROVIDER_H */
