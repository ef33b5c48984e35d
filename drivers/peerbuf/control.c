// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control node: what everybody may ask. Changes nothing, lends nothing.
 */
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "control.h"
#include "export.h"
#include "provider.h"
#include "topology.h"

/* Every bridge on the way has a bus number of its own below it. */
#define MAX_PORTS	256

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

static struct pci_dev *find_function(const struct peerbuf_function *function)
{
	return pci_get_domain_bus_and_slot(function->domain, function->bus,
					   function->devfn);
}

/* No buffer is asked about, so the addresses are those of all memory BARs. */
static void add_addresses(struct pci_dev *provider, struct peerbuf_facts *facts)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(provider, bar) & IORESOURCE_MEM) ||
		    !pci_resource_len(provider, bar))
			continue;
		facts->phys_last = max_t(u64, facts->phys_last,
					 pci_resource_end(provider, bar));
		facts->bus_offset = pci_bus_address(provider, bar) -
				    pci_resource_start(provider, bar);
	}
}

static int query_route(struct pci_dev *provider, struct pci_dev *importer,
		       struct peerbuf_verdict *verdict)
{
	struct peerbuf_facts facts = { .class = PEERBUF_CLASS_REVOCABLE };
	int ret;

	add_addresses(provider, &facts);
	ret = peerbuf_topology_read(provider, &importer->dev, &facts);
	if (!ret)
		peerbuf_route(&facts, verdict);
	peerbuf_topology_free(&facts);

	return ret;
}

static int control_route(struct peerbuf_call *call)
{
	struct peerbuf_route_query *arg = call->arg;
	struct pci_dev *provider, *importer;
	int ret = -ENXIO;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->provider.reserved || arg->importer.reserved)
		return -EINVAL;

	provider = find_function(&arg->provider);
	importer = find_function(&arg->importer);
	if (provider && importer)
		ret = query_route(provider, importer, &arg->verdict);

	pci_dev_put(importer);
	pci_dev_put(provider);
	return ret;
}

static int describe_path(struct pci_dev *pdev, struct peerbuf_path_query *arg)
{
	u32 room = min_t(u32, arg->nr_ports, MAX_PORTS);
	struct peerbuf_port_info *ports;
	int ret;

	ports = kcalloc(room, sizeof(*ports), GFP_KERNEL);
	if (!ports)
		return -ENOMEM;

	ret = peerbuf_topology_describe(pdev, ports, &room, &arg->host);
	arg->nr_ports = room;
	if (!ret && copy_to_user(u64_to_user_ptr(arg->ports), ports,
				 room * sizeof(*ports)))
		ret = -EFAULT;

	kfree(ports);
	return ret;
}

static int control_path(struct peerbuf_call *call)
{
	struct peerbuf_path_query *arg = call->arg;
	struct pci_dev *pdev;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->function.reserved || arg->reserved)
		return -EINVAL;
	if (!arg->nr_ports)
		return -ENOSPC;

	pdev = find_function(&arg->function);
	if (!pdev)
		return -ENXIO;

	ret = describe_path(pdev, arg);
	pci_dev_put(pdev);
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
	int ret;

	ret = copy_ranges(buffer, arg);
	if (ret)
		return ret;

	if (READ_ONCE(buffer->revoked))
		arg->flags |= PEERBUF_BUFFER_REVOKED;
	if (buffer->pool)
		arg->flags |= PEERBUF_BUFFER_POOLED;
	arg->window = buffer->window->index;
	arg->provider = peerbuf_pci_function(buffer->provider->pdev);
	arg->id = buffer->id;
	arg->length = buffer->length;
	arg->nr_ranges = buffer->nr_extents;
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
		      false, control_route),
	PEERBUF_IOCTL(PEERBUF_IOC_BUFFER, struct peerbuf_buffer_info, reserved,
		      false, control_buffer),
	PEERBUF_IOCTL(PEERBUF_IOC_PATH, struct peerbuf_path_query, host, false,
		      control_path),
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
