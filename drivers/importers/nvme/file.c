// SPDX-License-Identifier: GPL-2.0-only
/*
 * The node /dev/peerbuf/nvme-<function>: handles of imports, and calls.
 */

#include <linux/build_bug.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <uapi/linux/peerbuf_nvme.h>

#include "nvme.h"

/**
 * struct pnvme_file - one open file
 */
struct pnvme_file {
	/** @ctrl: holds a reference; constant */
	struct pnvme_ctrl *ctrl;
	/** @imports: handle to &struct pnvme_import */
	struct xarray imports;
};

/* Begin a part of a call that uses the device. */
static int enter(struct pnvme_ctrl *ctrl, int *section)
{
	*section = srcu_read_lock(&ctrl->srcu);
	if (!READ_ONCE(ctrl->gone))
		return 0;

	srcu_read_unlock(&ctrl->srcu, *section);
	return -ENODEV;
}

static void leave(struct pnvme_ctrl *ctrl, int section)
{
	srcu_read_unlock(&ctrl->srcu, section);
}

/**
 * pnvme_import_detach() - detach from the dma-buf; the entry stays in its file
 * @ctrl: whose imports_lock is held
 * @entry: an import, attached or not, that no call uses any more
 */
void pnvme_import_detach(struct pnvme_ctrl *ctrl, struct pnvme_import *entry)
{
	lockdep_assert_held(&ctrl->imports_lock);

	if (!entry->import)
		return;

	list_del(&entry->node);
	peerbuf_import_detach(entry->import);
	entry->import = NULL;
}

static void import_free(struct pnvme_ctrl *ctrl, struct pnvme_import *entry)
{
	mutex_lock(&ctrl->imports_lock);
	pnvme_import_detach(ctrl, entry);
	mutex_unlock(&ctrl->imports_lock);
	kfree(entry);
}

static struct pnvme_import *import_make(struct pnvme_ctrl *ctrl, int fd,
					enum dma_data_direction dir)
{
	struct pnvme_import *entry;
	struct peerbuf_import *import;

	entry = kzalloc_obj(*entry);
	if (!entry)
		return ERR_PTR(-ENOMEM);

	import = peerbuf_import_attach(&ctrl->pdev->dev, fd, dir);
	if (IS_ERR(import)) {
		kfree(entry);
		/* The controller is there: it is the buffer that is not. */
		if (PTR_ERR(import) == -ENODEV)
			return ERR_PTR(-ECANCELED);
		return ERR_CAST(import);
	}

	entry->import = import;
	entry->dir = dir;
	mutex_lock(&ctrl->imports_lock);
	list_add_tail(&entry->node, &ctrl->imports);
	mutex_unlock(&ctrl->imports_lock);
	return entry;
}

static int import_entered(struct pnvme_file *file,
			  struct peerbuf_nvme_import *arg)
{
	static const enum dma_data_direction dirs[] = {
		[PEERBUF_NVME_BOTH] = DMA_BIDIRECTIONAL,
		[PEERBUF_NVME_TO_DRIVE] = DMA_TO_DEVICE,
		[PEERBUF_NVME_FROM_DRIVE] = DMA_FROM_DEVICE,
	};
	struct pnvme_import *entry;
	int ret;

	entry = import_make(file->ctrl, arg->fd, dirs[arg->direction]);
	if (IS_ERR(entry))
		return PTR_ERR(entry);

	ret = xa_alloc(&file->imports, &arg->handle, entry,
		       XA_LIMIT(1, PEERBUF_NVME_MAX_IMPORTS), GFP_KERNEL);
	if (ret)
		import_free(file->ctrl, entry);
	return ret == -EBUSY ? -ENOSPC : ret;
}

static int ioctl_import(struct peerbuf_call *call)
{
	struct pnvme_file *file = call->file->private_data;
	struct peerbuf_nvme_import *arg = call->arg;
	int section, ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->direction > PEERBUF_NVME_FROM_DRIVE || arg->reserved)
		return -EINVAL;

	ret = enter(file->ctrl, &section);
	if (ret)
		return ret;

	ret = import_entered(file, arg);
	leave(file->ctrl, section);
	return ret;
}

