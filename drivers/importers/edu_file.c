// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_edu: the node /dev/peerbuf/edu-<function> and its calls.
 *
 * A sample and a test instrument, as all of peerbuf_edu. Arguments are copied
 * in before, and results out after the engine's lock is held: user memory can
 * be anything, a dma-buf included.
 */

#include <linux/capability.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <uapi/linux/peerbuf_edu.h>

#include "edu.h"

/**
 * struct edu_file - one open file
 */
struct edu_file {
	/** @engine: holds a reference; constant */
	struct edu_engine *engine;
	/** @imports: handle to &struct edu_import. Under &edu_engine.lock */
	struct xarray imports;
};

/**
 * edu_import_detach() - detach from the dma-buf; the entry stays in its file
 * @entry: an import, attached or not; &edu_engine.lock is held
 */
void edu_import_detach(struct edu_import *entry)
{
	if (!entry->import)
		return;

	list_del(&entry->node);
	peerbuf_import_detach(entry->import);
	entry->import = NULL;
}

static void edu_import_free(struct edu_import *entry)
{
	edu_import_detach(entry);
	kfree(entry);
}

static int edu_import_attach(struct edu_engine *engine,
			     struct edu_import *entry, int fd)
{
	struct peerbuf_import *import;

	import = peerbuf_import_attach(&engine->pdev->dev, fd, entry->dir);
	if (IS_ERR(import))
		return PTR_ERR(import);

	entry->import = import;
	list_add_tail(&entry->node, &engine->imports);
	return 0;
}

static int edu_import_locked(struct edu_file *file,
			     struct peerbuf_edu_import *arg)
{
	struct edu_import *entry;
	int ret;

	entry = kzalloc_obj(*entry);
	if (!entry)
		return -ENOMEM;
	entry->dir = arg->flags & PEERBUF_EDU_IMPORT_READ ? DMA_TO_DEVICE :
							    DMA_BIDIRECTIONAL;

	ret = xa_alloc(&file->imports, &arg->handle, entry,
		       XA_LIMIT(1, PEERBUF_EDU_MAX_IMPORTS), GFP_KERNEL);
	if (ret) {
		ret = ret == -EBUSY ? -ENOSPC : ret;
		goto err_free;
	}

	ret = edu_import_attach(file->engine, entry, arg->fd);
	if (ret)
		goto err_erase;

	return 0;

err_erase:
	xa_erase(&file->imports, arg->handle);
err_free:
	kfree(entry);
	return ret;
}

static int edu_ioctl_import(struct peerbuf_call *call)
{
	struct edu_file *file = call->file->private_data;
	struct peerbuf_edu_import *arg = call->arg;
	int ret;

	if (arg->flags & ~PEERBUF_EDU_IMPORT_READ)
		return -EOPNOTSUPP;

	ret = edu_engine_lock(file->engine);
	if (ret)
		return ret;

	ret = edu_import_locked(file, arg);
	edu_engine_unlock(file->engine);
	return ret;
}

/* The handle could not be told: nobody is to have it. */
static void edu_undo_import(struct peerbuf_call *call)
{
	struct edu_file *file = call->file->private_data;
	const struct peerbuf_edu_import *arg = call->arg;
	struct edu_import *entry;

	mutex_lock(&file->engine->lock);
	entry = xa_erase(&file->imports, arg->handle);
	if (entry)
		edu_import_free(entry);
	mutex_unlock(&file->engine->lock);
}

static int edu_ioctl_release(struct peerbuf_call *call)
{
	struct edu_file *file = call->file->private_data;
	const struct peerbuf_edu_release *arg = call->arg;
	struct edu_import *entry;
	int ret;

	ret = edu_engine_lock(file->engine);
	if (ret)
		return ret;

	entry = xa_erase(&file->imports, arg->handle);
	if (entry)
		edu_import_free(entry);
	else
		ret = -ENOENT;
	edu_engine_unlock(file->engine);
	return ret;
}

static int edu_copy_locked(struct edu_file *file,
			   const struct peerbuf_edu_copy *arg)
{
	const struct edu_dma dma = {
		.offset = arg->offset,
		.engine_offset = arg->engine_offset,
		.length = arg->length,
		.to_engine = arg->direction == PEERBUF_EDU_TO_ENGINE,
	};
	struct edu_import *entry;
	int ret;

	entry = xa_load(&file->imports, arg->handle);
	if (!entry)
		return -ENOENT;
	if (!dma.to_engine && entry->dir == DMA_TO_DEVICE)
		return -EACCES;

	ret = peerbuf_check_bounds(arg->offset, arg->length,
				   peerbuf_import_size(entry->import));
	if (ret)
		return ret;

	return edu_engine_copy(file->engine, entry->import, &dma);
}

static int edu_ioctl_copy(struct peerbuf_call *call)
{
	struct edu_file *file = call->file->private_data;
	const struct peerbuf_edu_copy *arg = call->arg;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->direction > PEERBUF_EDU_FROM_ENGINE || !arg->length)
		return -EINVAL;

	ret = peerbuf_check_bounds(arg->engine_offset, arg->length,
				   PEERBUF_EDU_BUFFER_SIZE);
	if (ret)
		return ret;

	ret = edu_engine_lock(file->engine);
	if (ret)
		return ret;

	ret = edu_copy_locked(file, arg);
	edu_engine_unlock(file->engine);
	return ret;
}

