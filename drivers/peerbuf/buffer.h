/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_BUFFER_H
#define _PEERBUF_BUFFER_H

#include <linux/dma-buf.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "account.h"
#include "window.h"

struct dmem_cgroup_pool_state;
struct peerbuf_pool;
struct peerbuf_provider;
struct peerbuf_status;

/**
 * struct peerbuf_extent - one range of a buffer
 * @offset: start in the window
 * @length: bytes
 * @taken: the range is ours; protected by &peerbuf_provider.lock
 * @claim: for a fixed buffer, its place among the window's claims
 */
struct peerbuf_extent {
	u64 offset;
	u64 length;
	bool taken;
	struct peerbuf_claim claim;
};

/**
 * struct peerbuf_buffer - memory that is lent as one dma-buf
 * @dmabuf: the dma-buf, whose release ends the buffer; no reference
 * @inode: the dma-buf's inode, with a reference: CPU mappings are found by it
 * @provider: whose memory it is, with a reference
 * @window: which window
 * @pool: where it was allocated, with a reference; NULL for a fixed buffer
 * @id: number, unique for the provider
 * @flags: %PEERBUF_EXPORT_SHARED and others
 * @length: bytes, all extents together
 * @nr_extents: how many
 * @held: the memory is ours, and the device stays awake for it; protected by
 *	&peerbuf_provider.lock
 * @state: &enum peerbuf_state; changed under the dma-buf's dma_resv, and never
 *	once revoked
 * @status: what watches are told, with a reference
 * @users: DMA and kernel mappings that exist; written under dma_resv, and read
 *	without it by who waits for their end
 * @revocable: those of @users that importers give back when told; likewise
 * @named: the kernel's own mapping was named by a stop; protected by dma_resv
 * @holds: revokes that are looking at the buffer, which its end waits for;
 *	written under &peerbuf_provider.lock; that wait reads it without
 * @idle: woken when @users, @revocable or @holds becomes zero
 * @reclaim: gives the memory back when @users of a revoked buffer becomes zero
 * @account: who made it, and how its revoke went
 * @charge: the cgroup that it is charged to, until the memory goes back
 * @extents: the memory; constant
 */
struct peerbuf_buffer {
	struct dma_buf *dmabuf;
	struct inode *inode;
	struct peerbuf_provider *provider;
	struct peerbuf_window *window;
	struct peerbuf_pool *pool;
	u64 id;
	u32 flags;
	u64 length;
	u32 nr_extents;
	bool held;
	u8 state;
	struct peerbuf_status *status;
	unsigned int users;
	unsigned int revocable;
	bool named;
	unsigned int holds;
	wait_queue_head_t idle;
	struct work_struct reclaim;
	struct peerbuf_account account;
	struct dmem_cgroup_pool_state *charge;
	struct peerbuf_extent extents[] __counted_by(nr_extents);
};

/**
 * struct peerbuf_source - where a new buffer's memory comes from
 * @window: which window
 * @pool: allocate here; NULL for a fixed buffer
 * @align: alignment of what the pool places
 * @flags: %PEERBUF_EXPORT_SHARED and others
 * @open_flags: for the dma-buf's file
 */
struct peerbuf_source {
	struct peerbuf_window *window;
	struct peerbuf_pool *pool;
	u64 align;
	u32 flags;
	u32 open_flags;
};

struct peerbuf_buffer *peerbuf_buffer_create(const struct peerbuf_source *source,
					     const struct peerbuf_range *ranges,
					     u32 nr_ranges);
void peerbuf_buffer_destroy(struct peerbuf_buffer *buffer);
void peerbuf_buffer_reclaim(struct peerbuf_buffer *buffer);
void peerbuf_buffer_unuse(struct peerbuf_buffer *buffer);
struct peerbuf_buffer *peerbuf_buffer_hold(struct peerbuf_provider *provider,
					   u64 id);
struct peerbuf_buffer *peerbuf_buffer_hold_next(struct peerbuf_provider *p,
						unsigned long *id);
void peerbuf_buffer_unhold(struct peerbuf_buffer *buffer);
u64 peerbuf_buffer_last_phys(const struct peerbuf_buffer *buffer);
int peerbuf_buffer_locate(const struct peerbuf_buffer *buffer, u64 offset,
			  phys_addr_t *phys);

/**
 * peerbuf_buffer_usable - may anything new be mapped
 * @buffer: the buffer
 *
 * Context: any; the answer holds for as long as the caller holds the dma-buf's
 * dma_resv.
 *
 * Return: 0; -ENODEV, never again; -EAGAIN, not now.
 */
static inline int peerbuf_buffer_usable(const struct peerbuf_buffer *buffer)
{
	u8 state = READ_ONCE(buffer->state);

	if (likely(state == PEERBUF_STATE_IN_USE))
		return 0;

	return state == PEERBUF_STATE_REVOKED ? -ENODEV : -EAGAIN;
}

#endif /* _PEERBUF_BUFFER_H */
