// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: memory taken from a window or a pool, made into one dma-buf. Who
 * holds the dma-buf holds the buffer; its release gives the memory back.
 */
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/overflow.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "account.h"
#include "buffer.h"
#include "dmem.h"
#include "export.h"
#include "pool.h"
#include "presence.h"
#include "provider.h"
#include "watch.h"

/* How long fences are waited for when all mappings are gone. */
#define RECLAIM_WAIT	(10 * HZ)

static int take_extent(struct peerbuf_buffer *buffer,
		       struct peerbuf_extent *extent, u64 align)
{
	int ret;

	if (buffer->pool) {
		ret = peerbuf_pool_take(buffer->pool, &extent->offset,
					extent->length, align);
	} else {
		extent->claim.shared = buffer->flags & PEERBUF_EXPORT_SHARED;
		ret = peerbuf_window_claim(buffer->window, &extent->claim,
					   extent->offset, extent->length);
	}

	extent->taken = !ret;
	if (!ret)
		atomic64_add(extent->length, &buffer->window->counters.lent);
	return ret;
}

static void give_extent(struct peerbuf_buffer *buffer,
			struct peerbuf_extent *extent)
{
	if (!extent->taken)
		return;

	if (buffer->pool)
		peerbuf_pool_give(buffer->pool, extent->offset, extent->length);
	else
		peerbuf_window_unclaim(buffer->window, &extent->claim);
	extent->taken = false;
	atomic64_sub(extent->length, &buffer->window->counters.lent);
}

/*
 * A device that sleeps forgets, and map is not the place to wake it: it stays
 * awake for as long as there is something that could be mapped.
 */
static void hold_awake(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;

	/* it is awake now, for peerbuf_provider_access() */
	pm_runtime_get_noresume(&provider->pdev->dev);

	mutex_lock(&provider->lock);
	buffer->held = true;
	provider->nr_held++;
	mutex_unlock(&provider->lock);
}

static void let_sleep(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;

	lockdep_assert_held(&provider->lock);
	if (!buffer->held)
		return;

	buffer->held = false;
	provider->nr_held--;
	pm_runtime_put(&provider->pdev->dev);
}

static void give_extents_locked(struct peerbuf_buffer *buffer)
{
	u32 i;

	for (i = 0; i < buffer->nr_extents; i++)
		give_extent(buffer, &buffer->extents[i]);
	let_sleep(buffer);
}

static void give_extents(struct peerbuf_buffer *buffer)
{
	mutex_lock(&buffer->provider->lock);
	give_extents_locked(buffer);
	mutex_unlock(&buffer->provider->lock);
}

/*
 * All or none. Places that the caller chose come first, so that ours do not take
 * them.
 */
static int take_extents(struct peerbuf_buffer *buffer, u64 align)
{
	struct peerbuf_extent *extent;
	int pass, ret = 0;
	u32 i;

	mutex_lock(&buffer->provider->lock);
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < buffer->nr_extents && !ret; i++) {
			extent = &buffer->extents[i];
			if (extent->taken ||
			    (!pass && extent->offset == PEERBUF_OFFSET_ANY))
				continue;
			ret = take_extent(buffer, extent, align);
		}
	}
	if (ret)
		give_extents_locked(buffer);
	mutex_unlock(&buffer->provider->lock);

	return ret;
}

/**
 * peerbuf_buffer_reclaim - give the memory back
 * @buffer: nobody can reach it: revoked and drained, or at its end
 *
 * Context: process, may sleep; &peerbuf_provider.hardware not held. Calling again
 * does nothing.
 */
void peerbuf_buffer_reclaim(struct peerbuf_buffer *buffer)
{
	give_extents(buffer);
	peerbuf_dmem_uncharge(buffer);
	if (buffer->pool)
		peerbuf_pool_settle(buffer->pool);
}

/*
 * A revoke that nobody waits for any more, after a signal or because it was told
 * not to. Whose mappings are gone has its fences signalled, or about to be.
 */
