/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf_test: instruments for the selftests, behind /dev/peerbuf_test.
 *
 * Importers of every class on behalf of any PCI function, kernel mappings, the
 * kernel's own address maker as an oracle, and a look at page tables. All
 * objects belong to the open file and end with it. Not an ABI: the module and
 * the tests are built together.
 */
#ifndef _PEERBUF_TEST_UAPI_H
#define _PEERBUF_TEST_UAPI_H

#include <linux/ioctl.h>
#include <linux/peerbuf.h>
#include <linux/types.h>

#define PEERBUF_TEST_IOC_TYPE	0xBF

/**
 * enum peerbuf_test_kind - class of an importer
 * @PEERBUF_TEST_REVOCABLE: unmaps inside its invalidate callback
 * @PEERBUF_TEST_SLOW: unmaps some time after its invalidate callback
 * @PEERBUF_TEST_PINNED: takes peer memory, cannot be told to let go
 * @PEERBUF_TEST_NO_PEER: can be told to let go, does not take peer memory
 * @PEERBUF_TEST_STATIC: a plain dma_buf_attach()
 * @PEERBUF_TEST_STUBBORN: has an invalidate callback, which does nothing
 * @PEERBUF_TEST_GREEDY: maps again inside its invalidate callback, before and
 *	after it unmaps
 */
enum peerbuf_test_kind {
	PEERBUF_TEST_REVOCABLE = 0,
	PEERBUF_TEST_SLOW = 1,
	PEERBUF_TEST_PINNED = 2,
	PEERBUF_TEST_NO_PEER = 3,
	PEERBUF_TEST_STATIC = 4,
	PEERBUF_TEST_STUBBORN = 5,
	PEERBUF_TEST_GREEDY = 6,
};

/**
 * enum peerbuf_test_direction - what the device does, as the kernel numbers it
 * @PEERBUF_TEST_BOTH: reads and writes
 * @PEERBUF_TEST_TO_DEVICE: reads
 * @PEERBUF_TEST_FROM_DEVICE: writes
 */
enum peerbuf_test_direction {
	PEERBUF_TEST_BOTH = 0,
	PEERBUF_TEST_TO_DEVICE = 1,
	PEERBUF_TEST_FROM_DEVICE = 2,
};

/**
 * struct peerbuf_test_attach - attach @importer to the dma-buf @fd
 */
struct peerbuf_test_attach {
	/** @kind: &enum peerbuf_test_kind */
	__u32 kind;
	/** @fd: the dma-buf */
	__s32 fd;
	/** @importer: on whose behalf; must be bound to a driver */
	struct peerbuf_function importer;
	/** @delay_ms: for %PEERBUF_TEST_SLOW */
	__u32 delay_ms;
	/** @handle: out */
	__u32 handle;
	/** @direction: of its maps: &enum peerbuf_test_direction */
	__u32 direction;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_TEST_ATTACH \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x00, struct peerbuf_test_attach)

/**
 * struct peerbuf_test_handle - names an attachment or a kernel mapping
 */
struct peerbuf_test_handle {
	/** @handle: from ATTACH or VMAP */
	__u32 handle;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_TEST_DETACH \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x01, struct peerbuf_test_handle)
#define PEERBUF_TEST_MAP \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x02, struct peerbuf_test_handle)
#define PEERBUF_TEST_UNMAP \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x03, struct peerbuf_test_handle)
#define PEERBUF_TEST_PIN \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x04, struct peerbuf_test_handle)
#define PEERBUF_TEST_UNPIN \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x05, struct peerbuf_test_handle)

/**
 * struct peerbuf_test_segment - contiguous for the importer and in memory
 */
struct peerbuf_test_segment {
	/** @address: DMA address */
	__u64 address;
	/** @phys: physical address behind it, or 0 where no IOMMU translates */
	__u64 phys;
	/** @length: bytes */
	__u64 length;
};

/**
 * struct peerbuf_test_map_info - what a mapped attachment looks like
 */