static int release_handle(struct pnvme_file *file, u32 handle)
{
	struct pnvme_import *entry = xa_erase(&file->imports, handle);

	if (!entry)
		return -ENOENT;

	/* Who found it before may be about to begin a transfer. */
	synchronize_srcu_expedited(&file->ctrl->srcu);
	import_free(file->ctrl, entry);
	return 0;
}

/* The handle could not be told: nobody is to have it. */
static void undo_import(struct peerbuf_call *call)
{
	const struct peerbuf_nvme_import *arg = call->arg;

	release_handle(call->file->private_data, arg->handle);
}

static int ioctl_release(struct peerbuf_call *call)
{
	struct pnvme_file *file = call->file->private_data;
	const struct peerbuf_nvme_release *arg = call->arg;

	if (READ_ONCE(file->ctrl->gone))
		return -ENODEV;

	return release_handle(file, arg->handle);
}

/* A restart looks at the controller again. */
static int fill_identity(struct pnvme_ctrl *ctrl, struct peerbuf_nvme_info *arg)
{
	if (mutex_lock_interruptible(&ctrl->lifecycle))
		return -EINTR;

	if (ctrl->sgl_align >= 0)
		arg->flags |= PEERBUF_NVME_SGL;
	if (ctrl->write_cache)
		arg->flags |= PEERBUF_NVME_WRITE_CACHE;
	arg->max_transfer = ctrl->max_transfer;
	memcpy(arg->model, ctrl->model, sizeof(arg->model));
	memcpy(arg->serial, ctrl->serial, sizeof(arg->serial));
	memcpy(arg->firmware, ctrl->firmware, sizeof(arg->firmware));
	mutex_unlock(&ctrl->lifecycle);
	return 0;
}

static int ioctl_info(struct peerbuf_call *call)
{
	struct pnvme_file *file = call->file->private_data;
	struct peerbuf_nvme_info *arg = call->arg;
	struct pnvme_ctrl *ctrl = file->ctrl;
	struct pnvme_namespace ns;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;
	if (READ_ONCE(ctrl->gone))
		return -ENODEV;

	ret = pnvme_namespace_find(ctrl, arg->nsid, &ns, &arg->next);
	if (ret)
		return ret;

	if (ns.read_only)
		arg->flags |= PEERBUF_NVME_READ_ONLY;
	arg->nsid = ns.nsid;
	arg->blocks = ns.blocks;
	arg->block_size = 1U << ns.shift;
	arg->queues = ctrl->nr_queues;
	arg->depth = ctrl->queues[0].nr_slots;
	return fill_identity(ctrl, arg);
}

/* What can be said without looking at handle and namespace. */
static int check_io(struct file *filp, const struct peerbuf_nvme_io *io)
{
	bool write = io->opcode == PEERBUF_NVME_WRITE;

	if (io->flags & ~PEERBUF_NVME_FUA)
		return -EOPNOTSUPP;

	switch (io->opcode) {
	case PEERBUF_NVME_READ:
	case PEERBUF_NVME_WRITE:
		if (!io->blocks || (io->flags && !write))
			return -EINVAL;
		break;
	case PEERBUF_NVME_FLUSH:
		if (io->flags || io->handle || io->blocks || io->lba ||
		    io->offset)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}

	if (write && !(filp->f_mode & FMODE_WRITE))
		return -EACCES;
	return 0;
}

static int prepare_data(struct pnvme_file *file,
			const struct peerbuf_nvme_io *io,
			const struct pnvme_namespace *ns,
			struct pnvme_request *request)
{
	bool write = io->opcode == PEERBUF_NVME_WRITE;
	struct pnvme_import *entry;
	int ret;

	entry = xa_load(&file->imports, io->handle);
	if (!entry)
		return -ENOENT;
	if (entry->dir == (write ? DMA_FROM_DEVICE : DMA_TO_DEVICE))
		return -EACCES;
	if (io->offset & ((1U << ns->shift) - 1))
		return -EINVAL;

