// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the part of a window that peerbuf allocates from. Hands out ranges,
 * within the limits of the pool; what a range becomes is for buffers.
 *
 * A pool that is closed, because its file is gone or because it was revoked,
 * hands out no more. Its range goes back to the window when the last piece has
 * come back, which peerbuf_pool_settle() finds, however long its struct lives.
 */
#include <linux/genalloc.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "pool.h"
#include "presence.h"
#include "provider.h"

/*
 * The allocator works on PCI bus addresses, so that alignment means what a
 * device sees. It takes zero for failure, hence a bias that no alignment sees.
 */
#define SPACE_BIAS	BIT(62)
static_assert(BITS_PER_LONG == 64);

/* gen_pool keeps the alignment in an int. */
#define MAX_ALIGN	SZ_1G

static bool is_alignment(u64 align)
{
	return is_power_of_2(align) && align >= PAGE_SIZE && align <= MAX_ALIGN;
}

static unsigned long to_space(struct peerbuf_pool *pool, u64 offset)
{
	return SPACE_BIAS + pool->window->bus + offset;
}

static u64 from_space(struct peerbuf_pool *pool, unsigned long address)
{
	return address - SPACE_BIAS - pool->window->bus;
}

static int check_limits(const struct peerbuf_pool_limits *limits, u64 length)
{
	if (limits->align && !is_alignment(limits->align))
		return -EINVAL;
	if (limits->max_buffers > PEERBUF_POOL_MAX_BUFFERS)
		return -EINVAL;

	return limits->quota ? peerbuf_range_check(0, limits->quota, length) : 0;
}

static void set_limits(struct peerbuf_pool *pool,
		       const struct peerbuf_pool_limits *limits)
{
	pool->limits = *limits;
	if (!pool->limits.quota)
		pool->limits.quota = pool->length;
	if (!pool->limits.max_buffers)
		pool->limits.max_buffers = PEERBUF_POOL_BUFFERS;
	if (!pool->limits.align)
		pool->limits.align = PAGE_SIZE;
}

static int create_space(struct peerbuf_pool *pool)
{
	int ret;

	pool->space = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	if (!pool->space)
		return -ENOMEM;

	ret = gen_pool_add(pool->space, to_space(pool, pool->offset),
			   pool->length, NUMA_NO_NODE);
	if (ret)
		gen_pool_destroy(pool->space);

	return ret;
}

/* Take the range, and a number by which the node's owner finds the pool. */
static int list_pool(struct peerbuf_pool *pool)
{
	struct peerbuf_provider *provider = pool->provider;
	int ret;

	mutex_lock(&provider->lock);
	ret = peerbuf_window_claim(pool->window, &pool->claim, pool->offset,
				   pool->length);
	if (ret)
		goto out;

	pool->id = ++provider->next_pool_id;
	ret = xa_insert(&provider->pools, pool->id, pool, GFP_KERNEL_ACCOUNT);
	if (ret)
		peerbuf_window_unclaim(pool->window, &pool->claim);
out:
	mutex_unlock(&provider->lock);
	return ret;
}

/**
 * peerbuf_pool_create - take a part of a window for allocation
 * @window: which window
 * @offset: start in the window, bytes
 * @length: bytes
 * @limits: of the pool; zeroes for none
 *
 * Context: process, may sleep.
 *
 * Return: the pool, until peerbuf_pool_shut() and peerbuf_pool_put(); or an
 * ERR_PTR of -EINVAL, -EOVERFLOW, -ERANGE (see peerbuf_range_check(), which the
 * limits must pass too), -EBUSY (a part is lent), -ENOMEM.
 */