struct peerbuf_test_map_info {
	/** @handle: from ATTACH */
	__u32 handle;
	/** @mapped: out: 1 while mapped; the rest is only set then */
	__u32 mapped;
	/** @invalidations: out: how often it was told to let go */
	__u32 invalidations;
	/** @nents: out: entries of the sg_table */
	__u32 nents;
	/** @orig_nents: out: CPU entries, 0 if the core does not wrap tables */
	__u32 orig_nents;
	/** @nr_pages: out: entries that name a struct page */
	__u32 nr_pages;
	/** @max_seg: out: dma_get_max_seg_size() of the importer */
	__u32 max_seg;
	/** @wrapped: out: 1 where the core hides the exporter's table */
	__u32 wrapped;
	/** @longest: out: bytes of the longest entry */
	__u64 longest;
	/** @segments: in: address of room for @nr_segments */
	__u64 segments;
	/** @nr_segments: in: room, at most 4096; out: used */
	__u32 nr_segments;
	/** @regained: out: maps that %PEERBUF_TEST_GREEDY was granted */
	__u32 regained;
};

#define PEERBUF_TEST_MAP_INFO \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x06, struct peerbuf_test_map_info)

/**
 * struct peerbuf_test_vmap - map a dma-buf into the kernel
 */
struct peerbuf_test_vmap {
	/** @fd: the dma-buf */
	__s32 fd;
	/** @handle: out */
	__u32 handle;
};

#define PEERBUF_TEST_VMAP \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x08, struct peerbuf_test_vmap)
#define PEERBUF_TEST_VUNMAP \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x09, struct peerbuf_test_handle)

/**
 * struct peerbuf_test_access - read or write through a kernel mapping
 */
struct peerbuf_test_access {
	/** @handle: from VMAP */
	__u32 handle;
	/** @write: 0 to read, 1 to write */
	__u32 write;
	/** @offset: bytes from the start of the dma-buf */
	__u64 offset;
	/** @data: address of the caller's bytes */
	__u64 data;
	/** @length: bytes, at most 4096 */
	__u32 length;
	/** @is_iomem: out: 1 if the mapping is device memory */
	__u32 is_iomem;
};

#define PEERBUF_TEST_ACCESS \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x0a, struct peerbuf_test_access)

/**
 * struct peerbuf_test_oracle - addresses as dma_buf_phys_vec_to_sgt() makes them
 *
 * EOPNOTSUPP without CONFIG_PCI_P2PDMA; otherwise the kernel's own answer.
 */
struct peerbuf_test_oracle {
	/** @provider: must be bound to a driver */
	struct peerbuf_function provider;
	/** @importer: must be bound to a driver */
	struct peerbuf_function importer;
	/** @bar: number of the provider's BAR */
	__u32 bar;
	/** @nr_ranges: in: 1 to 64 */
	__u32 nr_ranges;
	/** @ranges: in: address of ranges, relative to the BAR */
	__u64 ranges;
	/** @segments: in: address of room for @nr_segments */
	__u64 segments;
	/** @nr_segments: in: room, at most 4096; out: used */
	__u32 nr_segments;
	/**
	 * @fresh: in: 1 to have the kernel look at the topology anew, and without
	 * a word in the log; 0 for what it remembers, if it does
	 */
	__u32 fresh;
};

#define PEERBUF_TEST_ORACLE \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x10, struct peerbuf_test_oracle)

/**
 * enum peerbuf_test_cache - cache mode of a page table entry
 * @PEERBUF_TEST_CACHED: neither of the others
 * @PEERBUF_TEST_WRITE_COMBINED: pgprot_writecombine()
 * @PEERBUF_TEST_UNCACHED: pgprot_noncached()
 */
enum peerbuf_test_cache {
	PEERBUF_TEST_CACHED = 0,
	PEERBUF_TEST_WRITE_COMBINED = 1,
	PEERBUF_TEST_UNCACHED = 2,
};

/**
 * struct peerbuf_test_page - the caller's page table entry for an address
 */
struct peerbuf_test_page {
	/** @address: in: the caller's virtual address */
	__u64 address;
	/** @phys: out: physical address of the page */
	__u64 phys;
	/** @cache: out: &enum peerbuf_test_cache */
	__u32 cache;
	/** @writable: out: 1 if so */
	__u32 writable;
};

#define PEERBUF_TEST_PAGE \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x18, struct peerbuf_test_page)

/**
 * enum peerbuf_test_style - whose calls and checks a bind makes
 * @PEERBUF_TEST_DEVMEM_RX: devmem TCP, to receive
 * @PEERBUF_TEST_DEVMEM_TX: devmem TCP, to send
 * @PEERBUF_TEST_ZCRX: io_uring's zero-copy receive
 * @PEERBUF_TEST_RDMA_PINNED: RDMA drivers that pin
 * @PEERBUF_TEST_RDMA_REVOCABLE: RDMA drivers that pin, and can give it back
 */
