// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU access: the buffer in page tables. User mappings fill in by faults and
 * are zapped by a revoke; kernel mappings cannot be taken back and so need the
 * export's permission.
 *
 * The doors to a read-only buffer, and what closes them:
 *
 * - mmap() for writing: the descriptor is O_RDONLY. Drivers forward mmap() on
 *   files of their own to dma_buf_mmap(), so peerbuf_cpu_mmap() looks as well;
 * - mprotect(), pkey_mprotect(), remap_file_pages(), mremap(), before and after
 *   fork(): VM_MAYWRITE is not set, or the new mapping inherits the old one;
 * - MAP_PRIVATE, which ptrace() may write to without VM_MAYWRITE: refused;
 * - whoever writes to memory of a process through its pages, such as
 *   /proc/<pid>/mem, ptrace(), process_vm_writev(), or io_uring's registered
 *   buffers: VM_PFNMAP, so there are no pages, and vm_ops has no access();
 * - a second, writable open of the file, as through /proc/<pid>/fd: the inode
 *   of a dma-buf cannot be opened;
 * - the kernel: export.c has no vmap for it, and peerbuf_cpu_begin() refuses;
 * - devices: export.c refuses to map in any direction but DMA_TO_DEVICE, and
 *   map.c tells that direction to the IOMMU.
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched.h>

#include "buffer.h"
#include "cpu_access.h"
#include "provider.h"
#include "trace.h"

static vm_fault_t fault_locked(struct peerbuf_buffer *buffer,
			       struct vm_fault *vmf)
{
	phys_addr_t phys;
	vm_fault_t ret;

	if (peerbuf_buffer_usable(buffer))
		return VM_FAULT_SIGBUS;
	if (peerbuf_buffer_locate(buffer, (u64)vmf->pgoff << PAGE_SHIFT, &phys))
		return VM_FAULT_SIGBUS;

	ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(phys));
	if (ret == VM_FAULT_NOPAGE)
		atomic64_inc(&buffer->window->counters.faults);
	return ret;
}

/*
 * The lock makes a fault either finish before a revoke zaps, or see the revoke.
 * The dma-buf rules have dma_resv inside mmap_lock.
 */
static vm_fault_t peerbuf_fault(struct vm_fault *vmf)
{
	struct peerbuf_buffer *buffer = vmf->vma->vm_private_data;
	struct dma_resv *resv = buffer->dmabuf->resv;
	vm_fault_t ret;

	if (dma_resv_lock_interruptible(resv, NULL))
		return VM_FAULT_NOPAGE;

	ret = fault_locked(buffer, vmf);
	dma_resv_unlock(resv);
	trace_peerbuf_fault(buffer, vmf->pgoff, ret);
	return ret;
}

static const struct vm_operations_struct peerbuf_vm_ops = {
	.fault = peerbuf_fault,
};

static bool may_write(const struct peerbuf_buffer *buffer)
{
	return !(buffer->flags & PEERBUF_EXPORT_READ_ONLY);
}

/**
 * peerbuf_cpu_mmap - map a buffer into a process
 * @dmabuf: of the buffer
 * @vma: shared; the dma-buf core has checked that it fits
 *
 * Write-combined where the BAR is prefetchable, else uncached.
 * Importers call this too, for a file of theirs that may be open for writing.
 *
 * Context: dma_buf_ops.mmap, mmap_lock held for writing.
 *
 * Return: 0; -EINVAL for a private mapping, whose copies would be of no use;
 * -EACCES for a writable one of a read-only buffer; -ENODEV after a revoke,
 * -EAGAIN in a stop.
 */
int peerbuf_cpu_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	int ret;

	/* not VM_SHARED, which a read-only descriptor does not get */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (!may_write(buffer)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	/* the fault handler has the last word, this one is for clear errors */
	ret = peerbuf_buffer_usable(buffer);
	if (ret)
		return ret;

	if (peerbuf_window_prefetchable(buffer->window))
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	else
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	/* a device's memory is not encrypted by the CPU */
	vma->vm_page_prot = pgprot_decrypted(vma->vm_page_prot);

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &peerbuf_vm_ops;
	vma->vm_private_data = buffer;
	trace_peerbuf_mmap(buffer, vma);
	return 0;
}

/**
 * peerbuf_cpu_zap - take a buffer out of every page table
 * @buffer: revoked or stopped, so that no fault brings it back
 *
 * Context: process, may sleep; dma_resv not held.
 */
void peerbuf_cpu_zap(struct peerbuf_buffer *buffer)
{
	unmap_mapping_range(buffer->inode->i_mapping, 0, 0, 1);
}