static void reclaim_work(struct work_struct *work)
{
	struct peerbuf_buffer *buffer =
		container_of(work, struct peerbuf_buffer, reclaim);

	if (dma_resv_wait_timeout(buffer->dmabuf->resv,
				  DMA_RESV_USAGE_BOOKKEEP, false,
				  RECLAIM_WAIT) > 0) {
		peerbuf_account_revoked(buffer);
		peerbuf_buffer_reclaim(buffer);
	}
}

/**
 * peerbuf_buffer_unuse - DMA or a kernel mapping has ended
 * @buffer: whose &peerbuf_buffer.users counted it
 *
 * Context: process; the dma-buf's dma_resv held.
 */
void peerbuf_buffer_unuse(struct peerbuf_buffer *buffer)
{
	dma_resv_assert_held(buffer->dmabuf->resv);

	WRITE_ONCE(buffer->users, buffer->users - 1);
	if (buffer->users)
		return;

	peerbuf_account_drained(buffer);
	wake_up_all(&buffer->idle);
	/* the lock that it takes is outside of the one that is held here */
	if (buffer->state == PEERBUF_STATE_REVOKED)
		queue_work(system_dfl_wq, &buffer->reclaim);
}

/* Bounds are checked before anything is taken, so that errors have no effects. */
static int check_ranges(const struct peerbuf_source *source,
			const struct peerbuf_range *ranges, u32 nr, u64 *total)
{
	u64 limit = source->pool ? source->pool->length : source->window->length;
	bool anywhere;
	u64 offset;
	u32 i;
	int ret;

	*total = 0;
	for (i = 0; i < nr; i++) {
		anywhere = source->pool &&
			   ranges[i].offset == PEERBUF_OFFSET_ANY;
		offset = anywhere ? 0 : ranges[i].offset;

		ret = peerbuf_range_check(offset, ranges[i].length, limit);
		if (ret)
			return ret == -ERANGE && anywhere ? -ENOSPC : ret;
		if (check_add_overflow(*total, ranges[i].length, total))
			return -EOVERFLOW;
	}

	/* a dma-buf's size is a size_t, and mmap() wants it signed */
	return *total > S64_MAX ? -EOVERFLOW : 0;
}

static struct peerbuf_buffer *alloc_buffer(const struct peerbuf_source *source,
					   const struct peerbuf_range *ranges,
					   u32 nr)
{
	struct peerbuf_buffer *buffer;
	int ret;
	u32 i;

	ret = source->pool ? peerbuf_pool_admit(source->pool) : 0;
	if (ret)
		return ERR_PTR(ret);

	buffer = kvzalloc(struct_size(buffer, extents, nr), GFP_KERNEL_ACCOUNT);
	if (buffer)
		buffer->status =
			peerbuf_status_create(source->window->provider);
	if (!buffer || !buffer->status) {
		kvfree(buffer);
		if (source->pool)
			peerbuf_pool_dismiss(source->pool);
		return ERR_PTR(-ENOMEM);
	}

	buffer->nr_extents = nr;
	buffer->window = source->window;
	buffer->pool = source->pool;
	buffer->flags = source->flags;
	buffer->provider = peerbuf_provider_get(source->window->provider);
	init_waitqueue_head(&buffer->idle);
	peerbuf_account_begin(buffer);
	INIT_WORK(&buffer->reclaim, reclaim_work);

	for (i = 0; i < nr; i++) {
		buffer->extents[i].offset = ranges[i].offset;
		buffer->extents[i].length = ranges[i].length;
	}

	return buffer;
}

static void free_buffer(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;

	if (buffer->pool)
		peerbuf_pool_dismiss(buffer->pool);
	peerbuf_status_put(buffer->status);
	peerbuf_dmem_uncharge(buffer);
	peerbuf_account_end(buffer);
	kvfree(buffer);
	peerbuf_provider_put(provider);
}

/* The pool's last owner wrote there; nobody sees the memory before this. */
static int clear_extents(struct peerbuf_buffer *buffer)
{
	u32 i;
	int ret;

	for (i = 0; i < buffer->nr_extents; i++) {
		ret = peerbuf_window_clear(buffer->window,
					   buffer->extents[i].offset,
					   buffer->extents[i].length);
		if (ret)
			return ret;
	}

	return 0;
}

