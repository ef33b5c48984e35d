// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: the kernel's own dma_buf_phys_vec_to_sgt() as an oracle.
 *
 * A throw-away exporter over ranges of a BAR, mapped for an importer exactly as
 * vfio does it. peerbuf must come to the same addresses by its own means.
 */
#include <linux/dma-buf-mapping.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/overflow.h>
#include <linux/pci-p2pdma.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "test.h"

#define ORACLE_MAX_RANGES	64

#if IS_ENABLED(CONFIG_PCI_P2PDMA)

/**
 * struct oracle - the exporter's private data; freed by its release
 * @p2p: the kernel's description of the BAR; valid under the provider's
 *	device lock, which is held for as long as something is mapped
 * @size: bytes of all ranges
 * @nr: entries of @vec
 * @vec: what to map
 */
struct oracle {
	struct p2pdma_provider *p2p;
	size_t size;
	u32 nr;
	struct phys_vec vec[] __counted_by(nr);
};

static struct sg_table *oracle_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct oracle *oracle = attach->dmabuf->priv;

	return dma_buf_phys_vec_to_sgt(attach, oracle->p2p, oracle->vec,
				       oracle->nr, oracle->size, dir);
}

/*
 * dma_buf_free_sgt() of 7.3 leaks the scatterlist: sg_free_table() goes by
 * orig_nents, which was made 0 for importers to see.
 */
static void oracle_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	sgt->orig_nents = sgt->nents;
	dma_buf_free_sgt(attach, sgt, dir);
}

static void oracle_release(struct dma_buf *dmabuf)
{
	kfree(dmabuf->priv);
}

static const struct dma_buf_ops oracle_ops = {
	.map_dma_buf = oracle_map,
	.unmap_dma_buf = oracle_unmap,
	.release = oracle_release,
};

static void oracle_invalidate(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops oracle_attach_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = oracle_invalidate,
};

static int oracle_set_range(struct oracle *oracle, u32 i, struct pci_dev *pdev,
			    int bar, const struct peerbuf_range *range)
{
	u64 end;

	if (!range->length || !PAGE_ALIGNED(range->offset | range->length) ||
	    check_add_overflow(range->offset, range->length, &end) ||
	    end > pci_resource_len(pdev, bar))
		return -ERANGE;
	oracle->vec[i].paddr = pci_resource_start(pdev, bar) + range->offset;
	oracle->vec[i].len = range->length;
	oracle->size += range->length;
	return 0;
}

static struct oracle *oracle_new(struct pci_dev *pdev, int bar,
				 const struct peerbuf_range *ranges, u32 nr)
{
	struct oracle *oracle;
	int ret;
	u32 i;

	oracle = kzalloc(struct_size(oracle, vec, nr), GFP_KERNEL);
	if (!oracle)
		return ERR_PTR(-ENOMEM);
	oracle->nr = nr;
	for (i = 0; i < nr; i++) {
		ret = oracle_set_range(oracle, i, pdev, bar, &ranges[i]);
		if (ret)
			goto err;
	}

	ret = -ENXIO;
	oracle->p2p = pcim_p2pdma_provider(pdev, bar);
	if (!oracle->p2p)
		goto err;
	return oracle;

err:
	kfree(oracle);
	return ERR_PTR(ret);
}

static struct dma_buf *oracle_export(struct oracle *oracle)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	info.ops = &oracle_ops;
	info.size = oracle->size;
	info.flags = O_RDWR;
	info.priv = oracle;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		kfree(oracle);
	return dmabuf;
}

static int oracle_ask(struct dma_buf *dmabuf, struct device *importer,
		      struct peerbuf_test_segment *segments, u32 *nr)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int ret;

	attach = dma_buf_dynamic_attach(dmabuf, importer, &oracle_attach_ops,
					NULL);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	dma_resv_lock(dmabuf->resv, NULL);
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	ret = PTR_ERR_OR_ZERO(sgt);
	if (!ret) {
		ret = test_segments_fill(importer, sgt, segments, nr);
		dma_buf_unmap_attachment(attach, sgt, DMA_BIDIRECTIONAL);
	}
	dma_resv_unlock(dmabuf->resv);
	dma_buf_detach(dmabuf, attach);
	return ret;
}

/*
 * Called under the provider's device lock and only while it is bound: the
 * p2pdma description is devres of that binding.
 */
static struct dma_buf *oracle_dmabuf(struct pci_dev *provider,
				     struct device *importer,
				     const struct peerbuf_test_oracle *arg,
				     const struct peerbuf_range *ranges)
{
	struct oracle *oracle;
	int ret;

	if (!provider->dev.driver)
		return ERR_PTR(-ENXIO);
	ret = pcim_p2pdma_init(provider);
	if (ret)
		return ERR_PTR(ret);
	/* the answer goes to where mapping looks first, and would ask loudly */
	if (arg->fresh)
		pci_p2pdma_distance(provider, importer, false);
	oracle = oracle_new(provider, arg->bar, ranges, arg->nr_ranges);
	if (IS_ERR(oracle))
		return ERR_CAST(oracle);
	return oracle_export(oracle);
}

static int oracle_run(struct pci_dev *provider, struct pci_dev *importer,
		      const struct peerbuf_range *ranges,
		      struct peerbuf_test_segment *segments,
		      struct peerbuf_test_oracle *arg)
{
	struct dma_buf *dmabuf;
	int ret;

	device_lock(&provider->dev);
	dmabuf = oracle_dmabuf(provider, &importer->dev, arg, ranges);
	ret = PTR_ERR_OR_ZERO(dmabuf);
	if (!ret) {
		ret = oracle_ask(dmabuf, &importer->dev, segments,
				 &arg->nr_segments);
		dma_buf_put(dmabuf);
	}
	device_unlock(&provider->dev);
	return ret;
}

static int oracle_copy(struct pci_dev *provider, struct pci_dev *importer,
		       struct peerbuf_test_oracle *arg)
{
	struct peerbuf_test_segment *segments;
	struct peerbuf_range *ranges;
	int ret;

	ranges = memdup_array_user(u64_to_user_ptr(arg->ranges),
				   arg->nr_ranges, sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	segments = test_segments_alloc(arg->nr_segments);
	ret = PTR_ERR_OR_ZERO(segments);
	if (ret)
		goto free;
	ret = oracle_run(provider, importer, ranges, segments, arg);
	ret = test_segments_finish(segments, arg->segments, arg->nr_segments,
				   ret);
free:
	kfree(ranges);
	return ret;
}

int test_oracle(struct test_file *file, void *data)
{
	struct peerbuf_test_oracle *arg = data;
	struct pci_dev *provider, *importer;
	int ret = -ENXIO;

	if (arg->bar >= PCI_STD_NUM_BARS || !arg->nr_ranges ||
	    arg->nr_ranges > ORACLE_MAX_RANGES)
		return -EINVAL;
	provider = test_get_function(&arg->provider);
	importer = test_get_function(&arg->importer);
	if (provider && importer && device_is_bound(&importer->dev))
		ret = oracle_copy(provider, importer, arg);
	pci_dev_put(importer);
	pci_dev_put(provider);
	return ret;
}

#else /* CONFIG_PCI_P2PDMA */

int test_oracle(struct test_file *file, void *data)
{
	return -EOPNOTSUPP;
}

#endif
