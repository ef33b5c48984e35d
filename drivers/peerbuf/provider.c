// SPDX-License-Identifier: GPL-2.0-only
/*
 * Providers: the PCI functions that lend memory, their nodes, and when they end.
 */
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "debugfs.h"
#include "dmem.h"
#include "node.h"
#include "pool.h"
#include "presence.h"
#include "provider.h"
#include "revoke.h"
#include "topology.h"

/* Minor numbers; a machine with more providers than this has other problems. */
#define PEERBUF_MINORS	4096

static dev_t peerbuf_devt;
static DEFINE_IDA(peerbuf_minors);

static char *provider_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "peerbuf/%s", dev_name(dev));
}

static const struct class peerbuf_class = {
	.name = "peerbuf",
	.devnode = provider_devnode,
};

static struct peerbuf_provider *to_provider(struct device *dev)
{
	return container_of(dev, struct peerbuf_provider, dev);
}

static void provider_release(struct device *dev)
{
	struct peerbuf_provider *provider = to_provider(dev);
	unsigned int i;

	for (i = 0; i < provider->nr_windows; i++)
		peerbuf_window_destroy(provider->windows[i]);

	WARN_ON(!xa_empty(&provider->buffers));
	xa_destroy(&provider->buffers);
	WARN_ON(!xa_empty(&provider->pools));
	xa_destroy(&provider->pools);
	mutex_destroy(&provider->lock);
	mutex_destroy(&provider->lifecycle);
	ida_free(&peerbuf_minors, MINOR(dev->devt));
	pci_dev_put(provider->pdev);
	kfree(provider);
}

/* Lets lockdep know the order that provider.h promises, before any race does. */
static void prime_lock_order(struct peerbuf_provider *provider)
{
	struct dma_resv resv;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;

	dma_resv_init(&resv);
	mutex_lock(&provider->lifecycle);
	down_read(&provider->alive);
	down_read(&provider->hardware);
	mutex_lock(&provider->lock);
	dma_resv_lock(&resv, NULL);
	dma_resv_unlock(&resv);
	mutex_unlock(&provider->lock);
	up_read(&provider->hardware);
	up_read(&provider->alive);
	mutex_unlock(&provider->lifecycle);
	dma_resv_fini(&resv);
}

/**
 * peerbuf_provider_alloc - begin to make a PCI function a provider
 * @pdev: the function; its driver is the caller and has enabled its memory
 *
 * Context: process, may sleep.
 *
 * Return: a provider without windows, unknown to users, to be given back by
 * peerbuf_provider_put(); or an ERR_PTR of -ENOMEM, -ENOSPC (out of minors).
 */
struct peerbuf_provider *peerbuf_provider_alloc(struct pci_dev *pdev)
{
	struct peerbuf_provider *provider;
	int minor, ret;

	provider = kzalloc_obj(*provider);
	if (!provider)
		return ERR_PTR(-ENOMEM);

	minor = ida_alloc_max(&peerbuf_minors, PEERBUF_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(provider);
		return ERR_PTR(minor);
	}

	provider->pdev = pci_dev_get(pdev);
	mutex_init(&provider->lifecycle);
	init_rwsem(&provider->alive);
	init_rwsem(&provider->hardware);
	mutex_init(&provider->lock);
	provider->generation = 1;
	INIT_LIST_HEAD(&provider->unclean);
	peerbuf_presence_init(provider);
	xa_init(&provider->buffers);
	xa_init(&provider->pools);
	cdev_init(&provider->cdev, &peerbuf_node_fops);
	provider->cdev.owner = THIS_MODULE;

	device_initialize(&provider->dev);
	provider->dev.class = &peerbuf_class;
	provider->dev.parent = &pdev->dev;
	provider->dev.release = provider_release;
	provider->dev.devt = MKDEV(MAJOR(peerbuf_devt), minor);

	prime_lock_order(provider);

	ret = dev_set_name(&provider->dev, "%s", pci_name(pdev));
	if (ret) {
		put_device(&provider->dev);
		return ERR_PTR(ret);
	}

	return provider;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_alloc, "PEERBUF");

/**
 * peerbuf_provider_add_window - lend a range of a BAR
 * @provider: not registered yet
 * @bar: number of a memory BAR, 0 to 5
 * @offset: start in the BAR, bytes, page aligned
 * @length: bytes, page aligned
 *
 * The range must hold nothing that a stranger's DMA can turn into harm for the
 * system: no MSI-X table or pending bits, no doorbells. Windows are numbered
 * from 0 in the order of the calls.
 *
 * Context: process, may sleep.
 *
 * Return: 0; -EINVAL (no such memory BAR, unaligned), -ERANGE or -EOVERFLOW
 * (beyond the BAR), -ENOSPC (too many windows), -ENOMEM.
 */
