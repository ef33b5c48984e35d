// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: importers of every class, on behalf of any PCI function. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "test.h"

/**
 * struct test_import - one attachment
 * @dmabuf: with a reference
 * @attach: constant once the handle exists
 * @pdev: the importer, with a reference
 * @dir: direction of its maps; constant
 * @delay: how long %PEERBUF_TEST_SLOW holds on, in jiffies
 * @work: unmaps for %PEERBUF_TEST_SLOW
 * @sgt: the mapping or NULL; under the reservation lock, as all below
 * @invalidations: calls of the invalidate callback
 * @regained: maps that %PEERBUF_TEST_GREEDY was granted, which it undid
 * @pins: successful dma_buf_pin() without dma_buf_unpin()
 */
struct test_import {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct pci_dev *pdev;
	enum dma_data_direction dir;
	unsigned long delay;
	struct delayed_work work;
	struct sg_table *sgt;
	u32 invalidations;
	u32 regained;
	u32 pins;
};

static_assert(PEERBUF_TEST_BOTH == (int)DMA_BIDIRECTIONAL);
static_assert(PEERBUF_TEST_TO_DEVICE == (int)DMA_TO_DEVICE);
static_assert(PEERBUF_TEST_FROM_DEVICE == (int)DMA_FROM_DEVICE);

static void import_lock(struct test_import *import)
{
	dma_resv_lock(import->dmabuf->resv, NULL);
}

static void import_unlock(struct test_import *import)
{
	dma_resv_unlock(import->dmabuf->resv);
}

static void import_unmap_locked(struct test_import *import,
				struct dma_buf_attachment *attach)
{
	if (!import->sgt)
		return;
	dma_buf_unmap_attachment(attach, import->sgt, import->dir);
	import->sgt = NULL;
}

static void import_work(struct work_struct *work)
{
	struct test_import *import =
		container_of(work, struct test_import, work.work);

	import_lock(import);
	import_unmap_locked(import, import->attach);
	import_unlock(import);
}

static void import_invalidate(struct dma_buf_attachment *attach)
{
	struct test_import *import = attach->importer_priv;

	import->invalidations++;
	import_unmap_locked(import, attach);
}

static void import_invalidate_slow(struct dma_buf_attachment *attach)
{
	struct test_import *import = attach->importer_priv;

	import->invalidations++;
	if (import->sgt)
		schedule_delayed_work(&import->work, import->delay);
}

static void import_invalidate_not(struct dma_buf_attachment *attach)
{
	struct test_import *import = attach->importer_priv;

	import->invalidations++;
}

static void import_grab(struct test_import *import,
			struct dma_buf_attachment *attach)
{
	struct sg_table *sgt;

	sgt = dma_buf_map_attachment(attach, import->dir);
	if (IS_ERR(sgt))
		return;
	import->regained++;
	dma_buf_unmap_attachment(attach, sgt, import->dir);
}

static void import_invalidate_greedy(struct dma_buf_attachment *attach)
{
	struct test_import *import = attach->importer_priv;

	import->invalidations++;
	import_grab(import, attach);
	import_unmap_locked(import, attach);
	import_grab(import, attach);
}

static const struct dma_buf_attach_ops import_ops[] = {
	[PEERBUF_TEST_REVOCABLE] = {
		.allow_peer2peer = true,
		.invalidate_mappings = import_invalidate,
	},
	[PEERBUF_TEST_SLOW] = {
		.allow_peer2peer = true,
		.invalidate_mappings = import_invalidate_slow,
	},
	[PEERBUF_TEST_PINNED] = {
		.allow_peer2peer = true,
	},
	[PEERBUF_TEST_NO_PEER] = {
		.invalidate_mappings = import_invalidate,
	},
	[PEERBUF_TEST_STUBBORN] = {
		.allow_peer2peer = true,
		.invalidate_mappings = import_invalidate_not,
	},
	[PEERBUF_TEST_GREEDY] = {
		.allow_peer2peer = true,
		.invalidate_mappings = import_invalidate_greedy,
	},
};

static struct dma_buf_attachment *import_attach(struct test_import *import,
						u32 kind)
{
	struct device *dev = &import->pdev->dev;

	if (kind == PEERBUF_TEST_STATIC)
		return dma_buf_attach(import->dmabuf, dev);
	return dma_buf_dynamic_attach(import->dmabuf, dev, &import_ops[kind],
				      import);
}

static void import_free(struct test_import *import)
{
	if (!IS_ERR_OR_NULL(import->attach))
		dma_buf_detach(import->dmabuf, import->attach);
	if (!IS_ERR_OR_NULL(import->dmabuf))
		dma_buf_put(import->dmabuf);
	pci_dev_put(import->pdev);
	kfree(import);
}

static struct test_import *import_new(const struct peerbuf_test_attach *arg)
{
	struct test_import *import = kzalloc_obj(*import);
	int ret;

	if (!import)
		return ERR_PTR(-ENOMEM);
	INIT_DELAYED_WORK(&import->work, import_work);
	import->dir = arg->direction;
	import->delay = msecs_to_jiffies(arg->delay_ms);