	ret = peerbuf_check_bounds(io->lba, io->blocks, ns->blocks);
	if (!ret)
		ret = peerbuf_check_bounds(io->offset,
					   (u64)io->blocks << ns->shift,
					   peerbuf_import_size(entry->import));
	if (ret)
		return ret;
	if (write && ns->read_only)
		return -EROFS;

	request->import = entry->import;
	request->offset = io->offset;
	request->lba = io->lba;
	request->blocks = io->blocks;
	request->opcode = write ? nvme_cmd_write : nvme_cmd_read;
	if (io->flags & PEERBUF_NVME_FUA)
		request->control = NVME_RW_FUA;
	return 0;
}

static int start_entered(struct pnvme_file *file,
			 const struct peerbuf_nvme_io *io,
			 struct pnvme_request *request, bool wait)
{
	struct pnvme_namespace ns;
	int ret;

	/* 0 is no namespace, but the first one in INFO. */
	if (!io->nsid)
		return -ENXIO;
	ret = pnvme_namespace_find(file->ctrl, io->nsid, &ns, NULL);
	if (ret)
		return ret;

	request->nsid = ns.nsid;
	request->shift = ns.shift;
	if (io->opcode == PEERBUF_NVME_FLUSH) {
		request->opcode = nvme_cmd_flush;
		request->flush = true;
	} else {
		ret = prepare_data(file, io, &ns, request);
		if (ret)
			return ret;
	}
	return pnvme_request_start(request, file->ctrl, wait);
}

/**
 * pnvme_io_start() - check a transfer of a user, and start it
 * @filp: file of the node
 * @io: what the user wants; not memory that the user can change
 * @request: zero, but for what its done() needs
 * @wait: sleep where there is something to wait for
 *
 * Return: 0, done() is called; or a negative errno of &struct peerbuf_nvme_io,
 * nothing was done; -EAGAIN without @wait; -ERESTARTSYS with it.
 */
int pnvme_io_start(struct file *filp, const struct peerbuf_nvme_io *io,
		   struct pnvme_request *request, bool wait)
{
	struct pnvme_file *file = filp->private_data;
	int section, ret;

	ret = check_io(filp, io);
	if (ret)
		return ret;

	ret = enter(file->ctrl, &section);
	if (ret)
		return ret;

	ret = start_entered(file, io, request, wait);
	leave(file->ctrl, section);
	return ret;
}

static void io_done(struct pnvme_request *request, int error)
{
	request->result = error;
	complete(&request->waiter);
}

/* Not ended by signals once it runs: DMA cannot be called back at once. */
static int ioctl_io(struct peerbuf_call *call)
{
	struct pnvme_request *request;
	int ret;

	request = kzalloc_obj(*request);
	if (!request)
		return -ENOMEM;

	request->done = io_done;
	init_completion(&request->waiter);
	ret = pnvme_io_start(call->file, call->arg, request, true);
	if (!ret) {
		wait_for_completion(&request->waiter);
		ret = request->result;
	}
	kfree(request);
	return ret;
}

static int ioctl_reset(struct peerbuf_call *call)
{
	struct pnvme_file *file = call->file->private_data;
	const struct peerbuf_nvme_reset *arg = call->arg;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (READ_ONCE(file->ctrl->gone))
		return -ENODEV;

	ret = pnvme_reset(file->ctrl);
	return READ_ONCE(file->ctrl->gone) ? -ENODEV : ret;
}

static const struct peerbuf_ioctl ioctls[] = {
	PEERBUF_IOCTL_UNDO(PEERBUF_NVME_IOC_IMPORT, struct peerbuf_nvme_import,
			   reserved, false, ioctl_import, undo_import),
	PEERBUF_IOCTL(PEERBUF_NVME_IOC_RELEASE, struct peerbuf_nvme_release,
		      handle, false, ioctl_release),
	PEERBUF_IOCTL(PEERBUF_NVME_IOC_INFO, struct peerbuf_nvme_info,
		      reserved, false, ioctl_info),
	PEERBUF_IOCTL(PEERBUF_NVME_IOC_IO, struct peerbuf_nvme_io, offset,
		      false, ioctl_io),
	PEERBUF_IOCTL(PEERBUF_NVME_IOC_RESET, struct peerbuf_nvme_reset, flags,
		      true, ioctl_reset),
};

