// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dmem cgroup controller: each window is a region, and the memory of a
 * buffer is charged to the cgroup of who exported it, until it goes back.
 * Without CONFIG_CGROUP_DMEM the kernel's stubs make all of this nothing.
 */
#include <linux/atomic.h>
#include <linux/cgroup_dmem.h>
#include <linux/err.h>
#include <linux/pci.h>

#include "buffer.h"
#include "dmem.h"
#include "provider.h"

/**
 * peerbuf_dmem_register - make a provider's windows known to the controller
 * @provider: being registered
 *
 * Context: process, may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int peerbuf_dmem_register(struct peerbuf_provider *provider)
{
	struct dmem_cgroup_init init = {};
	struct dmem_cgroup_region *region;
	unsigned int i;

	for (i = 0; i < provider->nr_windows; i++) {
		init.size = provider->windows[i]->length;
		region = dmem_cgroup_register_region(&init,
						     "peerbuf/%s/window%u",
						     pci_name(provider->pdev),
						     i);
		if (IS_ERR(region)) {
			peerbuf_dmem_unregister(provider);
			return PTR_ERR(region);
		}
		provider->windows[i]->region = region;
	}

	return 0;
}

/**
 * peerbuf_dmem_unregister - undo peerbuf_dmem_register()
 * @provider: gone, or never registered
 *
 * Charges that remain are taken back as usual.
 *
 * Context: process, may sleep.
 */
void peerbuf_dmem_unregister(struct peerbuf_provider *provider)
{
	unsigned int i;

	for (i = 0; i < provider->nr_windows; i++) {
		dmem_cgroup_unregister_region(provider->windows[i]->region);
		provider->windows[i]->region = NULL;
	}
}

/**
 * peerbuf_dmem_charge - charge a new buffer to the caller's cgroup
 * @buffer: with its window and length
 *
 * Context: process, may sleep; the provider stays registered.
 *
 * Return: 0; -EDQUOT, it would be more than dmem.max there or above; -ENOMEM.
 */
int peerbuf_dmem_charge(struct peerbuf_buffer *buffer)
{
	int ret;

	/* the stub has none */
	if (!buffer->window->region)
		return 0;

	ret = dmem_cgroup_try_charge(buffer->window->region, buffer->length,
				     &buffer->charge, NULL);
	/* -EAGAIN is for what passes by itself; there is nothing to evict */
	return ret == -EAGAIN ? -EDQUOT : ret;
}

/**
 * peerbuf_dmem_uncharge - undo peerbuf_dmem_charge()
 * @buffer: its memory has gone back, or was never taken
 *
 * Context: process. Calling again does nothing.
 */
void peerbuf_dmem_uncharge(struct peerbuf_buffer *buffer)
{
	struct dmem_cgroup_pool_state *charge = xchg(&buffer->charge, NULL);

	if (charge)
		dmem_cgroup_uncharge(charge, buffer->length);
}
