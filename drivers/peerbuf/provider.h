/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_PROVIDER_H
#define _PEERBUF_PROVIDER_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/peerbuf.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include "window.h"

/* Six BARs, each with at most two holes (MSI-X table, pending bits). */
#define PEERBUF_MAX_WINDOWS	18

/**
 * struct peerbuf_provider - a PCI function that lends memory
 * @dev: the node; its reference count is the provider's
 * @cdev: the node's file operations
 * @pdev: the function, with a reference
 * @alive: held for reading by whoever touches the hardware or makes something
 *	that can; held for writing to change @gone
 * @gone: unregistered; nothing new may start. Protected by @alive
 * @lock: protects @buffers, @next_id, @pools, @next_pool_id, claims of windows,
 *	and allocators of pools
 * @windows: @nr_windows of them, constant once registered
 * @nr_windows: how many
 * @buffers: every &struct peerbuf_buffer that exists, by id
 * @nr_buffers: how many
 * @next_id: id of the last buffer
 * @pools: every &struct peerbuf_pool that exists, by id
 * @next_pool_id: id of the last pool
 *
 * Lock order, outermost first::
 *
 *	provider->alive
 *	  provider->lock
 *	    dma_resv             (of one buffer; also inside mmap_lock, by faults)
 *
 * No user memory is touched under any of them.
 * Importers hold their own locks around dma_resv as the dma-buf rules say. A
 * revoke waits with none of these held. prime_lock_order() tells lockdep.
 */
struct peerbuf_provider {
	struct device dev;
	struct cdev cdev;
	struct pci_dev *pdev;
	struct rw_semaphore alive;
	bool gone;
	struct mutex lock; /* see @lock above */
	struct peerbuf_window *windows[PEERBUF_MAX_WINDOWS];
	unsigned int nr_windows;
	struct xarray buffers;
	u32 nr_buffers;
	u64 next_id;
	struct xarray pools;
	u64 next_pool_id;
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

int peerbuf_provider_init(void);
void peerbuf_provider_exit(void);

#endif /* _PEERBUF_PROVIDER_H */
