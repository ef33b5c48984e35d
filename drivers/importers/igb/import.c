// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: imports of the open file, on the lifecycle that all importers of
 * peerbuf share. All under &igb.lock.
 */

#include <linux/err.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>

#include "igb.h"

static void igb_import_detach(struct igb *igb, struct igb_import *entry)
{
	if (!entry->import)
		return;

	igb_cancel(igb, entry->import);
	peerbuf_import_detach(entry->import);
	entry->import = NULL;
}

/**
 * igb_import_free() - end an import
 * @igb: the port; &igb.lock is held
 * @entry: the import, in no file any more
 */
void igb_import_free(struct igb *igb, struct igb_import *entry)
{
	igb_import_detach(igb, entry);
	kfree(entry);
}

/**
 * igb_detach_all() - detach from all dma-bufs; the entries stay in the file
 * @igb: the port, down
 */
void igb_detach_all(struct igb *igb)
{
	struct igb_import *entry;
	unsigned long handle;

	mutex_lock(&igb->lock);
	xa_for_each(&igb->imports, handle, entry)
		igb_import_detach(igb, entry);
	mutex_unlock(&igb->lock);
}

static enum dma_data_direction igb_dma_direction(u32 flags)
{
	switch (flags) {
	case PEERBUF_IGB_SEND:
		return DMA_TO_DEVICE;
	case PEERBUF_IGB_RECV:
		return DMA_FROM_DEVICE;
	default:
		return DMA_BIDIRECTIONAL;
	}
}

/**
 * igb_import() - attach the port to a dma-buf
 * @igb: the port, bound; &igb.lock is held
 * @arg: what, and room for the handle
 *
 * Return: 0, or a negative errno as &struct peerbuf_igb_import tells.
 */
int igb_import(struct igb *igb, struct peerbuf_igb_import *arg)
{
	struct peerbuf_import *import;
	struct igb_import *entry;
	int ret;

	entry = kzalloc_obj(*entry);
	if (!entry)
		return -ENOMEM;

	ret = xa_alloc(&igb->imports, &entry->handle, entry,
		       XA_LIMIT(1, PEERBUF_IGB_MAX_IMPORTS), GFP_KERNEL);
	if (ret) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto err_free;
	}

	import = peerbuf_import_attach(&igb->pdev->dev, arg->fd,
				       igb_dma_direction(arg->flags));
	if (IS_ERR(import)) {
		ret = PTR_ERR(import);
		goto err_erase;
	}

	entry->import = import;
	entry->flags = arg->flags;
	arg->handle = entry->handle;
	return 0;

err_erase:
	xa_erase(&igb->imports, entry->handle);
err_free:
	kfree(entry);
	return ret;
}
