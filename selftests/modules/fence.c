// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: the fences of a dma-buf as a sync_file, those of jobs included,
 * which DMA_BUF_IOCTL_EXPORT_SYNC_FILE leaves out.
 */
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/sync_file.h>

#include "test.h"

static struct dma_fence *all_fences(int fd)
{
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct dma_fence *fence = NULL;
	int ret;

	if (IS_ERR(dmabuf))
		return ERR_CAST(dmabuf);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_get_singleton(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP,
				     &fence);
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
	if (ret)
		return ERR_PTR(ret);
	return fence ?: ERR_PTR(-ENODATA);
}

int test_fence(struct test_file *file, void *data)
{
	struct peerbuf_test_fence *arg = data;
	struct dma_fence *fence = all_fences(arg->dmabuf);
	struct sync_file *sync;

	if (IS_ERR(fence))
		return PTR_ERR(fence);
	sync = sync_file_create(fence);
	dma_fence_put(fence);
	if (!sync)
		return -ENOMEM;

	arg->fd = get_unused_fd_flags(O_CLOEXEC);
	if (arg->fd < 0) {
		fput(sync->file);
		return arg->fd;
	}
	fd_install(arg->fd, sync->file);
	return 0;
}
