// SPDX-License-Identifier: GPL-2.0-only
/* dma-bufs of other exporters, of ordinary memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "peerbuf_lib.h"

/* pb_udmabuf() - @length bytes of a memfd. Return: the dma-buf. */
int pb_udmabuf(size_t length)
{
	struct udmabuf_create create = { .size = length };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
	int memory = memfd_create("foreign", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	int dmabuf;

	if (device < 0 || memory < 0 || ftruncate(memory, length) ||
	    fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK))
		fail("cannot make a udmabuf; is CONFIG_UDMABUF on?");
	create.memfd = memory;
	dmabuf = must(pb_ioctl(device, UDMABUF_CREATE, &create));
	close(memory);
	close(device);
	return dmabuf;
}

/* pb_heap() - the system heap: whole pages, zero. Return: the dma-buf. */
int pb_heap(size_t length)
{
	struct dma_heap_allocation_data arg = {
		.len = (length + PAGE - 1) & ~(PAGE - 1),
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);

	if (heap < 0)
		fail("no /dev/dma_heap/system: %s", strerror(errno));
	must(pb_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &arg));
	close(heap);
	return arg.fd;
}