static long pnvme_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, ioctls, ARRAY_SIZE(ioctls));
}

/* Under misc_mtx: the node is still registered, and so the controller there. */
static int pnvme_open(struct inode *inode, struct file *filp)
{
	struct miscdevice *misc = filp->private_data;
	struct pnvme_file *file;

	file = kzalloc_obj(*file);
	if (!file)
		return -ENOMEM;

	file->ctrl = container_of(misc, struct pnvme_ctrl, misc);
	kref_get(&file->ctrl->ref);
	xa_init_flags(&file->imports, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

/* No call and no transfer of this file runs: each holds it open. */
static int pnvme_release(struct inode *inode, struct file *filp)
{
	struct pnvme_file *file = filp->private_data;
	struct pnvme_import *entry;
	unsigned long handle;

	xa_for_each(&file->imports, handle, entry)
		import_free(file->ctrl, entry);
	xa_destroy(&file->imports);
	pnvme_ctrl_put(file->ctrl);
	kfree(file);
	return 0;
}

const struct file_operations pnvme_fops = {
	.owner = THIS_MODULE,
	.open = pnvme_open,
	.release = pnvme_release,
	.unlocked_ioctl = pnvme_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.uring_cmd = pnvme_uring_cmd,
};

/* The layout of the calls, the same on 32 and 64 bit, without holes, forever. */
#define PIN_SIZE(_struct, _size)					\
	static_assert(sizeof(struct _struct) == (_size))
#define PIN(_struct, _member, _offset)					\
	static_assert(offsetof(struct _struct, _member) == (_offset))

PIN_SIZE(peerbuf_nvme_import, 24);
PIN(peerbuf_nvme_import, flags, 4);
PIN(peerbuf_nvme_import, fd, 8);
PIN(peerbuf_nvme_import, direction, 12);
PIN(peerbuf_nvme_import, handle, 16);
PIN(peerbuf_nvme_import, reserved, 20);

PIN_SIZE(peerbuf_nvme_release, 8);
PIN(peerbuf_nvme_release, handle, 4);

PIN_SIZE(peerbuf_nvme_info, 112);
PIN(peerbuf_nvme_info, flags, 4);
PIN(peerbuf_nvme_info, nsid, 8);
PIN(peerbuf_nvme_info, next, 12);
PIN(peerbuf_nvme_info, blocks, 16);
PIN(peerbuf_nvme_info, block_size, 24);
PIN(peerbuf_nvme_info, max_transfer, 28);
PIN(peerbuf_nvme_info, queues, 32);
PIN(peerbuf_nvme_info, depth, 36);
PIN(peerbuf_nvme_info, model, 40);
PIN(peerbuf_nvme_info, serial, 80);
PIN(peerbuf_nvme_info, firmware, 100);
PIN(peerbuf_nvme_info, reserved, 108);

PIN_SIZE(peerbuf_nvme_io, 40);
PIN(peerbuf_nvme_io, flags, 4);
PIN(peerbuf_nvme_io, opcode, 8);
PIN(peerbuf_nvme_io, nsid, 12);
PIN(peerbuf_nvme_io, handle, 16);
PIN(peerbuf_nvme_io, blocks, 20);
PIN(peerbuf_nvme_io, lba, 24);
PIN(peerbuf_nvme_io, offset, 32);

PIN_SIZE(peerbuf_nvme_reset, 8);
PIN(peerbuf_nvme_reset, flags, 4);

static_assert(PEERBUF_NVME_IOC_IMPORT == 0xbe50);
static_assert(PEERBUF_NVME_IOC_RELEASE == 0xbe51);
static_assert(PEERBUF_NVME_IOC_INFO == 0xbe52);
static_assert(PEERBUF_NVME_IOC_IO == 0xbe53);
static_assert(PEERBUF_NVME_IOC_RESET == 0xbe54);
