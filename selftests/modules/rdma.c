// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: a dma-buf as a memory region of an RDMA NIC. The calls and checks
 * are those of 7.3, drivers/infiniband/core/umem_dmabuf.c, in the same order:
 *
 *   ib_umem_dmabuf_get_with_dma_device()	range, attach
 *   ib_umem_dmabuf_get_pinned_and_lock()	pin, map
 *   ib_umem_dmabuf_map_pages()			cut the table to the range, wait
 *   ib_umem_dmabuf_revoke_locked()		give it back
 *
 * efa, mana, ionic, bnxt_re and mlx5 use the pinned form, irdma the revocable one
 * (ib_umem_dmabuf_get_pinned_revocable_and_lock()).
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "test.h"

/**
 * struct test_umem - a memory region
 * @attach: constant
 * @offset: where it begins in the dma-buf
 * @length: bytes
 * @sgt: the mapping, cut to the region; under the reservation lock, as all below
 * @first: its first entry
 * @skipped: bytes that were cut off @first
 * @last: its last entry
 * @trimmed: bytes that were cut off @last
 * @nents: entries from @first to @last
 * @pinned: dma_buf_pin() was called
 * @revoked: the exporter took it back
 */
struct test_umem {
	struct dma_buf_attachment *attach;
	u64 offset;
	u64 length;
	struct sg_table *sgt;
	struct scatterlist *first;
	u64 skipped;
	struct scatterlist *last;
	u64 trimmed;
	unsigned int nents;
	bool pinned;
	bool revoked;
};

/*
 * As ib_umem_dmabuf_map_pages() does it: in the exporter's own table, which is
 * put right again before the unmap.
 */
static void umem_cut(struct test_umem *umem, struct sg_table *sgt)
{
	u64 start = ALIGN_DOWN(umem->offset, PAGE_SIZE);
	u64 end = ALIGN(umem->offset + umem->length, PAGE_SIZE);
	struct scatterlist *sg;
	unsigned int i;
	u64 at = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (start < at + sg_dma_len(sg) && at < end)
			umem->nents++;
		if (at <= start && start < at + sg_dma_len(sg)) {
			umem->first = sg;
			umem->skipped = start - at;
			sg_dma_address(sg) += umem->skipped;
			sg_dma_len(sg) -= umem->skipped;
			at += umem->skipped;
		}
		if (at < end && end <= at + sg_dma_len(sg)) {
			umem->last = sg;
			umem->trimmed = at + sg_dma_len(sg) - end;
			sg_dma_len(sg) -= umem->trimmed;
			break;
		}
		at += sg_dma_len(sg);
	}
}

static void umem_uncut(struct test_umem *umem)
{
	if (umem->first) {
		sg_dma_address(umem->first) -= umem->skipped;
		sg_dma_len(umem->first) += umem->skipped;
	}
	if (umem->last)
		sg_dma_len(umem->last) += umem->trimmed;
	umem->first = NULL;
	umem->last = NULL;
	umem->nents = 0;
}

/* ib_umem_dmabuf_map_pages() */
static int umem_map(struct test_umem *umem)
{
	struct dma_buf_attachment *attach = umem->attach;
	struct sg_table *sgt;
	long ret;

	if (umem->revoked)
		return -EINVAL;
	sgt = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	umem_cut(umem, sgt);
	umem->sgt = sgt;

	ret = dma_resv_wait_timeout(attach->dmabuf->resv,
				    DMA_RESV_USAGE_KERNEL, false,
				    MAX_SCHEDULE_TIMEOUT);
	return ret < 0 ? ret : ret ? 0 : -ETIMEDOUT;
}

/* ib_umem_dmabuf_unmap_pages() */
static void umem_unmap(struct test_umem *umem)
{
	if (!umem->sgt)
		return;
	umem_uncut(umem);
	dma_buf_unmap_attachment(umem->attach, umem->sgt, DMA_BIDIRECTIONAL);
	umem->sgt = NULL;
}

/* ib_umem_dmabuf_revoke_locked() */
static void umem_revoke(struct dma_buf_attachment *attach)
{
	struct test_umem *umem = attach->importer_priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (umem->revoked)
		return;
	umem_unmap(umem);
	if (umem->pinned)
		dma_buf_unpin(attach);
	umem->pinned = false;
	umem->revoked = true;
}

