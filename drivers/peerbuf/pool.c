// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the part of a window that peerbuf allocates from. Hands out ranges;
 * what a range becomes is for buffers.
 */
#include <linux/genalloc.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "pool.h"
#include "provider.h"
#include "revoke.h"

/*
 * The allocator works on PCI bus addresses, so that alignment means what a
 * device sees. It takes zero for failure, hence a bias that no alignment sees.
 */
#define SPACE_BIAS	BIT(62)
static_assert(BITS_PER_LONG == 64);

/* gen_pool keeps the alignment in an int. */
#define MAX_ALIGN	SZ_1G

static unsigned long to_space(struct peerbuf_pool *pool, u64 offset)
{
	return SPACE_BIAS + pool->window->bus + offset;
}

static u64 from_space(struct peerbuf_pool *pool, unsigned long address)
{
	return address - SPACE_BIAS - pool->window->bus;
}

static int claim_range(struct peerbuf_pool *pool)
{
	int ret;

	mutex_lock(&pool->provider->lock);
	ret = peerbuf_window_claim(pool->window, &pool->claim, pool->offset,
				   pool->length);
	mutex_unlock(&pool->provider->lock);

	return ret;
}

/**
 * peerbuf_pool_create - take a part of a window for allocation
 * @window: which window
 * @offset: start in the window, bytes
 * @length: bytes
 *
 * Context: process, may sleep.
 *
 * Return: the pool, or an ERR_PTR of -EINVAL, -EOVERFLOW, -ERANGE (see
 * peerbuf_range_check()), -EBUSY (a part is lent), -ENOMEM.
 */
struct peerbuf_pool *peerbuf_pool_create(struct peerbuf_window *window,
					 u64 offset, u64 length)
{
	struct peerbuf_pool *pool;
	int ret;

	ret = peerbuf_range_check(offset, length, window->length);
	if (ret)
		return ERR_PTR(ret);

	pool = kzalloc_obj(*pool, GFP_KERNEL_ACCOUNT);
	if (!pool)
		return ERR_PTR(-ENOMEM);

	kref_init(&pool->ref);
	pool->window = window;
	pool->offset = offset;
	pool->length = length;
	pool->used_first = U64_MAX;
	pool->provider = window->provider;

	pool->space = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool->space) {
		ret = -ENOMEM;
		goto err_free;
	}

	ret = gen_pool_add(pool->space, to_space(pool, offset), length,
			   NUMA_NO_NODE);
	if (ret)
		goto err_space;

	ret = claim_range(pool);
	if (ret)
		goto err_space;

	peerbuf_provider_get(pool->provider);
	return pool;

err_space:
	gen_pool_destroy(pool->space);
err_free:
	kfree(pool);
	return ERR_PTR(ret);
}

/* What the pool's users left behind is not for whoever exports the range next. */
static void clear_used(struct peerbuf_pool *pool)
{
	struct peerbuf_provider *provider = pool->provider;
	int ret;

	if (pool->used_last <= pool->used_first ||
	    !peerbuf_provider_enter(provider))
		return;

	ret = peerbuf_window_clear(pool->window, pool->used_first,
				   pool->used_last - pool->used_first);
	if (ret)
		pci_warn(provider->pdev,
			 "window %u: %#llx-%#llx not cleared after its pool closed (%d)\n",
			 pool->window->index, pool->used_first,
			 pool->used_last - 1, ret);

	peerbuf_provider_leave(provider);
}

static void pool_release(struct kref *ref)
{
	struct peerbuf_pool *pool = container_of(ref, struct peerbuf_pool, ref);
	struct peerbuf_provider *provider = pool->provider;

	clear_used(pool);

	mutex_lock(&provider->lock);
	peerbuf_window_unclaim(pool->window, &pool->claim);
	mutex_unlock(&provider->lock);

	gen_pool_destroy(pool->space);
	kfree(pool);
	peerbuf_provider_put(provider);
}