/**
 * peerbuf_cpu_count - how much of address spaces maps a buffer
 * @buffer: held by peerbuf_buffer_hold()
 * @nr: set to the number of areas
 * @bytes: set to their length, all together
 *
 * Looks at the areas as they are, by which mmap() and faults need not count, and
 * what fork(), mremap() and munmap() of a part make of them is right of itself.
 * Changes of an area's bounds are made under the same lock.
 *
 * Context: process, may sleep; takes the i_mmap_rwsem of the dma-buf's inode.
 */
void peerbuf_cpu_count(struct peerbuf_buffer *buffer, u32 *nr, u64 *bytes)
{
	struct address_space *mapping = buffer->inode->i_mapping;
	struct vm_area_struct *vma;
	struct rb_node *node;

	*nr = 0;
	*bytes = 0;
	i_mmap_lock_read(mapping);
	for (node = rb_first_cached(&mapping->i_mmap); node;
	     node = rb_next(node)) {
		vma = rb_entry(node, struct vm_area_struct, shared.rb);
		*bytes += vma->vm_end - vma->vm_start;
		(*nr)++;
		cond_resched();
	}
	i_mmap_unlock_read(mapping);
}

/**
 * peerbuf_cpu_vmap - map a buffer for the kernel
 * @dmabuf: of the buffer
 * @map: set to the I/O memory
 *
 * Context: dma_buf_ops.vmap, dma_resv held. Only for buffers of one range that
 * allow what cannot be revoked, and that are in use.
 *
 * Return: 0 or -ENOMEM.
 */
int peerbuf_cpu_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	void __iomem *mem;

	dma_resv_assert_held(dmabuf->resv);

	mem = peerbuf_window_map(buffer->window, buffer->extents[0].offset,
				 buffer->length);
	if (!mem)
		return -ENOMEM;

	WRITE_ONCE(buffer->users, buffer->users + 1);
	trace_peerbuf_vmap(buffer);
	iosys_map_set_vaddr_iomem(map, mem);
	return 0;
}

/**
 * peerbuf_cpu_vunmap - undo peerbuf_cpu_vmap()
 * @dmabuf: of the buffer
 * @map: from peerbuf_cpu_vmap()
 *
 * Context: dma_buf_ops.vunmap, dma_resv held.
 */
void peerbuf_cpu_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);

	iounmap(map->vaddr_iomem);
	trace_peerbuf_vunmap(buffer);
	peerbuf_buffer_unuse(buffer);
}

/* The direction is that of a device's DMA: what the CPU reads comes from it. */
static bool may_access(const struct peerbuf_buffer *buffer,
		       enum dma_data_direction dir)
{
	return dir == DMA_FROM_DEVICE || may_write(buffer);
}

/**
 * peerbuf_cpu_begin - the CPU is about to look at or change a buffer
 * @dmabuf: of the buffer
 * @dir: what the CPU is going to do
 *
 * Device memory is not cached, so there is nothing to invalidate.
 *
 * Context: dma_buf_ops.begin_cpu_access, may sleep.
 *
 * Return: 0; -EACCES for writes to a read-only buffer; -ENODEV after a revoke,
 * -EAGAIN in a stop.
 */
int peerbuf_cpu_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	int ret;

	if (!may_access(buffer, dir))
		return -EACCES;
	ret = peerbuf_buffer_usable(buffer);
	if (ret)
		return ret;

	/* no CPU read before the importer's "done" was seen */
	mb();
	return 0;
}

/**
 * peerbuf_cpu_end - the CPU is done
 * @dmabuf: of the buffer
 * @dir: what the CPU did
 *
 * What the CPU wrote has reached the device when this returns; an importer's
 * DMA, which takes another way, would else overtake it.
 *
 * Context: dma_buf_ops.end_cpu_access, may sleep.
 *
 * Return: 0; -EACCES for writes to a read-only buffer; -ENODEV after a revoke
 * or where the provider is gone; -EAGAIN in a stop, and what was written may be
 * lost.
 */
int peerbuf_cpu_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct peerbuf_buffer *buffer = dmabuf->priv;
	int ret;

	if (!may_access(buffer, dir))
		return -EACCES;
	ret = peerbuf_buffer_usable(buffer);
	if (!ret)
		ret = peerbuf_provider_access(buffer->provider);
	if (ret)
		return ret;

	if (dir != DMA_FROM_DEVICE)
		peerbuf_window_flush(buffer->window);
	peerbuf_provider_access_end(buffer->provider);
	return 0;
}