int peerbuf_provider_add_window(struct peerbuf_provider *provider, int bar,
				u64 offset, u64 length)
{
	struct peerbuf_window *window;

	if (provider->nr_windows == PEERBUF_MAX_WINDOWS)
		return -ENOSPC;

	window = peerbuf_window_create(provider, bar, offset, length);
	if (IS_ERR(window))
		return PTR_ERR(window);

	window->index = provider->nr_windows;
	provider->windows[provider->nr_windows++] = window;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_add_window, "PEERBUF");

static void disable_windows(struct peerbuf_provider *provider)
{
	unsigned int i;

	for (i = 0; i < provider->nr_windows; i++)
		peerbuf_window_disable(provider->windows[i]);
}

static int enable_windows(struct peerbuf_provider *provider)
{
	unsigned int i;
	int ret;

	for (i = 0; i < provider->nr_windows; i++) {
		ret = peerbuf_window_enable(provider->windows[i]);
		if (ret) {
			disable_windows(provider);
			return ret;
		}
	}

	return 0;
}

/* The first @nr, which are shown: what was never added cannot be taken away. */
static void hide_windows(struct peerbuf_provider *provider, unsigned int nr)
{
	while (nr--)
		kobject_del(&provider->windows[nr]->kobj);
}

static int show_windows(struct peerbuf_provider *provider)
{
	unsigned int i;
	int ret;

	for (i = 0; i < provider->nr_windows; i++) {
		ret = kobject_add(&provider->windows[i]->kobj,
				  &provider->dev.kobj, "window%u", i);
		if (ret) {
			hide_windows(provider, i);
			return ret;
		}
	}

	return 0;
}

/**
 * peerbuf_provider_register - let users have the windows
 * @provider: with all its windows added
 *
 * Makes the node /dev/peerbuf/<function>.
 *
 * Context: process, may sleep; the probe of the provider's driver.
 *
 * Return: 0 or a negative errno, after which peerbuf_provider_put() remains.
 */
int peerbuf_provider_register(struct peerbuf_provider *provider)
{
	int ret;

	ret = enable_windows(provider);
	if (ret)
		return ret;

	ret = peerbuf_dmem_register(provider);
	if (ret)
		goto err_disable;

	ret = cdev_device_add(&provider->cdev, &provider->dev);
	if (ret)
		goto err_dmem;

	ret = show_windows(provider);
	if (ret)
		goto err_del;

	peerbuf_debugfs_add(provider);
	return 0;

err_del:
	cdev_device_del(&provider->cdev, &provider->dev);
err_dmem:
	peerbuf_dmem_unregister(provider);
err_disable:
	disable_windows(provider);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_register, "PEERBUF");

/**
 * peerbuf_provider_unregister - take everything back
 * @provider: registered
 *
 * The node goes, calls on open descriptors fail with -ENODEV, every buffer is
 * revoked, and the memory is out of use when this returns. It waits for
 * importers that cannot be revoked, if exports allowed such, and says whom it
 * waits for. peerbuf_provider_put() remains to be called.
 *
 * Context: process, may sleep; the remove of the provider's driver.
 */
void peerbuf_provider_unregister(struct peerbuf_provider *provider)
{
	hide_windows(provider, provider->nr_windows);
	cdev_device_del(&provider->cdev, &provider->dev);

	mutex_lock(&provider->lifecycle);
	down_write(&provider->alive);
	down_write(&provider->hardware);
	WRITE_ONCE(provider->gone, true);
	up_write(&provider->hardware);
	up_write(&provider->alive);
	mutex_unlock(&provider->lifecycle);

	peerbuf_presence_end(provider);
	peerbuf_revoke_provider(provider);
	peerbuf_debugfs_remove(provider);
	peerbuf_dmem_unregister(provider);
	peerbuf_pool_end_unclean(provider);
	disable_windows(provider);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_unregister, "PEERBUF");

/**
 * peerbuf_provider_put - drop a reference
 * @provider: from peerbuf_provider_alloc() or peerbuf_provider_get()
 *
 * Context: process, may sleep.
 */
void peerbuf_provider_put(struct peerbuf_provider *provider)
{
	put_device(&provider->dev);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_put, "PEERBUF");

/**
 * peerbuf_provider_get - take a reference
 * @provider: a provider that the caller has a reference to
 *
 * Keeps the structures, not the hardware: see peerbuf_provider_enter().
 *
 * Context: any.
 *
 * Return: @provider.
 */
struct peerbuf_provider *peerbuf_provider_get(struct peerbuf_provider *provider)
{
	get_device(&provider->dev);
	return provider;
}

/**
 * peerbuf_provider_enter - keep a provider registered
 * @provider: a provider that the caller has a reference to
 *
 * Its memory may be stopped: see peerbuf_provider_access().
 *
 * Context: process, may sleep. Taken before @provider->lock and any dma_resv.
 *
 * Return: true if the device is there and stays until peerbuf_provider_leave();
 * false if it is gone, then there is nothing to leave.
 */