struct peerbuf_pool *
peerbuf_pool_create(struct peerbuf_window *window, u64 offset, u64 length,
		    const struct peerbuf_pool_limits *limits)
{
	struct peerbuf_pool *pool;
	int ret;

	ret = peerbuf_range_check(offset, length, window->length);
	if (!ret)
		ret = check_limits(limits, length);
	if (ret)
		return ERR_PTR(ret);

	pool = kzalloc_obj(*pool, GFP_KERNEL_ACCOUNT);
	if (!pool)
		return ERR_PTR(-ENOMEM);

	kref_init(&pool->ref);
	init_completion(&pool->returned);
	pool->window = window;
	pool->offset = offset;
	pool->length = length;
	pool->used_first = U64_MAX;
	pool->provider = window->provider;
	set_limits(pool, limits);

	ret = create_space(pool);
	if (ret)
		goto err_free;

	ret = list_pool(pool);
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

/**
 * peerbuf_pool_find - look up a pool by number
 * @provider: whose pool
 * @id: its number
 *
 * Context: process, may sleep.
 *
 * Return: the pool with a reference, or NULL.
 */
struct peerbuf_pool *peerbuf_pool_find(struct peerbuf_provider *provider,
				       u64 id)
{
	struct peerbuf_pool *pool;

	mutex_lock(&provider->lock);
	pool = xa_load(&provider->pools, id);
	/* the last reference goes before the entry does */
	if (pool && !kref_get_unless_zero(&pool->ref))
		pool = NULL;
	mutex_unlock(&provider->lock);

	return pool;
}

/*
 * What the pool's users left behind is not for whoever exports the range next.
 * -EAGAIN: it cannot be cleared while the memory is stopped; -ENOMEM: there is no
 * room to map it, which passes, and who closed the pool cannot be told.
 */
static int clear_used(struct peerbuf_pool *pool)
{
	struct peerbuf_provider *provider = pool->provider;
	int ret;

	if (pool->used_last <= pool->used_first)
		return 0;

	ret = peerbuf_provider_access(provider);
	if (!ret) {
		ret = peerbuf_window_clear(pool->window, pool->used_first,
					   pool->used_last - pool->used_first);
		peerbuf_provider_access_end(provider);
	}
	if (ret && ret != -EAGAIN && ret != -ENOMEM && ret != -ENODEV)
		pci_warn(provider->pdev,
			 "window %u: %#llx-%#llx not cleared after its pool (%d)\n",
			 pool->window->index, pool->used_first,
			 pool->used_last - 1, ret);

	return ret;
}

/* To be ended later, unless there is no later; the range stays taken until then. */
static bool keep_unclean(struct peerbuf_pool *pool, int error)
{
	struct peerbuf_provider *provider = pool->provider;
	bool keep;

	/* who sets it looks at the list afterwards, with this lock */
	mutex_lock(&provider->lock);
	keep = !READ_ONCE(provider->gone);
	if (keep) {
		kref_get(&pool->ref);
		list_add_tail(&pool->unclean, &provider->unclean);
	}
	mutex_unlock(&provider->lock);

	/* unless it is too early, in case that the memory is in use again by now */
	if (keep && error == -ENOMEM)
		peerbuf_presence_begin(provider);
	else if (keep)
		peerbuf_presence_look(provider);
	return keep;
}

static void return_range(struct peerbuf_pool *pool)
{
	int ret = clear_used(pool);

	if ((ret == -EAGAIN || ret == -ENOMEM) && keep_unclean(pool, ret))
		return;

	mutex_lock(&pool->provider->lock);
	peerbuf_window_unclaim(pool->window, &pool->claim);
	mutex_unlock(&pool->provider->lock);
	complete_all(&pool->returned);
}

static void pool_release(struct kref *ref)
{
	struct peerbuf_pool *pool = container_of(ref, struct peerbuf_pool, ref);
	struct peerbuf_provider *provider = pool->provider;

	mutex_lock(&provider->lock);
	xa_erase(&provider->pools, pool->id);
	mutex_unlock(&provider->lock);

	WARN_ON(!completion_done(&pool->returned));
	gen_pool_destroy(pool->space);
	kfree(pool);
	peerbuf_provider_put(provider);
}

/**
 * peerbuf_pool_put - drop a reference
 * @pool: the pool, shut if this is the last one
 *
 * Context: process, may sleep; &peerbuf_provider.lock not held.
 */
void peerbuf_pool_put(struct peerbuf_pool *pool)
{
	kref_put(&pool->ref, pool_release);
}

/**
 * peerbuf_pool_shut - allocate nothing more, for good
 * @pool: the pool
 *
 * What was allocated is not touched: that is for peerbuf_revoke_pool(). A buffer
 * that is being made at this time fails when it is to be published.
 *
 * Context: process, may sleep.
 */
void peerbuf_pool_shut(struct peerbuf_pool *pool)
{
	mutex_lock(&pool->provider->lock);
	pool->closed = true;
	mutex_unlock(&pool->provider->lock);
}

/* Once only, by the first who finds that the pool is at its end. */
static bool begin_return(struct peerbuf_pool *pool)
{
	bool first;

	mutex_lock(&pool->provider->lock);
	first = pool->closed && !pool->used && !pool->returning;
	if (first)
		pool->returning = true;
	mutex_unlock(&pool->provider->lock);

	return first;
}

/**
 * peerbuf_pool_settle - give the range back, if the pool is at its end
 * @pool: a pool that was shut, or to which a range was given back
 *
 * At its end is a pool that was shut and of which nothing is in use. What was
 * used is cleared first.
 *
 * Context: process, may sleep, takes time in proportion to what was used;
 * &peerbuf_provider.hardware and &peerbuf_provider.lock not held.
 */
void peerbuf_pool_settle(struct peerbuf_pool *pool)
{
	if (begin_return(pool))
		return_range(pool);
}

static struct peerbuf_pool *next_unclean(struct peerbuf_provider *provider)
{
	struct peerbuf_pool *pool;

	mutex_lock(&provider->lock);
	pool = list_first_entry_or_null(&provider->unclean, struct peerbuf_pool,
					unclean);
	if (pool)
		list_del(&pool->unclean);
	mutex_unlock(&provider->lock);

	return pool;
}

/**
 * peerbuf_pool_end_unclean - give back the ranges that a stop has kept from it
 * @provider: started again, or gone
 *
 * Context: process, may sleep; no lock of @provider held, nor the last reference.
 */
void peerbuf_pool_end_unclean(struct peerbuf_provider *provider)
{
	struct peerbuf_pool *pool;

	while (!READ_ONCE(provider->stops) || READ_ONCE(provider->gone)) {
		pool = next_unclean(provider);
		if (!pool)
			break;
		return_range(pool);
		peerbuf_pool_put(pool);
	}
}

/**
 * peerbuf_pool_permits - may an export from a pool ask for this?
 * @pool: the pool
 * @flags: %PEERBUF_EXPORT_READ_ONLY and others
 *
 * Context: any.
 *
 * Return: 0, or -EPERM.
 */
int peerbuf_pool_permits(const struct peerbuf_pool *pool, u32 flags)
{
	u32 required = 0, withheld = 0;

	if (pool->limits.flags & PEERBUF_POOL_READ_ONLY)
		required |= PEERBUF_EXPORT_READ_ONLY;
	if (pool->limits.flags & PEERBUF_POOL_DIRECT)
		required |= PEERBUF_EXPORT_DIRECT;
	if (pool->limits.flags & PEERBUF_POOL_NO_STATIC)
		withheld |= PEERBUF_EXPORT_ALLOW_STATIC;
	if (pool->limits.flags & PEERBUF_POOL_NO_PINNED)
		withheld |= PEERBUF_EXPORT_ALLOW_PINNED;

	return flags & withheld || required & ~flags ? -EPERM : 0;
}

/**
 * peerbuf_pool_admit - count a buffer that is going to be made
 * @pool: a pool that the caller has a reference to
 *
 * Counted before anything is allocated for it: the holder of a pool costs the
 * kernel no more than its owner has agreed to.
 *
 * Context: process, may sleep.
 *
 * Return: 0 with a reference, until peerbuf_pool_dismiss(); -ENODEV if the pool
 * was shut; -EDQUOT if there are as many as there may be.
 */
int peerbuf_pool_admit(struct peerbuf_pool *pool)
{
	int ret = 0;

	mutex_lock(&pool->provider->lock);
	if (pool->closed)
		ret = -ENODEV;
	else if (pool->nr_buffers >= pool->limits.max_buffers)
		ret = -EDQUOT;
	else
		pool->nr_buffers++;
	mutex_unlock(&pool->provider->lock);

	if (!ret)
		kref_get(&pool->ref);
	return ret;
}

/**
 * peerbuf_pool_dismiss - undo peerbuf_pool_admit()
 * @pool: the pool; the buffer's reference is dropped
 *
 * Context: process, may sleep; &peerbuf_provider.lock not held.
 */
void peerbuf_pool_dismiss(struct peerbuf_pool *pool)
{
	mutex_lock(&pool->provider->lock);
	pool->nr_buffers--;
	mutex_unlock(&pool->provider->lock);

	peerbuf_pool_put(pool);
}

static unsigned long take_anywhere(struct peerbuf_pool *pool, u64 length,
				   u64 align)
{
	struct genpool_data_align data = {
		.align = max(align, pool->limits.align),
	};

	return gen_pool_alloc_algo(pool->space, length,
				   gen_pool_first_fit_align, &data);
}

/* A quota of all is none: what is missing then is a place. */
static bool is_beyond_quota(const struct peerbuf_pool *pool, u64 length)
{
	return pool->limits.quota < pool->length &&
	       length > pool->limits.quota - pool->used;
}

/* Of the bus address, as for what peerbuf places. */
static bool is_aligned(const struct peerbuf_pool *pool, u64 offset)
{
	return IS_ALIGNED(pool->window->bus + pool->offset + offset,
			  pool->limits.align);
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
 * @align: alignment of the bus address where peerbuf chooses; zero for what the
 *	pool asks for, which is the least in any case
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: 0; -EINVAL, -EOVERFLOW, -ERANGE for bad arguments; -EBUSY if that
 * place is taken; -ENOSPC if no place is left; -EDQUOT if the quota is used up;
 * -ENODEV if the pool was shut.
 */
int peerbuf_pool_take(struct peerbuf_pool *pool, u64 *offset, u64 length,
		      u64 align)
{
	bool anywhere = *offset == PEERBUF_OFFSET_ANY;
	unsigned long address;
	int ret;

	lockdep_assert_held(&pool->provider->lock);

	if (align && !is_alignment(align))
		return -EINVAL;

	ret = peerbuf_range_check(anywhere ? 0 : *offset, length, pool->length);
	if (ret == -ERANGE && anywhere)
		return -ENOSPC;
	if (ret)
		return ret;
	if (!anywhere && !is_aligned(pool, *offset))
		return -EINVAL;
	if (pool->closed)
		return -ENODEV;
	if (is_beyond_quota(pool, length))
		return -EDQUOT;

	address = anywhere ? take_anywhere(pool, length, align) :
			     take_at(pool, *offset, length);
	if (!address)
		return anywhere ? -ENOSPC : -EBUSY;

	*offset = from_space(pool, address);
	pool->used += length;
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
 * peerbuf_pool_settle() follows, when the lock is dropped.
 *
 * Context: process; &peerbuf_provider.lock held. Nobody can reach the range.
 */
void peerbuf_pool_give(struct peerbuf_pool *pool, u64 offset, u64 length)
{
	lockdep_assert_held(&pool->provider->lock);
	gen_pool_free(pool->space, to_space(pool, offset), length);
	pool->used -= length;
}

/**
 * peerbuf_pool_available - how much is left
 * @pool: the pool
 *
 * Context: process; &peerbuf_provider.lock held.
 *
 * Return: bytes that no buffer holds; none once the pool was shut.
 */
u64 peerbuf_pool_available(struct peerbuf_pool *pool)
{
	lockdep_assert_held(&pool->provider->lock);
	return pool->closed ? 0 : gen_pool_avail(pool->space);
}
