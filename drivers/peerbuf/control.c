// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control node: what everybody may ask. Changes nothing, lends nothing.
 */
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "control.h"
#include "export.h"
#include "provider.h"
#include "query.h"
#include "topology.h"
#include "watch.h"

static int control_version(struct peerbuf_call *call)
{
	struct peerbuf_version *arg = call->arg;

	if (arg->flags)
		return -EOPNOTSUPP;

	arg->abi = PEERBUF_ABI;
	arg->max_ranges = PEERBUF_MAX_RANGES;
	return 0;
}

static int control_provider(struct peerbuf_call *call)
{
	struct peerbuf_provider_info *arg = call->arg;
	struct peerbuf_provider *provider;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->provider.reserved)
		return -EINVAL;

	provider = peerbuf_provider_find(&arg->provider);
	if (!provider)
		return -ENODEV;

	arg->nr_windows = provider->nr_windows;
	mutex_lock(&provider->lock);
	arg->nr_buffers = provider->nr_buffers;
	mutex_unlock(&provider->lock);

	peerbuf_provider_put(provider);
	return 0;
}

static int describe_window(struct peerbuf_provider *provider,
			   struct peerbuf_window_info *arg)
{
	struct peerbuf_window *window;

	window = peerbuf_provider_window(provider, arg->index);
	if (!window)
		return -ENOENT;

	arg->flags = window->flags;
	arg->bar = window->bar;
	arg->bar_offset = window->bar_offset;
	arg->length = window->length;
	arg->phys = window->phys;
	arg->bus = window->bus;

	mutex_lock(&provider->lock);
	arg->available = peerbuf_window_available(window);
	mutex_unlock(&provider->lock);
	return 0;
}

static int control_window(struct peerbuf_call *call)
{
	struct peerbuf_window_info *arg = call->arg;
	struct peerbuf_provider *provider;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->provider.reserved)
		return -EINVAL;

	provider = peerbuf_provider_find(&arg->provider);
	if (!provider)
		return -ENODEV;

	ret = describe_window(provider, arg);
	peerbuf_provider_put(provider);
	return ret;
}

static int copy_ranges(const struct peerbuf_buffer *buffer,
		       const struct peerbuf_buffer_info *arg)
{
	struct peerbuf_range __user *uranges = u64_to_user_ptr(arg->ranges);
	struct peerbuf_range range;
	u32 i;

	if (!arg->ranges)
		return 0;
	if (arg->nr_ranges < buffer->nr_extents)
		return -ENOSPC;

	for (i = 0; i < buffer->nr_extents; i++) {
		range.offset = buffer->extents[i].offset;
		range.length = buffer->extents[i].length;
		if (copy_to_user(&uranges[i], &range, sizeof(range)))
			return -EFAULT;
	}

	return 0;
}

static int describe_buffer(const struct peerbuf_buffer *buffer,
			   struct peerbuf_buffer_info *arg)
{
	struct peerbuf_event event = peerbuf_status_read(buffer->status);
	int ret;

	ret = copy_ranges(buffer, arg);
	if (ret)
		return ret;

	if (event.state == PEERBUF_STATE_REVOKED)
		arg->flags |= PEERBUF_BUFFER_REVOKED;
	if (event.state == PEERBUF_STATE_STOPPED)
		arg->flags |= PEERBUF_BUFFER_STOPPED;
	if (buffer->pool)
		arg->flags |= PEERBUF_BUFFER_POOLED;
	if (buffer->flags & PEERBUF_EXPORT_READ_ONLY)
		arg->flags |= PEERBUF_BUFFER_READ_ONLY;
	arg->window = buffer->window->index;
	arg->provider = peerbuf_pci_function(buffer->provider->pdev);
	arg->id = buffer->id;
	arg->length = buffer->length;
	arg->nr_ranges = buffer->nr_extents;
	arg->generation = event.generation;
	return 0;
}

static int control_buffer(struct peerbuf_call *call)
{
	struct peerbuf_buffer_info *arg = call->arg;
	struct peerbuf_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved || (!arg->ranges && arg->nr_ranges))
		return -EINVAL;

	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buffer = peerbuf_buffer_of_dmabuf(dmabuf);
	ret = buffer ? describe_buffer(buffer, arg) : -EINVAL;
	dma_buf_put(dmabuf);
	return ret;
}

static const struct peerbuf_ioctl control_ioctls[] = {
	PEERBUF_IOCTL(PEERBUF_IOC_VERSION, struct peerbuf_version, max_ranges,
		      false, control_version),
	PEERBUF_IOCTL(PEERBUF_IOC_PROVIDER, struct peerbuf_provider_info,
		      nr_buffers, false, control_provider),
	PEERBUF_IOCTL(PEERBUF_IOC_WINDOW, struct peerbuf_window_info, bus,
		      false, control_window),
	PEERBUF_IOCTL(PEERBUF_IOC_ROUTE, struct peerbuf_route_query, verdict,
		      false, peerbuf_query_route),
	PEERBUF_IOCTL(PEERBUF_IOC_BUFFER, struct peerbuf_buffer_info, reserved,
		      false, control_buffer),
	PEERBUF_IOCTL(PEERBUF_IOC_PATH, struct peerbuf_path_query, host, false,
		      peerbuf_query_path),
	PEERBUF_IOCTL(PEERBUF_IOC_ROUTES, struct peerbuf_routes_query, reserved,
		      false, peerbuf_query_routes),
	PEERBUF_IOCTL(PEERBUF_IOC_WATCH, struct peerbuf_watch, generation,
		      false, peerbuf_watch_call),
};

static long control_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, control_ioctls,
			     ARRAY_SIZE(control_ioctls));
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "peerbuf-control",
	.nodename = "peerbuf/control",
	.mode = 0666,
	.fops = &control_fops,
};

/**
 * peerbuf_control_init - make /dev/peerbuf/control
 *
 * Context: module init.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_control_init(void)
{
	return misc_register(&control_device);
}

/**
 * peerbuf_control_exit - undo peerbuf_control_init()
 *
 * Context: module exit.
 */
void peerbuf_control_exit(void)
{
	misc_deregister(&control_device);
}
