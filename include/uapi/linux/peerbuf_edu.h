/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * peerbuf_edu: importer for QEMU's edu DMA engine (PCI 1234:11e8).
 *
 * A sample of an importer and an instrument for tests, not a product: the
 * engine moves at most 4096 bytes at a time between a dma-buf and a buffer of
 * its own, and takes 100 ms for it. Register map: QEMU, docs/specs/edu.rst.
 *
 * One node per engine, /dev/peerbuf/edu-<function>; imports belong to the open
 * file and end with it. Format and common errors of the calls are those of
 * linux/peerbuf.h, with these differences: offsets and lengths are any bytes,
 * not only whole pages; ENODEV says that the engine was unbound or unplugged,
 * after which only close() is of use; E2BIG is also a @size beyond a page.
 */
#ifndef _UAPI_LINUX_PEERBUF_EDU_H
#define _UAPI_LINUX_PEERBUF_EDU_H

#include <linux/ioctl.h>
#include <linux/peerbuf.h>
#include <linux/types.h>

/** PEERBUF_EDU_BUFFER_SIZE - bytes of the engine's own buffer */
#define PEERBUF_EDU_BUFFER_SIZE	4096

/** PEERBUF_EDU_MAX_IMPORTS - most imports of one open file */
#define PEERBUF_EDU_MAX_IMPORTS	64

/** PEERBUF_EDU_IMPORT_READ - the engine reads the dma-buf, and never writes */
#define PEERBUF_EDU_IMPORT_READ		(1U << 0)

/**
 * struct peerbuf_edu_import - argument of PEERBUF_EDU_IOC_IMPORT
 *
 * Attach the engine to a dma-buf of any exporter, and map it to read and to
 * write, or only to read, which is all that a read-only buffer allows. The lowest
 * free handle is given, from 1.
 *
 * Errors: EACCES, the buffer is read-only, and %PEERBUF_EDU_IMPORT_READ is not
 * set; EBADF and EINVAL, @fd is not open or not a dma-buf; EOPNOTSUPP, the
 * exporter refused the engine (for peerbuf's buffers, PEERBUF_IOC_ROUTE says
 * why), or gave an address that the engine cannot express; ENODEV, the buffer
 * was revoked, or the engine is gone; ENOSPC, %PEERBUF_EDU_MAX_IMPORTS are
 * there already; other exporters have further errors.
 */
struct peerbuf_edu_import {
	/** @size: sizeof(struct peerbuf_edu_import) */
	__u32 size;
	/** @flags: %PEERBUF_EDU_IMPORT_READ or 0 */
	__u32 flags;
	/** @fd: in: the dma-buf */
	__s32 fd;
	/** @handle: out: names the import in the other calls */
	__u32 handle;
};

#define PEERBUF_EDU_IOC_IMPORT	_IO(PEERBUF_IOC_TYPE, 0x40)

/**
 * struct peerbuf_edu_release - argument of PEERBUF_EDU_IOC_RELEASE
 *
 * Unmap and detach.
 *
 * Errors: ENOENT, no such handle.
 */
struct peerbuf_edu_release {
	/** @size: sizeof(struct peerbuf_edu_release) */
	__u32 size;
	/** @handle: in: from PEERBUF_EDU_IOC_IMPORT */
	__u32 handle;
};

#define PEERBUF_EDU_IOC_RELEASE	_IO(PEERBUF_IOC_TYPE, 0x41)

/**
 * enum peerbuf_edu_direction - which way a copy goes
 * @PEERBUF_EDU_TO_ENGINE: dma-buf to the engine's own buffer
 * @PEERBUF_EDU_FROM_ENGINE: the engine's own buffer to dma-buf
 */
enum peerbuf_edu_direction {
	PEERBUF_EDU_TO_ENGINE = 0,
	PEERBUF_EDU_FROM_ENGINE = 1,
};

/**
 * struct peerbuf_edu_copy - argument of PEERBUF_EDU_IOC_COPY
 *
 * One DMA; returns when the engine's interrupt says that it is done. Calls on
 * one engine wait for each other. Signals end that wait, and the one for the
 * exporter, but not a DMA that was started.
 *
 * Errors: ENOENT, no such handle; EINVAL, unknown @direction; EACCES, a copy to
 * the dma-buf on an import that says %PEERBUF_EDU_IMPORT_READ; ERANGE, beyond
 * the dma-buf or the engine's buffer; EXDEV, the piece is not contiguous for
 * the engine; ENODEV, the buffer was revoked, or the engine is gone; ETIMEDOUT,
 * no interrupt came, and the engine was cut off from the bus; EIO, that
 * happened earlier: unbind the engine from its driver and bind it again.
 */
struct peerbuf_edu_copy {
	/** @size: sizeof(struct peerbuf_edu_copy) */
	__u32 size;
	/** @handle: in: from PEERBUF_EDU_IOC_IMPORT */
	__u32 handle;
	/** @direction: in: &enum peerbuf_edu_direction */
	__u32 direction;
	/** @length: in: bytes, 1 to 4096 */
	__u32 length;
	/** @offset: in: bytes from the start of the dma-buf */
	__u64 offset;
	/** @engine_offset: in: bytes from the start of the engine's buffer */
	__u32 engine_offset;
	/** @flags: must be zero */
	__u32 flags;
};

#define PEERBUF_EDU_IOC_COPY	_IO(PEERBUF_IOC_TYPE, 0x42)

/**
 * struct peerbuf_edu_address - argument of PEERBUF_EDU_IOC_ADDRESS
 *
 * The DMA address that the engine would be given for a byte of the dma-buf.
 *
 * Errors: ENOENT, no such handle; ERANGE, beyond the dma-buf; ENODEV, the
 * buffer was revoked, or the engine is gone; EACCES, needs CAP_SYS_RAWIO, as
 * addresses help an attacker.
 */
struct peerbuf_edu_address {
	/** @size: sizeof(struct peerbuf_edu_address) */
	__u32 size;
	/** @handle: in: from PEERBUF_EDU_IOC_IMPORT */
	__u32 handle;
	/** @offset: in: bytes from the start of the dma-buf */
	__u64 offset;
	/** @address: out: DMA address */
	__u64 address;
	/** @contiguous: out: bytes from there that are contiguous for the engine */
	__u64 contiguous;
};

#define PEERBUF_EDU_IOC_ADDRESS	_IO(PEERBUF_IOC_TYPE, 0x43)

#endif /* _UAPI_LINUX_PEERBUF_EDU_H */
