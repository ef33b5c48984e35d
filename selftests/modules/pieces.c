// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: an exporter of ordinary memory in awkward pieces: of any length,
 * at any alignment, and each before its predecessor in memory.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "test.h"

#define MOST_PIECES	4096
#define MOST_BYTES	SZ_1M

/**
 * struct pieces - the memory behind a dma-buf
 * @memory: contiguous
 * @piece: bytes of each piece
 * @count: number of pieces
 */
struct pieces {
	void *memory;
	u32 piece;
	u32 count;
};

static struct sg_table *pieces_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct pieces *pieces = attach->dmabuf->priv;
	struct scatterlist *sg;
	struct sg_table *sgt;
	dma_addr_t next;
	unsigned int i;

	sgt = kzalloc_obj(*sgt);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	if (sg_alloc_table(sgt, pieces->count, GFP_KERNEL))
		goto err_free;
	next = dma_map_single(attach->dev, pieces->memory,
			      attach->dmabuf->size, dir);
	if (dma_mapping_error(attach->dev, next))
		goto err_table;

	next += attach->dmabuf->size;
	for_each_sg(sgt->sgl, sg, pieces->count, i) {
		next -= pieces->piece;
		sg_dma_address(sg) = next;
		sg_dma_len(sg) = pieces->piece;
	}
	return sgt;

err_table:
	sg_free_table(sgt);
err_free:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void pieces_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct pieces *pieces = attach->dmabuf->priv;
	dma_addr_t first = sg_dma_address(sgt->sgl) + pieces->piece -
			   attach->dmabuf->size;

	dma_unmap_single(attach->dev, first, attach->dmabuf->size, dir);
	sg_free_table(sgt);
	kfree(sgt);
}

/* The memory as it lies, not as the dma-buf has it. */
static int pieces_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct pieces *pieces = dmabuf->priv;

	return remap_pfn_range(vma, vma->vm_start,
			       page_to_pfn(virt_to_page(pieces->memory)) +
			       vma->vm_pgoff,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void pieces_release(struct dma_buf *dmabuf)
{
	struct pieces *pieces = dmabuf->priv;

	free_pages_exact(pieces->memory, dmabuf->size);
	kfree(pieces);
}

static const struct dma_buf_ops pieces_ops = {
	.map_dma_buf = pieces_map,
	.unmap_dma_buf = pieces_unmap,
	.mmap = pieces_mmap,
	.release = pieces_release,
};

static struct dma_buf *pieces_export(const struct peerbuf_test_pieces *arg)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct pieces *pieces;
	struct dma_buf *dmabuf;

	pieces = kzalloc_obj(*pieces);
	if (!pieces)
		return ERR_PTR(-ENOMEM);
	pieces->piece = arg->piece;
	pieces->count = arg->count;
	info.size = arg->piece * arg->count;
	pieces->memory = alloc_pages_exact(info.size, GFP_KERNEL | __GFP_ZERO);
	if (!pieces->memory) {
		kfree(pieces);
		return ERR_PTR(-ENOMEM);
	}

	info.ops = &pieces_ops;
	info.flags = O_RDWR | O_CLOEXEC;
	info.priv = pieces;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		free_pages_exact(pieces->memory, info.size);
		kfree(pieces);
	}
	return dmabuf;
}

int test_pieces(struct test_file *file, void *data)
{
	struct peerbuf_test_pieces *arg = data;
	struct dma_buf *dmabuf;

	if (!arg->piece || !arg->count || arg->count > MOST_PIECES ||
	    arg->piece > MOST_BYTES / arg->count)
		return -EINVAL;

	dmabuf = pieces_export(arg);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	arg->fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (arg->fd < 0) {
		dma_buf_put(dmabuf);
		return arg->fd;
	}
	return 0;
}
