// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: dma-bufs bound to a NIC by the calls that the kernel makes.
 *
 * What devmem TCP and zcrx do is here, with the function of 7.3 named beside each
 * step; what RDMA does is in rdma.c. The NIC's rings are not part of it: what
 * counts is what these importers ask of an exporter.
 */
#include <linux/dma-buf.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "test.h"

/**
 * struct test_bind - one dma-buf bound to one NIC
 * @pdev: the NIC, with a reference
 * @umem: RDMA: the memory region; the rest is for the others
 * @dmabuf: with a reference
 * @attach: a static attachment
 * @dir: of the mapping
 * @sgt: the mapping, for as long as the bind is there
 * @blocks: buffers of the NIC
 */
struct test_bind {
	struct pci_dev *pdev;
	struct test_umem *umem;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	enum dma_data_direction dir;
	struct sg_table *sgt;
	u64 blocks;
};

/* __net_devmem_dmabuf_binding_free(), io_unmap_dmabuf(), io_release_dmabuf() */
static void bind_free(struct test_bind *bind)
{
	if (bind->umem)
		test_umem_release(bind->umem);
	if (bind->sgt)
		dma_buf_unmap_attachment_unlocked(bind->attach, bind->sgt,
						  bind->dir);
	if (bind->attach)
		dma_buf_detach(bind->dmabuf, bind->attach);
	if (bind->dmabuf)
		dma_buf_put(bind->dmabuf);
	pci_dev_put(bind->pdev);
	kfree(bind);
}

/* net_devmem_bind_dmabuf(), io_import_dmabuf(): the same three calls */
static int bind_map(struct test_bind *bind, int fd)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct dma_buf *dmabuf;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	bind->dmabuf = dmabuf;

	attach = dma_buf_attach(dmabuf, &bind->pdev->dev);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	bind->attach = attach;

	sgt = dma_buf_map_attachment_unlocked(attach, bind->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	bind->sgt = sgt;
	return 0;
}

/* net/core/devmem.c, net_devmem_bind_dmabuf(): every entry is whole buffers */
static int bind_devmem(struct test_bind *bind,
		       const struct peerbuf_test_bind *arg)
{
	size_t size = 1UL << arg->shift;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	bind->dir = arg->style == PEERBUF_TEST_DEVMEM_TX ? DMA_TO_DEVICE :
							   DMA_FROM_DEVICE;
	ret = bind_map(bind, arg->fd);
	if (ret)
		return ret;
	if (bind->dir == DMA_TO_DEVICE && !PAGE_ALIGNED(bind->dmabuf->size))
		return -EINVAL;

	for_each_sgtable_dma_sg(bind->sgt, sg, i) {
		if (!IS_ALIGNED(sg_dma_address(sg), size) ||
		    !IS_ALIGNED(sg_dma_len(sg), size))
			return -EINVAL;
		bind->blocks += sg_dma_len(sg) >> arg->shift;
	}
	return 0;
}

/* io_uring/zcrx.c, io_area_max_shift() */
static unsigned int zcrx_max_shift(const struct test_bind *bind)
{
	unsigned int shift = -1U, i;
	struct scatterlist *sg;

	for_each_sgtable_dma_sg(bind->sgt, sg, i)
		shift = min_t(unsigned int, shift, __ffs(sg_dma_len(sg)));
	return shift;
}

/* io_uring/zcrx.c, io_import_dmabuf(), then __zcrx_create_area() */
static int bind_zcrx(struct test_bind *bind,
		     const struct peerbuf_test_bind *arg)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 total = 0;
	int ret;

	if (arg->offset)
		return -EINVAL;
	bind->dir = DMA_FROM_DEVICE;
	ret = bind_map(bind, arg->fd);
	if (ret)
		return ret;

	for_each_sgtable_dma_sg(bind->sgt, sg, i)
		total += sg_dma_len(sg);
	if (total != arg->length)
		return -EINVAL;
	if (arg->shift > zcrx_max_shift(bind))
		return -ERANGE;
	bind->blocks = total >> arg->shift;
	return 0;
}

static int bind_rdma(struct test_bind *bind,
		     const struct peerbuf_test_bind *arg)
{
	bool revocable = arg->style == PEERBUF_TEST_RDMA_REVOCABLE;
	struct test_umem *umem;

	umem = test_umem_get(&bind->pdev->dev, arg->offset, arg->length,
			     arg->fd, revocable);
	if (IS_ERR(umem))
		return PTR_ERR(umem);
	bind->umem = umem;
	return 0;
}

static int bind_by_style(struct test_bind *bind,
			 const struct peerbuf_test_bind *arg)
{
	switch (arg->style) {
	case PEERBUF_TEST_DEVMEM_RX:
	case PEERBUF_TEST_DEVMEM_TX:
		return bind_devmem(bind, arg);
	case PEERBUF_TEST_ZCRX:
		return bind_zcrx(bind, arg);
	case PEERBUF_TEST_RDMA_PINNED:
	case PEERBUF_TEST_RDMA_REVOCABLE:
		return bind_rdma(bind, arg);
	default:
		return -EINVAL;
	}
}

int test_bind(struct test_file *file, void *data)
{
	struct peerbuf_test_bind *arg = data;
	struct test_bind *bind;
	int ret;

	if (arg->shift < PAGE_SHIFT || arg->shift > 30)
		return -EINVAL;
	bind = kzalloc_obj(*bind);
	if (!bind)
		return -ENOMEM;

	ret = -ENXIO;
	bind->pdev = test_get_function(&arg->importer);
	if (bind->pdev && device_is_bound(&bind->pdev->dev))
		ret = bind_by_style(bind, arg);
	if (!ret)
		ret = xa_alloc(&file->binds, &arg->handle, bind, xa_limit_31b,
			       GFP_KERNEL);
	if (ret)
		bind_free(bind);
	return ret;
}

int test_unbind(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_bind *bind = xa_erase(&file->binds, arg->handle);

	if (!bind)
		return -ENOENT;
	bind_free(bind);
	return 0;
}

int test_bound(struct test_file *file, void *data)
{
	struct peerbuf_test_bound *arg = data;
	struct test_bind *bind = xa_load(&file->binds, arg->handle);

	if (!bind)
		return -ENOENT;
	if (bind->umem) {
		test_umem_describe(bind->umem, arg);
	} else {
		arg->revoked = 0;
		arg->blocks = bind->blocks;
		arg->first = sg_dma_address(bind->sgt->sgl);
	}
	return 0;
}

void test_binds_release(struct test_file *file)
{
	struct test_bind *bind;
	unsigned long handle;

	xa_for_each(&file->binds, handle, bind)
		bind_free(bind);
	xa_destroy(&file->binds);
}