/**
 * peerbuf_pool_get - take a reference
 * @pool: a pool that the caller has a reference to
 *
 * Context: any.
 */
void peerbuf_pool_get(struct peerbuf_pool *pool)
{
	kref_get(&pool->ref);
}

/**
 * peerbuf_pool_put - drop a reference
 * @pool: the pool
 *
 * The last one clears what was used and returns the range to the window.
 *
 * Context: process, may sleep; &peerbuf_provider.alive and
 * &peerbuf_provider.lock not held.
 */
void peerbuf_pool_put(struct peerbuf_pool *pool)
{
	kref_put(&pool->ref, pool_release);
}

/**
 * peerbuf_pool_close - the last descriptor of a pool is gone
 * @pool: the pool; drops the file's reference
 *
 * Context: process, may sleep.
 */
void peerbuf_pool_close(struct peerbuf_pool *pool)
{
	mutex_lock(&pool->provider->lock);
	pool->closed = true;
	mutex_unlock(&pool->provider->lock);

	peerbuf_revoke_pool(pool);
	peerbuf_pool_put(pool);
}

static unsigned long take_anywhere(struct peerbuf_pool *pool, u64 length,
				   u64 align)
{
	struct genpool_data_align data = { .align = align };

	return gen_pool_alloc_algo(pool->space, length,
				   gen_pool_first_fit_align, &data);
}

static unsigned long take_at(struct peerbuf_pool *pool, u64 offset, u64 length)
{
	struct genpool_data_fixed data = { .offset = offset };

	return gen_pool_alloc_algo(pool->space, length, gen_pool_fixed_alloc,
				   &data);
}

/**
 * peerbuf_pool_take - allocate a range
 * @pool: the pool
 * @offset: in: offset in the pool, or %PEERBUF_OFFSET_ANY; out: offset in the
 *	window
 * @length: bytes
 * @align: alignment of the bus address where peerbuf chooses; zero for a page
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: 0; -EINVAL, -EOVERFLOW, -ERANGE for bad arguments; -EBUSY if that
 * place is taken; -ENOSPC if no place is left; -ENODEV if the pool was closed.
 */
int peerbuf_pool_take(struct peerbuf_pool *pool, u64 *offset, u64 length,
		      u64 align)
{
	bool anywhere = *offset == PEERBUF_OFFSET_ANY;
	unsigned long address;
	int ret;

	lockdep_assert_held(&pool->provider->lock);

	if (align && (!is_power_of_2(align) || align < PAGE_SIZE ||
		      align > MAX_ALIGN))
		return -EINVAL;

	ret = peerbuf_range_check(anywhere ? 0 : *offset, length, pool->length);
	if (ret == -ERANGE && anywhere)
		return -ENOSPC;
	if (ret)
		return ret;
	if (pool->closed)
		return -ENODEV;

	address = anywhere ? take_anywhere(pool, length, align ?: PAGE_SIZE) :
			     take_at(pool, *offset, length);
	if (!address)
		return anywhere ? -ENOSPC : -EBUSY;

	*offset = from_space(pool, address);
	pool->used_first = min(pool->used_first, *offset);
	pool->used_last = max(pool->used_last, *offset + length);
	return 0;
}

/**
 * peerbuf_pool_give - return a range
 * @pool: the pool
 * @offset: from peerbuf_pool_take(), offset in the window
 * @length: bytes
 *
 * Context: process; &peerbuf_provider.lock held. Nobody can reach the range.
 */
void peerbuf_pool_give(struct peerbuf_pool *pool, u64 offset, u64 length)
{
	lockdep_assert_held(&pool->provider->lock);
	gen_pool_free(pool->space, to_space(pool, offset), length);
}

/**
 * peerbuf_pool_available - how much is left
 * @pool: the pool
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: bytes that no buffer holds.
 */
u64 peerbuf_pool_available(struct peerbuf_pool *pool)
{
	lockdep_assert_held(&pool->provider->lock);
	return gen_pool_avail(pool->space);
}
