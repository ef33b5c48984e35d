// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file behind a pool's descriptor: whoever holds it may allocate from the
 * pool, and from nothing else.
 */
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>

#include "buffer.h"
#include "lend.h"
#include "pool.h"
#include "pool_file.h"
#include "provider.h"
#include "topology.h"

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

static int pool_info(struct peerbuf_call *call)
{
	struct peerbuf_pool *pool = call->file->private_data;
	struct peerbuf_pool_info *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;

	arg->provider = peerbuf_pci_function(pool->provider->pdev);
	arg->window = pool->window->index;
	arg->offset = pool->offset;
	arg->length = pool->length;

	mutex_lock(&pool->provider->lock);
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

static int pool_file_release(struct inode *inode, struct file *file)
{
	peerbuf_pool_close(file->private_data);
	return 0;
}

const struct file_operations peerbuf_pool_fops = {
	.owner = THIS_MODULE,
	.release = pool_file_release,
	.unlocked_ioctl = pool_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