static const struct dma_buf_attach_ops umem_pinned_ops = {
	.allow_peer2peer = true,
};

static const struct dma_buf_attach_ops umem_revocable_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = umem_revoke,
};

/* ib_umem_dmabuf_get_with_dma_device() */
static struct test_umem *umem_attach(struct device *dev, u64 offset, u64 length,
				     int fd,
				     const struct dma_buf_attach_ops *ops)
{
	struct dma_buf *dmabuf;
	struct test_umem *umem;
	int ret = -EINVAL;
	u64 end;

	if (check_add_overflow(offset, length, &end))
		return ERR_PTR(-EINVAL);
	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	if (dmabuf->size < end || !length)
		goto err_put;

	ret = -ENOMEM;
	umem = kzalloc_obj(*umem);
	if (!umem)
		goto err_put;
	umem->offset = offset;
	umem->length = length;
	umem->attach = dma_buf_dynamic_attach(dmabuf, dev, ops, umem);
	if (!IS_ERR(umem->attach))
		return umem;

	ret = PTR_ERR(umem->attach);
	kfree(umem);
err_put:
	dma_buf_put(dmabuf);
	return ERR_PTR(ret);
}

/* ib_umem_dmabuf_get_pinned_and_lock() */
static int umem_pin_and_map(struct test_umem *umem)
{
	struct dma_resv *resv = umem->attach->dmabuf->resv;
	int ret;

	dma_resv_lock(resv, NULL);
	ret = dma_buf_pin(umem->attach);
	if (!ret) {
		umem->pinned = true;
		ret = umem_map(umem);
	}
	dma_resv_unlock(resv);
	return ret;
}

/**
 * test_umem_get() - make a memory region
 * @dev: the NIC
 * @offset: where it begins in the dma-buf
 * @length: bytes
 * @fd: the dma-buf
 * @revocable: it can be given back
 *
 * Return: the region, or an ERR_PTR.
 */
struct test_umem *test_umem_get(struct device *dev, u64 offset, u64 length,
				int fd, bool revocable)
{
	struct test_umem *umem;
	int ret;

	umem = umem_attach(dev, offset, length, fd,
			   revocable ? &umem_revocable_ops : &umem_pinned_ops);
	if (IS_ERR(umem))
		return umem;
	ret = umem_pin_and_map(umem);
	if (ret) {
		test_umem_release(umem);
		return ERR_PTR(ret);
	}
	return umem;
}

/**
 * test_umem_release() - as ib_umem_dmabuf_release()
 * @umem: the region
 */
void test_umem_release(struct test_umem *umem)
{
	struct dma_buf *dmabuf = umem->attach->dmabuf;

	dma_resv_lock(dmabuf->resv, NULL);
	umem_revoke(umem->attach);
	dma_resv_unlock(dmabuf->resv);

	dma_buf_detach(dmabuf, umem->attach);
	dma_buf_put(dmabuf);
	kfree(umem);
}

/*
 * The pages that the NIC is told of, as rdma_umem_for_each_dma_block() finds
 * them. Entries that are not whole pages would yield none.
 */
static u64 umem_pages(const struct test_umem *umem)
{
	struct scatterlist *sg = umem->first;
	unsigned int i;
	u64 pages = 0;

	for (i = 0; i < umem->nents; i++, sg = sg_next(sg)) {
		if (!PAGE_ALIGNED(sg_dma_address(sg) | sg_dma_len(sg)))
			return 0;
		pages += sg_dma_len(sg) / PAGE_SIZE;
	}
	return pages;
}

/**
 * test_umem_describe() - what a region has
 * @umem: the region
 * @bound: to be filled in
 */
void test_umem_describe(struct test_umem *umem,
			struct peerbuf_test_bound *bound)
{
	struct dma_resv *resv = umem->attach->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	bound->revoked = umem->revoked;
	bound->blocks = umem_pages(umem);
	bound->first = umem->first ? sg_dma_address(umem->first) : 0;
	dma_resv_unlock(resv);
}