/* Reserve a number, so that listing the buffer later cannot fail. */
static int reserve_id(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;
	int ret;

	mutex_lock(&provider->lock);
	buffer->id = ++provider->next_id;
	ret = xa_reserve(&provider->buffers, buffer->id, GFP_KERNEL_ACCOUNT);
	if (!ret)
		provider->nr_buffers++;
	mutex_unlock(&provider->lock);

	return ret;
}

static void release_id(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;

	mutex_lock(&provider->lock);
	xa_erase(&provider->buffers, buffer->id);
	provider->nr_buffers--;
	mutex_unlock(&provider->lock);
}

static int prepare_buffer(struct peerbuf_buffer *buffer, u64 align)
{
	int ret;

	hold_awake(buffer);
	ret = take_extents(buffer, align);
	if (ret)
		return ret;

	if (buffer->pool)
		ret = clear_extents(buffer);
	if (!ret)
		ret = reserve_id(buffer);
	if (ret)
		give_extents(buffer);

	return ret;
}

/* From here on it can be revoked; so a pool that was shut before has it not. */
static int publish_buffer(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;
	int ret = 0;

	buffer->status->id = buffer->id;
	mutex_lock(&provider->lock);
	if (buffer->pool && buffer->pool->closed)
		ret = -ENODEV;
	else
		xa_store(&provider->buffers, buffer->id, buffer, GFP_KERNEL);
	mutex_unlock(&provider->lock);

	if (!ret)
		peerbuf_presence_begin(provider);
	return ret;
}

/**
 * peerbuf_buffer_create - take memory and make a dma-buf of it
 * @source: where the memory comes from
 * @ranges: what to take
 * @nr_ranges: 1 to %PEERBUF_MAX_RANGES
 *
 * Context: process, may sleep; within peerbuf_provider_access(). After a failure
 * on a pool, peerbuf_pool_settle() follows when that has ended.
 *
 * Return: the buffer, which lives until its @dmabuf's last reference, of which
 * the caller has one; or an ERR_PTR of -EINVAL, -EOVERFLOW, -ERANGE, -EBUSY,
 * -ENOSPC, -EDQUOT, -ENODEV (pool shut), -EAGAIN (a stop has begun), -ENOMEM,
 * and then nothing has changed.
 */
struct peerbuf_buffer *peerbuf_buffer_create(const struct peerbuf_source *source,
					     const struct peerbuf_range *ranges,
					     u32 nr_ranges)
{
	struct peerbuf_buffer *buffer;
	u64 length;
	int ret;

	ret = check_ranges(source, ranges, nr_ranges, &length);
	if (ret)
		return ERR_PTR(ret);

	buffer = alloc_buffer(source, ranges, nr_ranges);
	if (IS_ERR(buffer))
		return buffer;
	buffer->length = length;

	ret = peerbuf_dmem_charge(buffer);
	if (!ret)
		ret = prepare_buffer(buffer, source->align);
	if (ret)
		goto err_free;

	ret = peerbuf_export(buffer, source->open_flags);
	if (ret)
		goto err_release;

	ret = publish_buffer(buffer);
	if (ret) {
		/* it is the dma-buf's by now, whose release undoes the rest */
		dma_buf_put(buffer->dmabuf);
		return ERR_PTR(ret);
	}

	atomic64_inc(&buffer->window->counters.exports);
	return buffer;

err_release:
	release_id(buffer);
	give_extents(buffer);
err_free:
	free_buffer(buffer);
	return ERR_PTR(ret);
}

/**
 * peerbuf_buffer_destroy - the dma-buf's last reference is gone
 * @buffer: no attachment, no mapping, no descriptor is left
 *
 * Context: process, may sleep; dma_buf_ops.release.
 */
