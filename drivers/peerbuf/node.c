// SPDX-License-Identifier: GPL-2.0-only
/*
 * The provider's node: its owner exports fixed ranges, makes pools, revokes, and
 * may know who holds what.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/seq_file.h>

#include "buffer.h"
#include "holders.h"
#include "lend.h"
#include "node.h"
#include "pool.h"
#include "pool_file.h"
#include "provider.h"

#define POOL_FLAGS	(PEERBUF_POOL_READ_ONLY | PEERBUF_POOL_NO_STATIC | \
			 PEERBUF_POOL_NO_PINNED | PEERBUF_POOL_DIRECT)

static int node_export(struct peerbuf_call *call)
{
	const struct peerbuf_export *arg = call->arg;
	struct peerbuf_source source = {
		.window = peerbuf_provider_window(call->file->private_data,
						  arg->window),
	};

	if (!source.window)
		return -ENOENT;
	/* the caller says where, there is nothing to align */
	if (arg->align)
		return -EINVAL;

	return peerbuf_export_call(call, &source);
}

static struct file *create_pool_file(struct peerbuf_window *window,
				     struct peerbuf_pool_create *arg)
{
	const struct peerbuf_pool_limits limits = {
		.flags = arg->flags,
		.max_buffers = arg->max_buffers,
		.quota = arg->quota,
		.align = arg->align,
	};
	struct peerbuf_pool *pool;
	struct file *file;

	pool = peerbuf_pool_create(window, arg->offset, arg->length, &limits);
	if (IS_ERR(pool))
		return ERR_CAST(pool);

	arg->id = pool->id;
	file = anon_inode_getfile("[peerbuf-pool]", &peerbuf_pool_fops, pool,
				  O_RDWR);
	if (IS_ERR(file)) {
		/* nothing was used, so nothing is cleared and nobody waited for */
		peerbuf_pool_shut(pool);
		peerbuf_pool_settle(pool);
		peerbuf_pool_put(pool);
	}

	return file;
}

static int create_pool(struct peerbuf_call *call,
		       struct peerbuf_provider *provider)
{
	struct peerbuf_pool_create *arg = call->arg;
	struct peerbuf_window *window;
	struct file *file;
	int fd;

	window = peerbuf_provider_window(provider, arg->window);
	if (!window)
		return -ENOENT;

	fd = get_unused_fd_flags(arg->open_flags);
	if (fd < 0)
		return fd;

	file = create_pool_file(window, arg);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}

	arg->fd = fd;
	call->new_fd = fd;
	call->new_file = file;
	return 0;
}

static int node_pool_create(struct peerbuf_call *call)
{
	struct peerbuf_provider *provider = call->file->private_data;
	const struct peerbuf_pool_create *arg = call->arg;
	int ret;

	if (arg->flags & ~POOL_FLAGS)
		return -EOPNOTSUPP;
	if (arg->reserved || arg->reserved2 || arg->open_flags & ~O_CLOEXEC)
		return -EINVAL;

	if (!peerbuf_provider_enter(provider))
		return -ENODEV;

	ret = create_pool(call, provider);
	peerbuf_provider_leave(provider);
	return ret;
}

static int node_revoke(struct peerbuf_call *call)
{
	return peerbuf_revoke_call(call, call->file->private_data, NULL);
}

static int node_pool_revoke(struct peerbuf_call *call)
{
	return peerbuf_pool_revoke_call(call, call->file->private_data);
}

static const struct peerbuf_ioctl node_ioctls[] = {
	PEERBUF_IOCTL(PEERBUF_IOC_EXPORT, struct peerbuf_export, id, true,
		      node_export),
	PEERBUF_IOCTL(PEERBUF_IOC_REVOKE, struct peerbuf_revoke, id, true,
		      node_revoke),
	PEERBUF_IOCTL(PEERBUF_IOC_POOL_CREATE, struct peerbuf_pool_create,
		      reserved, true, node_pool_create),
	PEERBUF_IOCTL(PEERBUF_IOC_POOL_REVOKE, struct peerbuf_pool_revoke, id,
		      true, node_pool_revoke),
	PEERBUF_IOCTL(PEERBUF_IOC_BUFFERS, struct peerbuf_buffers_query,
		      longest_revoke_ns, false, peerbuf_buffers_call),
	PEERBUF_IOCTL(PEERBUF_IOC_HOLDERS, struct peerbuf_holders_query,
		      entry_size, false, peerbuf_holders_call),
};

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, node_ioctls,
			     ARRAY_SIZE(node_ioctls));
}

static int node_open(struct inode *inode, struct file *file)
{
	file->private_data = peerbuf_provider_of_inode(inode);
	return 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	peerbuf_provider_put(file->private_data);
	return 0;
}

static void show_window(struct seq_file *m, struct peerbuf_window *window)
{
	u64 available = peerbuf_window_available(window);

	seq_printf(m, "peerbuf-window%u:\tlength=%llu used=%llu flags=%#x\n",
		   window->index, window->length, window->length - available,
		   window->flags);
}

static void node_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct peerbuf_provider *provider = file->private_data;
	struct peerbuf_pool *pool;
	unsigned int nr_pools = 0;
	unsigned long id;
	unsigned int i;

	seq_printf(m, "peerbuf-provider:\t%s\n", pci_name(provider->pdev));

	mutex_lock(&provider->lock);
	for (i = 0; i < provider->nr_windows; i++)
		show_window(m, provider->windows[i]);
	xa_for_each(&provider->pools, id, pool)
		nr_pools++;
	seq_printf(m, "peerbuf-buffers:\t%u\n", provider->nr_buffers);
	mutex_unlock(&provider->lock);

	seq_printf(m, "peerbuf-pools:\t%u\n", nr_pools);
}

const struct file_operations peerbuf_node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = node_show_fdinfo,
	.llseek = noop_llseek,
};
