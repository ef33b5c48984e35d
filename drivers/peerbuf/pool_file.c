// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file behind a pool's descriptor: whoever holds it may allocate from the
 * pool within its limits, revoke what was allocated, and do nothing else.
 */
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/seq_file.h>

#include "buffer.h"
#include "lend.h"
#include "pool.h"
#include "pool_file.h"
#include "provider.h"
#include "revoke.h"
#include "topology.h"

/* How long the last close waits for the pool's buffers. */
#define CLOSE_WAIT	(1 * HZ)

static int pool_export(struct peerbuf_call *call)
{
	struct peerbuf_pool *pool = call->file->private_data;
	const struct peerbuf_export *arg = call->arg;
	struct peerbuf_source source = {
		.window = pool->window,
		.pool = pool,
	};

	/* the pool says where; its ranges have one owner each */
	if (arg->window || arg->flags & PEERBUF_EXPORT_SHARED)
		return -EINVAL;

	return peerbuf_export_call(call, &source);
}

static int pool_revoke(struct peerbuf_call *call)
{
	struct peerbuf_pool *pool = call->file->private_data;

	return peerbuf_revoke_call(call, pool->provider, pool);
}

static u32 pool_flags(const struct peerbuf_pool *pool)
{
	lockdep_assert_held(&pool->provider->lock);
	return pool->limits.flags | (pool->closed ? PEERBUF_POOL_REVOKED : 0);
}

static int pool_info(struct peerbuf_call *call)
{
	struct peerbuf_pool *pool = call->file->private_data;
	const struct peerbuf_pool_limits *limits = &pool->limits;
	struct peerbuf_pool_info *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;

	arg->provider = peerbuf_pci_function(pool->provider->pdev);
	arg->window = pool->window->index;
	arg->offset = pool->offset;
	arg->length = pool->length;
	arg->id = pool->id;
	arg->quota = limits->quota;
	arg->align = limits->align;
	arg->max_buffers = limits->max_buffers;

	mutex_lock(&pool->provider->lock);
	arg->flags = pool_flags(pool);
	arg->used = pool->used;
	arg->nr_buffers = pool->nr_buffers;
	arg->available = peerbuf_pool_available(pool);
	mutex_unlock(&pool->provider->lock);
	return 0;
}

static const struct peerbuf_ioctl pool_ioctls[] = {
	PEERBUF_IOCTL(PEERBUF_IOC_EXPORT, struct peerbuf_export, id, true,
		      pool_export),
	PEERBUF_IOCTL(PEERBUF_IOC_REVOKE, struct peerbuf_revoke, id, true,
		      pool_revoke),
	PEERBUF_IOCTL(PEERBUF_IOC_POOL_INFO, struct peerbuf_pool_info,
		      available, false, pool_info),
};

static long pool_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, pool_ioctls,
			     ARRAY_SIZE(pool_ioctls));
}

/*
 * Waits a second at most, because it may be a dying process that closes. Memory
 * that is in use longer goes back when its dma-buf ends.
 */
static int pool_file_release(struct inode *inode, struct file *file)
{
	struct peerbuf_pool *pool = file->private_data;

	peerbuf_revoke_pool(pool, false, CLOSE_WAIT);
	peerbuf_pool_put(pool);
	return 0;
}

static void pool_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct peerbuf_pool *pool = file->private_data;
	u32 flags, nr_buffers;
	u64 used;

	mutex_lock(&pool->provider->lock);
	flags = pool_flags(pool);
	nr_buffers = pool->nr_buffers;
	used = pool->used;
	mutex_unlock(&pool->provider->lock);

	seq_printf(m, "peerbuf-provider:\t%s\n",
		   pci_name(pool->provider->pdev));
	seq_printf(m, "peerbuf-pool:\t%llu\n", pool->id);
	seq_printf(m, "peerbuf-window:\t%u\n", pool->window->index);
	seq_printf(m, "peerbuf-offset:\t%llu\n", pool->offset);
	seq_printf(m, "peerbuf-length:\t%llu\n", pool->length);
	seq_printf(m, "peerbuf-quota:\t%llu\n", pool->limits.quota);
	seq_printf(m, "peerbuf-used:\t%llu\n", used);
	seq_printf(m, "peerbuf-align:\t%llu\n", pool->limits.align);
	seq_printf(m, "peerbuf-buffers:\t%u\n", nr_buffers);
	seq_printf(m, "peerbuf-max-buffers:\t%u\n", pool->limits.max_buffers);
	seq_printf(m, "peerbuf-flags:\t%#x\n", flags);
}

const struct file_operations peerbuf_pool_fops = {
	.owner = THIS_MODULE,
	.release = pool_file_release,
	.unlocked_ioctl = pool_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = pool_show_fdinfo,
	.llseek = noop_llseek,
};
