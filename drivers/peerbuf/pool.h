/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_POOL_H
#define _PEERBUF_POOL_H

#include <linux/kref.h>
#include <linux/types.h>

#include "window.h"

struct gen_pool;
struct peerbuf_provider;

/**
 * struct peerbuf_pool - a part of a window that peerbuf allocates from
 * @ref: held by the pool's file and by each buffer from it
 * @provider: whose memory it is, with a reference
 * @window: which window
 * @offset: start in the window
 * @length: bytes
 * @claim: keeps others off the range; protected by &peerbuf_provider.lock
 * @space: the allocator, in terms of @window offsets biased by SPACE_BIAS;
 *	protected by &peerbuf_provider.lock
 * @used_first: lowest offset that was ever handed out
 * @used_last: end of the highest range that was ever handed out; what lies
 *	between must be cleared when the pool ends. Protected as @space
 * @nr_buffers: buffers from this pool that exist; protected as @space
 * @closed: the file is gone, nothing more is allocated; protected as @space
 */
struct peerbuf_pool {
	struct kref ref;
	struct peerbuf_provider *provider;
	struct peerbuf_window *window;
	u64 offset;
	u64 length;
	struct peerbuf_claim claim;
	struct gen_pool *space;
	u64 used_first;
	u64 used_last;
	u32 nr_buffers;
	bool closed;
};

struct peerbuf_pool *peerbuf_pool_create(struct peerbuf_window *window,
					 u64 offset, u64 length);
void peerbuf_pool_get(struct peerbuf_pool *pool);
void peerbuf_pool_put(struct peerbuf_pool *pool);
void peerbuf_pool_close(struct peerbuf_pool *pool);

int peerbuf_pool_take(struct peerbuf_pool *pool, u64 *offset, u64 length,
		      u64 align);
void peerbuf_pool_give(struct peerbuf_pool *pool, u64 offset, u64 length);
u64 peerbuf_pool_available(struct peerbuf_pool *pool);

#endif /* _PEERBUF_POOL_H */
