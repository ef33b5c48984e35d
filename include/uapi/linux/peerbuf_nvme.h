/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * peerbuf_nvme: blocks of an NVMe drive, read into and written from any dma-buf.
 *
 * One node per controller, /dev/peerbuf/nvme-<function>; imports belong to the
 * open file and end with it. A transfer goes straight between the drive and the
 * memory behind the dma-buf, whoever exported it.
 *
 * Format and common errors of the calls are those of linux/peerbuf.h. Errors
 * that mean the same in all of these: ENODEV, the controller was unbound or
 * pulled out, after which only close() is of use; EIO, the controller failed a
 * command, was reset under it, or has stopped for good (PEERBUF_NVME_IOC_RESET
 * says whether it can be brought back); ENXIO, no such namespace; E2BIG is also
 * a @size beyond a page.
 *
 * The drive's contents are the node owner's to give away: whoever can open the
 * node, or is passed its descriptor, reads every block, and writes every block
 * if the file is open for writing.
 */
#ifndef _UAPI_LINUX_PEERBUF_NVME_H
#define _UAPI_LINUX_PEERBUF_NVME_H

#include <linux/ioctl.h>
#include <linux/peerbuf.h>
#include <linux/types.h>

/** PEERBUF_NVME_MAX_IMPORTS - most imports of one open file */
#define PEERBUF_NVME_MAX_IMPORTS	64

/**
 * enum peerbuf_nvme_direction - what an import is for
 * @PEERBUF_NVME_BOTH: read from the drive and write to it
 * @PEERBUF_NVME_TO_DRIVE: the controller only reads the dma-buf
 * @PEERBUF_NVME_FROM_DRIVE: the controller only writes the dma-buf
 */
enum peerbuf_nvme_direction {
	PEERBUF_NVME_BOTH = 0,
	PEERBUF_NVME_TO_DRIVE = 1,
	PEERBUF_NVME_FROM_DRIVE = 2,
};

/**
 * struct peerbuf_nvme_import - argument of PEERBUF_NVME_IOC_IMPORT
 *
 * Attach the controller to a dma-buf of any exporter, and map it. The lowest
 * free handle is given, from 1.
 *
 * Errors: EBADF and EINVAL, @fd is not open or not a dma-buf; EINVAL, unknown
 * @direction; EOPNOTSUPP, the exporter refused the controller (for peerbuf's
 * buffers, PEERBUF_IOC_ROUTE says why), or gave an address that the controller
 * cannot express; EACCES, the buffer is read-only, and @direction has the device
 * write to it; ECANCELED, the buffer was revoked; ENOSPC,
 * %PEERBUF_NVME_MAX_IMPORTS are there already; other exporters have further
 * errors.
 */
struct peerbuf_nvme_import {
	/** @size: sizeof(struct peerbuf_nvme_import) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
	/** @fd: in: the dma-buf */
	__s32 fd;
	/** @direction: in: &enum peerbuf_nvme_direction */
	__u32 direction;
	/** @handle: out: names the import in the other calls */
	__u32 handle;
	/** @reserved: must be zero */
	__u32 reserved;
};

#define PEERBUF_NVME_IOC_IMPORT		_IO(PEERBUF_IOC_TYPE, 0x50)

/**
 * struct peerbuf_nvme_release - argument of PEERBUF_NVME_IOC_RELEASE
 *
 * Unmap and detach, after the transfers that run on the import.
 *
 * Errors: ENOENT, no such handle.
 */
struct peerbuf_nvme_release {
	/** @size: sizeof(struct peerbuf_nvme_release) */
	__u32 size;
	/** @handle: in: from PEERBUF_NVME_IOC_IMPORT */
	__u32 handle;
};

#define PEERBUF_NVME_IOC_RELEASE	_IO(PEERBUF_IOC_TYPE, 0x51)

/** PEERBUF_NVME_READ_ONLY - the namespace is write protected */
#define PEERBUF_NVME_READ_ONLY		(1U << 0)
/** PEERBUF_NVME_SGL - the controller takes scatter gather lists */
#define PEERBUF_NVME_SGL		(1U << 1)
/** PEERBUF_NVME_WRITE_CACHE - what was written may be lost without a flush */
#define PEERBUF_NVME_WRITE_CACHE	(1U << 2)

/**
 * struct peerbuf_nvme_info - argument of PEERBUF_NVME_IOC_INFO
 *
 * A namespace and its controller, as they were when the controller was last
 * started or reset. Namespaces of blocks of less than 512 or more than 4096
 * bytes, or with metadata, are left out.
 *
 * Errors: EINTR, while a reset was waited for.
 */