enum peerbuf_test_style {
	PEERBUF_TEST_DEVMEM_RX = 0,
	PEERBUF_TEST_DEVMEM_TX = 1,
	PEERBUF_TEST_ZCRX = 2,
	PEERBUF_TEST_RDMA_PINNED = 3,
	PEERBUF_TEST_RDMA_REVOCABLE = 4,
};

/**
 * struct peerbuf_test_bind - bind a dma-buf to a NIC, as the kernel does it
 */
struct peerbuf_test_bind {
	/** @style: &enum peerbuf_test_style */
	__u32 style;
	/** @fd: the dma-buf */
	__s32 fd;
	/** @importer: the NIC; must be bound to a driver */
	struct peerbuf_function importer;
	/** @shift: devmem, zcrx: log2 of the size of a receive buffer */
	__u32 shift;
	/** @handle: out */
	__u32 handle;
	/** @offset: zcrx, RDMA: where it begins in the dma-buf */
	__u64 offset;
	/** @length: zcrx, RDMA: bytes */
	__u64 length;
};

#define PEERBUF_TEST_BIND \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x20, struct peerbuf_test_bind)
#define PEERBUF_TEST_UNBIND \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x21, struct peerbuf_test_handle)

/**
 * struct peerbuf_test_bound - what a bind has
 */
struct peerbuf_test_bound {
	/** @handle: from BIND */
	__u32 handle;
	/** @revoked: out: 1 if the exporter took it back */
	__u32 revoked;
	/** @blocks: out: buffers, or pages for RDMA, that the NIC was told of */
	__u64 blocks;
	/** @first: out: DMA address of the first */
	__u64 first;
};

#define PEERBUF_TEST_BOUND \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x22, struct peerbuf_test_bound)

/**
 * struct peerbuf_test_wait - wait for all fences of a dma-buf
 *
 * As memory management does: for %DMA_RESV_USAGE_BOOKKEEP. ETIME if they are
 * not signalled in time.
 */
struct peerbuf_test_wait {
	/** @fd: the dma-buf */
	__s32 fd;
	/** @timeout_ms: how long at most */
	__u32 timeout_ms;
};

#define PEERBUF_TEST_WAIT \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x28, struct peerbuf_test_wait)

/**
 * struct peerbuf_test_fence - the fences of a dma-buf, as a sync_file
 *
 * For %DMA_RESV_USAGE_BOOKKEEP, which jobs are. ENODATA if there are none.
 */
struct peerbuf_test_fence {
	/** @dmabuf: the dma-buf */
	__s32 dmabuf;
	/** @fd: out: the sync_file */
	__s32 fd;
};

#define PEERBUF_TEST_FENCE \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x29, struct peerbuf_test_fence)

/**
 * struct peerbuf_test_pieces - a dma-buf of pieces, each before the one before
 *
 * Byte i of the dma-buf is byte i % @piece of the piece @count - 1 - i / @piece
 * of the memory, which is what mmap() shows.
 */
struct peerbuf_test_pieces {
	/** @piece: bytes of each */
	__u32 piece;
	/** @count: how many */
	__u32 count;
	/** @fd: out: the dma-buf */
	__s32 fd;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_TEST_PIECES \
	_IOWR(PEERBUF_TEST_IOC_TYPE, 0x30, struct peerbuf_test_pieces)

/**
 * struct peerbuf_test_forward - let mmap() on this file map a dma-buf
 *
 * As drivers do whose files map what they imported: by dma_buf_mmap().
 */
struct peerbuf_test_forward {
	/** @fd: the dma-buf */
	__s32 fd;
	/** @reserved: zero */
	__u32 reserved;
};

#define PEERBUF_TEST_FORWARD \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x38, struct peerbuf_test_forward)

/**
 * struct peerbuf_test_stray - have an edu engine DMA to any address
 *
 * Whatever the address was mapped for, and behind the back of the engine's
 * driver, which nobody may be using. ETIMEDOUT if the engine does not stop.
 */
struct peerbuf_test_stray {
	/** @engine: the function */
	struct peerbuf_function engine;
	/** @address: DMA address */
	__u64 address;
	/** @length: bytes, at most 4096 */
	__u32 length;
	/** @write: 1 from the engine's own buffer to @address, 0 the other way */
	__u32 write;
};

#define PEERBUF_TEST_STRAY \
	_IOW(PEERBUF_TEST_IOC_TYPE, 0x40, struct peerbuf_test_stray)

#endif /* _PEERBUF_TEST_UAPI_H */