static int edu_address_locked(struct edu_file *file,
			      struct peerbuf_edu_address *arg)
{
	struct edu_import *entry;
	struct dma_fence *job;
	size_t contiguous;
	dma_addr_t addr;
	int ret;

	entry = xa_load(&file->imports, arg->handle);
	if (!entry)
		return -ENOENT;

	job = peerbuf_import_begin(entry->import);
	if (IS_ERR(job))
		return PTR_ERR(job);

	ret = peerbuf_import_address(entry->import, arg->offset, &addr,
				     &contiguous);
	peerbuf_import_end(entry->import, job, 0);
	if (ret)
		return ret;

	arg->address = addr;
	arg->contiguous = contiguous;
	return 0;
}

static int edu_ioctl_address(struct peerbuf_call *call)
{
	struct edu_file *file = call->file->private_data;
	int ret;

	if (!capable(CAP_SYS_RAWIO))
		return -EACCES;

	ret = edu_engine_lock(file->engine);
	if (ret)
		return ret;

	ret = edu_address_locked(file, call->arg);
	edu_engine_unlock(file->engine);
	return ret;
}

static const struct peerbuf_ioctl edu_ioctls[] = {
	PEERBUF_IOCTL_UNDO(PEERBUF_EDU_IOC_IMPORT, struct peerbuf_edu_import,
			   handle, false, edu_ioctl_import, edu_undo_import),
	PEERBUF_IOCTL(PEERBUF_EDU_IOC_RELEASE, struct peerbuf_edu_release,
		      handle, false, edu_ioctl_release),
	PEERBUF_IOCTL(PEERBUF_EDU_IOC_COPY, struct peerbuf_edu_copy, flags,
		      false, edu_ioctl_copy),
	PEERBUF_IOCTL(PEERBUF_EDU_IOC_ADDRESS, struct peerbuf_edu_address,
		      contiguous, false, edu_ioctl_address),
};

static long edu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, edu_ioctls,
			     ARRAY_SIZE(edu_ioctls));
}

/* Under misc_mtx: the node is still registered, and so the engine still there. */
static int edu_open(struct inode *inode, struct file *filp)
{
	struct miscdevice *misc = filp->private_data;
	struct edu_file *file;

	file = kzalloc_obj(*file);
	if (!file)
		return -ENOMEM;

	file->engine = container_of(misc, struct edu_engine, misc);
	kref_get(&file->engine->ref);
	xa_init_flags(&file->imports, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int edu_release(struct inode *inode, struct file *filp)
{
	struct edu_file *file = filp->private_data;
	struct edu_import *entry;
	unsigned long handle;

	mutex_lock(&file->engine->lock);
	xa_for_each(&file->imports, handle, entry)
		edu_import_free(entry);
	mutex_unlock(&file->engine->lock);

	xa_destroy(&file->imports);
	edu_engine_put(file->engine);
	kfree(file);
	return 0;
}

const struct file_operations edu_fops = {
	.owner = THIS_MODULE,
	.open = edu_open,
	.release = edu_release,
	.unlocked_ioctl = edu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* The layout of the calls, the same on 32 and 64 bit, without holes, forever. */
#define EDU_PIN_SIZE(_struct, _size)					\
	static_assert(sizeof(struct _struct) == (_size))
#define EDU_PIN(_struct, _member, _offset)				\
	static_assert(offsetof(struct _struct, _member) == (_offset))

EDU_PIN_SIZE(peerbuf_edu_import, 16);
EDU_PIN(peerbuf_edu_import, size, 0);
EDU_PIN(peerbuf_edu_import, flags, 4);
EDU_PIN(peerbuf_edu_import, fd, 8);
EDU_PIN(peerbuf_edu_import, handle, 12);

EDU_PIN_SIZE(peerbuf_edu_release, 8);
EDU_PIN(peerbuf_edu_release, size, 0);
EDU_PIN(peerbuf_edu_release, handle, 4);

EDU_PIN_SIZE(peerbuf_edu_copy, 32);
EDU_PIN(peerbuf_edu_copy, size, 0);
EDU_PIN(peerbuf_edu_copy, handle, 4);
EDU_PIN(peerbuf_edu_copy, direction, 8);
EDU_PIN(peerbuf_edu_copy, length, 12);
EDU_PIN(peerbuf_edu_copy, offset, 16);
EDU_PIN(peerbuf_edu_copy, engine_offset, 24);
EDU_PIN(peerbuf_edu_copy, flags, 28);

EDU_PIN_SIZE(peerbuf_edu_address, 32);
EDU_PIN(peerbuf_edu_address, size, 0);
EDU_PIN(peerbuf_edu_address, handle, 4);
EDU_PIN(peerbuf_edu_address, offset, 8);
EDU_PIN(peerbuf_edu_address, address, 16);
EDU_PIN(peerbuf_edu_address, contiguous, 24);

static_assert(PEERBUF_EDU_IOC_IMPORT == 0xbe40);
static_assert(PEERBUF_EDU_IOC_RELEASE == 0xbe41);
static_assert(PEERBUF_EDU_IOC_COPY == 0xbe42);
static_assert(PEERBUF_EDU_IOC_ADDRESS == 0xbe43);
