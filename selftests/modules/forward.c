// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: mmap() as drivers have it whose files map what they imported. */
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/mm.h>

#include "test.h"

int test_forward(struct test_file *file, void *data)
{
	struct peerbuf_test_forward *arg = data;
	struct dma_buf *dmabuf;

	if (file->forward)
		return -EBUSY;
	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	/* mmap() reads it without the lock, which nests the other way */
	smp_store_release(&file->forward, dmabuf);
	return 0;
}

int test_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct test_file *file = filp->private_data;
	struct dma_buf *dmabuf;

	/* pairs with test_forward() */
	dmabuf = smp_load_acquire(&file->forward);
	return dmabuf ? dma_buf_mmap(dmabuf, vma, vma->vm_pgoff) : -ENODEV;
}

void test_forward_release(struct test_file *file)
{
	if (file->forward)
		dma_buf_put(file->forward);
}