void peerbuf_buffer_destroy(struct peerbuf_buffer *buffer)
{
	release_id(buffer);
	wait_event(buffer->idle, !READ_ONCE(buffer->holds));
	cancel_work_sync(&buffer->reclaim);
	peerbuf_account_revoked(buffer);
	/* takes the lock under which the last hold was dropped */
	peerbuf_buffer_reclaim(buffer);
	peerbuf_status_set_state(buffer->status, PEERBUF_STATE_REVOKED);
	iput(buffer->inode);
	free_buffer(buffer);
}

/**
 * peerbuf_buffer_hold - look up a buffer by number and keep it from ending
 * @provider: whose buffer
 * @id: its number
 *
 * A hold instead of a file reference: a struct file can be recycled while its
 * dentry, and with it the dma-buf, is still kept by a reader of /proc.
 *
 * Context: process, may sleep.
 *
 * Return: the buffer, until peerbuf_buffer_unhold(), or NULL.
 */
struct peerbuf_buffer *peerbuf_buffer_hold(struct peerbuf_provider *provider,
					   u64 id)
{
	struct peerbuf_buffer *buffer;

	mutex_lock(&provider->lock);
	buffer = xa_load(&provider->buffers, id);
	if (buffer)
		WRITE_ONCE(buffer->holds, buffer->holds + 1);
	mutex_unlock(&provider->lock);

	return buffer;
}

/**
 * peerbuf_buffer_hold_next - walk the buffers of a provider
 * @provider: whose buffers
 * @id: in: number to begin with; out: number of the buffer
 *
 * Context: process, may sleep.
 *
 * Return: the first buffer from @id on, until peerbuf_buffer_unhold(), or NULL.
 */
struct peerbuf_buffer *
peerbuf_buffer_hold_next(struct peerbuf_provider *provider, unsigned long *id)
{
	struct peerbuf_buffer *buffer;

	mutex_lock(&provider->lock);
	buffer = xa_find(&provider->buffers, id, ULONG_MAX, XA_PRESENT);
	if (buffer)
		WRITE_ONCE(buffer->holds, buffer->holds + 1);
	mutex_unlock(&provider->lock);

	return buffer;
}

/**
 * peerbuf_buffer_unhold - let a buffer end
 * @buffer: from peerbuf_buffer_hold() or peerbuf_buffer_hold_next()
 *
 * Context: process, may sleep.
 */
void peerbuf_buffer_unhold(struct peerbuf_buffer *buffer)
{
	struct peerbuf_provider *provider = buffer->provider;

	/* the buffer may take its provider along */
	peerbuf_provider_get(provider);
	mutex_lock(&provider->lock);
	WRITE_ONCE(buffer->holds, buffer->holds - 1);
	if (!buffer->holds)
		wake_up_all(&buffer->idle);
	mutex_unlock(&provider->lock);
	peerbuf_provider_put(provider);
}

/**
 * peerbuf_buffer_last_phys - the highest address of a buffer
 * @buffer: the buffer
 *
 * Context: any.
 *
 * Return: CPU physical address of the last byte of the highest extent.
 */
u64 peerbuf_buffer_last_phys(const struct peerbuf_buffer *buffer)
{
	u64 end = 0;
	u32 i;

	for (i = 0; i < buffer->nr_extents; i++)
		end = max(end, buffer->extents[i].offset +
			       buffer->extents[i].length);

	return buffer->window->phys + end - 1;
}

/**
 * peerbuf_buffer_locate - find the memory behind an offset
 * @buffer: the buffer
 * @offset: bytes from the start of the dma-buf
 * @phys: set to the CPU physical address
 *
 * Context: any.
 *
 * Return: 0, or -ERANGE beyond the buffer.
 */
int peerbuf_buffer_locate(const struct peerbuf_buffer *buffer, u64 offset,
			  phys_addr_t *phys)
{
	const struct peerbuf_extent *extent;
	u32 i;

	for (i = 0; i < buffer->nr_extents; i++) {
		extent = &buffer->extents[i];
		if (offset < extent->length) {
			*phys = buffer->window->phys + extent->offset + offset;
			return 0;
		}
		offset -= extent->length;
	}

	return -ERANGE;
}
