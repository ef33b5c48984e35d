// SPDX-License-Identifier: GPL-2.0-only
/* peerbuf_test: kernel mappings of dma-bufs. */
#include <linux/dma-buf.h>
#include <linux/iosys-map.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "test.h"

#define TEST_ACCESS_MAX	4096

struct test_vmap {
	struct dma_buf *dmabuf;
	struct iosys_map map;
};

static void vmap_end(struct test_vmap *vmap)
{
	dma_buf_vunmap_unlocked(vmap->dmabuf, &vmap->map);
	dma_buf_put(vmap->dmabuf);
	kfree(vmap);
}

static struct test_vmap *vmap_new(int fd)
{
	struct test_vmap *vmap = kzalloc_obj(*vmap);
	int ret;

	if (!vmap)
		return ERR_PTR(-ENOMEM);
	vmap->dmabuf = dma_buf_get(fd);
	ret = PTR_ERR_OR_ZERO(vmap->dmabuf);
	if (ret)
		goto err_free;

	ret = dma_buf_vmap_unlocked(vmap->dmabuf, &vmap->map);
	if (ret)
		goto err_put;
	return vmap;

err_put:
	dma_buf_put(vmap->dmabuf);
err_free:
	kfree(vmap);
	return ERR_PTR(ret);
}

int test_vmap(struct test_file *file, void *data)
{
	struct peerbuf_test_vmap *arg = data;
	struct test_vmap *vmap = vmap_new(arg->fd);
	int ret;

	if (IS_ERR(vmap))
		return PTR_ERR(vmap);
	ret = xa_alloc(&file->vmaps, &arg->handle, vmap, xa_limit_31b,
		       GFP_KERNEL);
	if (ret)
		vmap_end(vmap);
	return ret;
}

int test_vunmap(struct test_file *file, void *data)
{
	struct peerbuf_test_handle *arg = data;
	struct test_vmap *vmap = xa_erase(&file->vmaps, arg->handle);

	if (!vmap)
		return -ENOENT;
	vmap_end(vmap);
	return 0;
}

static int vmap_copy(struct test_vmap *vmap, struct peerbuf_test_access *arg,
		     void *bounce)
{
	enum dma_data_direction dir = arg->write ? DMA_TO_DEVICE :
						   DMA_FROM_DEVICE;
	void __user *user = u64_to_user_ptr(arg->data);
	int ret;

	if (arg->write && copy_from_user(bounce, user, arg->length))
		return -EFAULT;
	ret = dma_buf_begin_cpu_access(vmap->dmabuf, dir);
	if (ret)
		return ret;
	if (arg->write)
		iosys_map_memcpy_to(&vmap->map, arg->offset, bounce,
				    arg->length);
	else
		iosys_map_memcpy_from(bounce, &vmap->map, arg->offset,
				      arg->length);
	ret = dma_buf_end_cpu_access(vmap->dmabuf, dir);
	if (!ret && !arg->write && copy_to_user(user, bounce, arg->length))
		ret = -EFAULT;
	return ret;
}

int test_access(struct test_file *file, void *data)
{
	struct peerbuf_test_access *arg = data;
	struct test_vmap *vmap = xa_load(&file->vmaps, arg->handle);
	void *bounce;
	int ret;

	if (!vmap)
		return -ENOENT;
	if (arg->length > TEST_ACCESS_MAX || arg->offset > vmap->dmabuf->size ||
	    arg->length > vmap->dmabuf->size - arg->offset)
		return -ERANGE;
	bounce = kzalloc(TEST_ACCESS_MAX, GFP_KERNEL);
	if (!bounce)
		return -ENOMEM;
	arg->is_iomem = vmap->map.is_iomem;
	ret = vmap_copy(vmap, arg, bounce);
	kfree(bounce);
	return ret;
}

void test_vmaps_release(struct test_file *file)
{
	struct test_vmap *vmap;
	unsigned long handle;

	xa_for_each(&file->vmaps, handle, vmap)
		vmap_end(vmap);
	xa_destroy(&file->vmaps);
}