bool peerbuf_provider_enter(struct peerbuf_provider *provider)
{
	down_read(&provider->alive);
	if (!READ_ONCE(provider->gone))
		return true;

	up_read(&provider->alive);
	return false;
}

/**
 * peerbuf_provider_leave - end what peerbuf_provider_enter() began
 * @provider: the same
 *
 * Context: process.
 */
void peerbuf_provider_leave(struct peerbuf_provider *provider)
{
	up_read(&provider->alive);
}

/**
 * peerbuf_provider_access - begin to touch the memory
 * @provider: a provider that the caller has a reference to
 *
 * The device is awake, and answers until peerbuf_provider_access_end(). A stop
 * waits for that: who takes long looks at @provider->stops now and then.
 *
 * Context: process, may sleep, for as long as it takes the device to wake up.
 *
 * Return: 0; -ENODEV, gone; -EAGAIN, stopped; -EIO, it does not wake up.
 */
int peerbuf_provider_access(struct peerbuf_provider *provider)
{
	struct device *dev = &provider->pdev->dev;
	int ret;

	/* one that has no driver any more is not for us to wake */
	if (READ_ONCE(provider->gone))
		return -ENODEV;
	if (pm_runtime_resume_and_get(dev) < 0)
		return -EIO;

	down_read(&provider->hardware);
	if (!provider->gone && !READ_ONCE(provider->stops))
		return 0;

	ret = provider->gone ? -ENODEV : -EAGAIN;
	peerbuf_provider_access_end(provider);
	return ret;
}

/**
 * peerbuf_provider_access_end - end what peerbuf_provider_access() began
 * @provider: the same
 *
 * Context: process.
 */
void peerbuf_provider_access_end(struct peerbuf_provider *provider)
{
	up_read(&provider->hardware);
	pm_runtime_put(&provider->pdev->dev);
}

static int match_function(struct device *dev, const void *data)
{
	const struct peerbuf_function *wanted = data;
	struct peerbuf_function function;

	function = peerbuf_pci_function(to_provider(dev)->pdev);
	return function.domain == wanted->domain &&
	       function.bus == wanted->bus && function.devfn == wanted->devfn;
}

/**
 * peerbuf_provider_find - look up a registered provider
 * @function: its PCI address
 *
 * Context: process, may sleep.
 *
 * Return: the provider with a reference, or NULL.
 */
struct peerbuf_provider *
peerbuf_provider_find(const struct peerbuf_function *function)
{
	struct device *dev;

	dev = class_find_device(&peerbuf_class, NULL, function, match_function);
	return dev ? to_provider(dev) : NULL;
}

struct walk {
	void (*visit)(struct peerbuf_provider *provider, void *data);
	void *data;
};

static int visit_one(struct device *dev, void *data)
{
	const struct walk *walk = data;

	walk->visit(to_provider(dev), walk->data);
	return 0;
}

/**
 * peerbuf_provider_visit_all - call a function for each registered provider
 * @visit: the function; may sleep
 * @data: for it
 *
 * Context: process, may sleep.
 */
void peerbuf_provider_visit_all(void (*visit)(struct peerbuf_provider *provider,
					      void *data),
				void *data)
{
	struct walk walk = { .visit = visit, .data = data };

	class_for_each_device(&peerbuf_class, NULL, &walk, visit_one);
}

/**
 * peerbuf_provider_of_inode - the provider behind a node that is being opened
 * @inode: of the node
 *
 * Context: the open operation, which keeps the cdev and so the provider.
 *
 * Return: the provider with a reference.
 */
struct peerbuf_provider *peerbuf_provider_of_inode(struct inode *inode)
{
	return peerbuf_provider_get(container_of(inode->i_cdev,
						 struct peerbuf_provider,
						 cdev));
}

/**
 * peerbuf_provider_window - a window by number
 * @provider: registered at least once
 * @index: number of the window
 *
 * Context: any.
 *
 * Return: the window, which lives as long as the provider, or NULL.
 */
struct peerbuf_window *peerbuf_provider_window(struct peerbuf_provider *provider,
					       u32 index)
{
	if (index >= provider->nr_windows)
		return NULL;

	/* @index comes from users: no speculation beyond the array */
	return provider->windows[array_index_nospec(index,
						    PEERBUF_MAX_WINDOWS)];
}

/**
 * peerbuf_provider_init - make room for nodes
 *
 * Context: module init.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_provider_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&peerbuf_devt, 0, PEERBUF_MINORS, "peerbuf");
	if (ret)
		return ret;

	ret = class_register(&peerbuf_class);
	if (ret)
		unregister_chrdev_region(peerbuf_devt, PEERBUF_MINORS);

	return ret;
}

/**
 * peerbuf_provider_exit - undo peerbuf_provider_init()
 *
 * Context: module exit; no provider exists.
 */
void peerbuf_provider_exit(void)
{
	class_unregister(&peerbuf_class);
	unregister_chrdev_region(peerbuf_devt, PEERBUF_MINORS);
	ida_destroy(&peerbuf_minors);
}
