// SPDX-License-Identifier: GPL-2.0-only
/*
 * The provider's node: its owner exports fixed ranges, makes pools, revokes.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/peerbuf.h>

#include "buffer.h"
#include "lend.h"
#include "node.h"
#include "pool.h"
#include "pool_file.h"
#include "provider.h"

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

static int create_pool(struct peerbuf_call *call,
		       struct peerbuf_provider *provider)
{
	struct peerbuf_pool_create *arg = call->arg;
	struct peerbuf_window *window;
	struct peerbuf_pool *pool;
	struct file *file;
	int fd;

	window = peerbuf_provider_window(provider, arg->window);
	if (!window)
		return -ENOENT;

	fd = get_unused_fd_flags(arg->open_flags);
	if (fd < 0)
		return fd;

	pool = peerbuf_pool_create(window, arg->offset, arg->length);
	if (IS_ERR(pool)) {
		put_unused_fd(fd);
		return PTR_ERR(pool);
	}

	file = anon_inode_getfile("[peerbuf-pool]", &peerbuf_pool_fops, pool,
				  O_RDWR);
	if (IS_ERR(file)) {
		peerbuf_pool_put(pool);
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

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved || arg->open_flags & ~O_CLOEXEC)
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

static const struct peerbuf_ioctl node_ioctls[] = {
	PEERBUF_IOCTL(PEERBUF_IOC_EXPORT, struct peerbuf_export, id, true,
		      node_export),
	PEERBUF_IOCTL(PEERBUF_IOC_REVOKE, struct peerbuf_revoke, id, true,
		      node_revoke),
	PEERBUF_IOCTL(PEERBUF_IOC_POOL_CREATE, struct peerbuf_pool_create,
		      reserved, true, node_pool_create),
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

const struct file_operations peerbuf_node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
