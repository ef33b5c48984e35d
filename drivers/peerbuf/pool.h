/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_POOL_H
#define _PEERBUF_POOL_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/types.h>

#include "window.h"

struct gen_pool;
struct peerbuf_provider;

/**
 * struct peerbuf_pool_limits - what a pool's holder may do with it
 * @flags: %PEERBUF_POOL_READ_ONLY and others
 * @max_buffers: most buffers that exist at once
 * @quota: most bytes that buffers hold at once
 * @align: least alignment of a range's bus address
 */
struct peerbuf_pool_limits {
	u32 flags;
	u32 max_buffers;
	u64 quota;
	u64 align;
};

/**
 * struct peerbuf_pool - a part of a window that peerbuf allocates from
 * @ref: held by the pool's file and by each buffer from it
 * @provider: whose memory it is, with a reference
 * @window: which window
 * @id: number, unique for the provider
 * @offset: start in the window
 * @length: bytes
 * @limits: constant
 * @claim: keeps others off the range until @returned; protected by
 *	&peerbuf_provider.lock
 * @space: the allocator, in terms of @window offsets biased by SPACE_BIAS;
 *	protected by &peerbuf_provider.lock
 * @used_first: lowest offset that was ever handed out
 * @used_last: end of the highest range that was ever handed out; what lies
 *	between must be cleared when the pool ends. Protected as @space
 * @used: bytes that are handed out; protected as @space
 * @nr_buffers: buffers from this pool that exist; protected as @space
 * @closed: revoked, or the file is gone: nothing more is allocated. Set once;
 *	protected as @space
 * @returning: somebody clears the range and gives it back; protected as @space
 * @returned: completed when the range is the window's again
 * @unclean: in &peerbuf_provider.unclean, with a reference, while the range is to
 *	be given back, but cannot be cleared
 */
struct peerbuf_pool {
	struct kref ref;
	struct peerbuf_provider *provider;
	struct peerbuf_window *window;
	u64 id;
	u64 offset;
	u64 length;
	struct peerbuf_pool_limits limits;
	struct peerbuf_claim claim;
	struct gen_pool *space;
	u64 used_first;
	u64 used_last;
	u64 used;
	u32 nr_buffers;
	bool closed;
	bool returning;
	struct completion returned;
	struct list_head unclean;
};

struct peerbuf_pool *
peerbuf_pool_create(struct peerbuf_window *window, u64 offset, u64 length,
		    const struct peerbuf_pool_limits *limits);
struct peerbuf_pool *peerbuf_pool_find(struct peerbuf_provider *provider,
				       u64 id);
void peerbuf_pool_put(struct peerbuf_pool *pool);
void peerbuf_pool_shut(struct peerbuf_pool *pool);
void peerbuf_pool_settle(struct peerbuf_pool *pool);
void peerbuf_pool_end_unclean(struct peerbuf_provider *provider);

int peerbuf_pool_permits(const struct peerbuf_pool *pool, u32 flags);
int peerbuf_pool_admit(struct peerbuf_pool *pool);
void peerbuf_pool_dismiss(struct peerbuf_pool *pool);
int peerbuf_pool_take(struct peerbuf_pool *pool, u64 *offset, u64 length,
		      u64 align);
void peerbuf_pool_give(struct peerbuf_pool *pool, u64 offset, u64 length);
u64 peerbuf_pool_available(struct peerbuf_pool *pool);

#endif /* _PEERBUF_POOL_H */