	ret = -ENXIO;
	import->pdev = test_get_function(&arg->importer);
	if (!import->pdev || !device_is_bound(&import->pdev->dev))
		goto err;

	import->dmabuf = dma_buf_get(arg->fd);
	ret = PTR_ERR_OR_ZERO(import->dmabuf);
	if (ret)
		goto err;

	import->attach = import_attach(import, arg->kind);
	ret = PTR_ERR_OR_ZERO(import->attach);
	if (ret)
		goto err;
	return import;

err:
	import_free(import);
	return ERR_PTR(ret);
}

/*
 * Unmapping under the lock first means that no invalidate callback finds a
 * mapping, and queues work, after the work was cancelled.
 */
static void import_end(struct test_import *import)
{
	import_lock(import);
	import_unmap_locked(import, import->attach);
	for (; import->pins; import->pins--)
		dma_buf_unpin(import->attach);
	import_unlock(import);

	cancel_delayed_work_sync(&import->work);
	import_free(import);
}

int test_attach(struct test_file *file, void *data)
{
	struct peerbuf_test_attach *arg = data;
	struct test_import *import;
	int ret;

	if (arg->kind > PEERBUF_TEST_GREEDY ||
	    arg->direction > PEERBUF_TEST_FROM_DEVICE)
		return -EINVAL;
	import = import_new(arg);
	if (IS_ERR(import))
		return PTR_ERR(import);
	ret = xa_alloc(&file->imports, &arg->handle, import, xa_limit_31b,
		       GFP_KERNEL);
	if (ret)
		import_end(import);
	return ret;
}

int test_detach(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_import *import = xa_erase(&file->imports, arg->handle);

	if (!import)
		return -ENOENT;
	import_end(import);
	return 0;
}

int test_map(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_import *import = xa_load(&file->imports, arg->handle);
	struct sg_table *sgt;
	int ret = -EBUSY;

	if (!import)
		return -ENOENT;
	import_lock(import);
	if (!import->sgt) {
		sgt = dma_buf_map_attachment(import->attach, import->dir);
		ret = PTR_ERR_OR_ZERO(sgt);
		if (!ret)
			import->sgt = sgt;
	}
	import_unlock(import);
	return ret;
}

int test_unmap(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_import *import = xa_load(&file->imports, arg->handle);

	if (!import)
		return -ENOENT;
	import_lock(import);
	import_unmap_locked(import, import->attach);
	import_unlock(import);
	return 0;
}

int test_pin(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_import *import = xa_load(&file->imports, arg->handle);
	int ret;

	if (!import)
		return -ENOENT;
	if (!import->attach->importer_ops)
		return -EOPNOTSUPP;
	import_lock(import);
	ret = dma_buf_pin(import->attach);
	if (!ret)
		import->pins++;
	import_unlock(import);
	return ret;
}

int test_unpin(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_import *import = xa_load(&file->imports, arg->handle);
	int ret = -EINVAL;

	if (!import)
		return -ENOENT;
	import_lock(import);
	if (import->pins) {
		dma_buf_unpin(import->attach);
		import->pins--;
		ret = 0;
	}
	import_unlock(import);
	return ret;
}

static int import_describe(struct test_import *import,
			   struct peerbuf_test_segment *segments,
			   struct peerbuf_test_map_info *arg)
{
	struct sg_table *sgt = import->sgt;
	struct scatterlist *sg;
	unsigned int i;

	arg->mapped = 1;
	arg->nents = sgt->nents;
	arg->orig_nents = sgt->orig_nents;
	arg->nr_pages = 0;
	arg->longest = 0;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		arg->nr_pages += !!sg_page(sg);
		arg->longest = max_t(u64, arg->longest, sg_dma_len(sg));
	}
	return test_segments_fill(import->attach->dev, sgt, segments,
				  &arg->nr_segments);
}

int test_map_info(struct test_file *file, void *data)
{
	struct peerbuf_test_map_info *arg = data;
	struct test_import *import = xa_load(&file->imports, arg->handle);
	struct peerbuf_test_segment *segments;
	int ret = 0;

	if (!import)
		return -ENOENT;
	segments = test_segments_alloc(arg->nr_segments);
	if (IS_ERR(segments))
		return PTR_ERR(segments);
	arg->max_seg = dma_get_max_seg_size(&import->pdev->dev);
	arg->wrapped = IS_ENABLED(CONFIG_DMABUF_DEBUG);
	import_lock(import);
	arg->invalidations = import->invalidations;
	arg->regained = import->regained;
	arg->mapped = 0;
	if (import->sgt)
		ret = import_describe(import, segments, arg);
	else
		arg->nr_segments = 0;
	import_unlock(import);
	return test_segments_finish(segments, arg->segments, arg->nr_segments,
				    ret);
}

void test_imports_release(struct test_file *file)
{
	struct test_import *import;
	unsigned long handle;

	xa_for_each(&file->imports, handle, import)
		import_end(import);
	xa_destroy(&file->imports);
}