struct peerbuf_nvme_info {
	/** @size: sizeof(struct peerbuf_nvme_info) */
	__u32 size;
	/** @flags: out: %PEERBUF_NVME_READ_ONLY and others; zero on entry */
	__u32 flags;
	/** @nsid: in: number of the namespace, 0 for the first; out: its number */
	__u32 nsid;
	/** @next: out: number of the following namespace, 0 after the last */
	__u32 next;
	/** @blocks: out: blocks of the namespace */
	__u64 blocks;
	/** @block_size: out: bytes of a block, a power of two from 512 to 4096 */
	__u32 block_size;
	/** @max_transfer: out: bytes of one command; longer transfers are split */
	__u32 max_transfer;
	/** @queues: out: I/O queues, at most one per CPU */
	__u32 queues;
	/** @depth: out: commands that one queue holds at a time */
	__u32 depth;
	/** @model: out: of Identify, without the spaces at the end; no 0 if full */
	char model[40];
	/** @serial: out: likewise */
	char serial[20];
	/** @firmware: out: likewise */
	char firmware[8];
	/** @reserved: must be zero */
	__u32 reserved;
};

#define PEERBUF_NVME_IOC_INFO		_IO(PEERBUF_IOC_TYPE, 0x52)

/**
 * enum peerbuf_nvme_opcode - what a transfer does
 * @PEERBUF_NVME_READ: blocks of the drive to the dma-buf
 * @PEERBUF_NVME_WRITE: the dma-buf to blocks of the drive
 * @PEERBUF_NVME_FLUSH: what was written before is made to last; @handle,
 *	@offset, @lba and @blocks are zero
 */
enum peerbuf_nvme_opcode {
	PEERBUF_NVME_READ = 0,
	PEERBUF_NVME_WRITE = 1,
	PEERBUF_NVME_FLUSH = 2,
};

/** PEERBUF_NVME_FUA - with a write: it ends when the blocks will last */
#define PEERBUF_NVME_FUA		(1U << 0)

/**
 * struct peerbuf_nvme_io - argument of PEERBUF_NVME_IOC_IO
 *
 * One transfer of any number of blocks, which is split into as many commands as
 * the controller needs. Calls of many threads run at the same time. A signal
 * ends the call only as long as nothing was submitted (EINTR).
 *
 * The same struct is the command of IORING_OP_URING_CMD, with @cmd_op
 * PEERBUF_NVME_IOC_IO, in rings with IORING_SETUP_SQE128 (or
 * IORING_OP_URING_CMD128); the result of the completion is 0 or a negative
 * errno. It cannot be cancelled: it ends by itself, at the latest by the
 * timeout.
 *
 * Data goes by PRP or, where the controller takes them, by SGL. A PRP needs
 * memory whose bus addresses are aligned to 4 bytes, and which is only broken
 * where 4 KiB pages of the bus address, or blocks, end. So does all memory that
 * is made of whole pages.
 *
 * After an error, each block of the transfer may or may not have been written.
 *
 * Errors: EOPNOTSUPP, unknown bits in @flags; EINVAL, unknown @opcode, no
 * blocks, @offset is not a multiple of the block size, or a member that a flush
 * does not use is set; EACCES, a write, and the file is not open for writing,
 * or the import is not for this direction; ENOENT, no such handle; ERANGE,
 * beyond the namespace or the dma-buf; EOVERFLOW, beyond 64 bits; EROFS, the
 * namespace is write protected; ECANCELED, the exporter has taken the memory
 * away before or during the transfer; EXDEV, the memory cannot be expressed as
 * PRP (nor SGL); ETIMEDOUT, the controller did not answer in time and the
 * command was aborted, or the controller reset; ENODATA, the medium failed;
 * ENOSPC, the namespace has no capacity left; EINTR.
 */
struct peerbuf_nvme_io {
	/** @size: sizeof(struct peerbuf_nvme_io) */
	__u32 size;
	/** @flags: in: %PEERBUF_NVME_FUA */
	__u32 flags;
	/** @opcode: in: &enum peerbuf_nvme_opcode */
	__u32 opcode;
	/** @nsid: in: number of the namespace */
	__u32 nsid;
	/** @handle: in: from PEERBUF_NVME_IOC_IMPORT */
	__u32 handle;
	/** @blocks: in: number of blocks */
	__u32 blocks;
	/** @lba: in: first block */
	__u64 lba;
	/** @offset: in: bytes from the start of the dma-buf */
	__u64 offset;
};

#define PEERBUF_NVME_IOC_IO		_IO(PEERBUF_IOC_TYPE, 0x53)

/**
 * struct peerbuf_nvme_reset - argument of PEERBUF_NVME_IOC_RESET
 *
 * Reset the controller, and look at its namespaces again. Transfers that run
 * fail with EIO, new ones wait. Works too on a controller that has stopped.
 *
 * Errors: EACCES, the file is not open for writing; EIO, it does not come back:
 * it stays stopped, and cut off from the bus.
 */
struct peerbuf_nvme_reset {
	/** @size: sizeof(struct peerbuf_nvme_reset) */
	__u32 size;
	/** @flags: must be zero */
	__u32 flags;
};

#define PEERBUF_NVME_IOC_RESET		_IO(PEERBUF_IOC_TYPE, 0x54)

#endif /* _UAPI_LINUX_PEERBUF_NVME_H */
