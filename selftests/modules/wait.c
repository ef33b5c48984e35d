// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: wait for the fences of a dma-buf, as memory management does. */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>

#include "test.h"

int test_wait(struct test_file *file, void *data)
{
	struct peerbuf_test_wait *arg = data;
	struct dma_buf *dmabuf = dma_buf_get(arg->fd);
	long ret;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, true,
				    msecs_to_jiffies(arg->timeout_ms));
	dma_buf_put(dmabuf);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIME;
}
