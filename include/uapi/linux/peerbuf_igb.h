/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * peerbuf_igb: frames of an Intel 82576 NIC (PCI 8086:10c9) from and to dma-bufs.
 *
 * There is no network interface: whoever opens the node of a port owns the port,
 * and sends and receives raw Ethernet frames, without their CRC. All frames on
 * the wire are received, whatever their destination.
 *
 * One node per port, /dev/peerbuf/igb-<function>, which can be open once at a
 * time, and passed on. It takes part of a second from open until the link is up
 * (&peerbuf_igb_info.flags). Slots, pieces of imported dma-bufs, are posted to
 * the port, which works on them in order; each ends as one completion:
 *
 *   IMPORT ─► POST_SEND, POST_RECV ─► poll() or eventfd ─► REAP
 *
 * poll() says EPOLLIN when there are completions, EPOLLOUT when a frame can be
 * posted to send, EPOLLERR and EPOLLHUP when the port is gone.
 *
 * Whoever lends the memory can take it back at any time: slots that wait for a
 * frame end with ECANCELED at once, frames being sent end on their own, or by
 * timeout, and no byte is written or read after that.
 *
 * Format and common errors of the calls are those of linux/peerbuf.h, with these
 * differences: offsets and lengths are bytes, not only whole pages; ENODEV says
 * that the port was unbound or unplugged, after which only REAP and close() are
 * of use, or that the buffer was revoked; EIO, that the port could not be reset:
 * unbind it from its driver and bind it again; EAGAIN, that the port is being
 * reset by somebody else.
 */
#ifndef _UAPI_LINUX_PEERBUF_IGB_H
#define _UAPI_LINUX_PEERBUF_IGB_H

#include <linux/ioctl.h>
#include <linux/peerbuf.h>
#include <linux/types.h>

/** PEERBUF_IGB_MAX_IMPORTS - most imports of one open file */
#define PEERBUF_IGB_MAX_IMPORTS		64

/** PEERBUF_IGB_MIN_FRAME - bytes of the shortest frame that can be sent */
#define PEERBUF_IGB_MIN_FRAME		60

/** PEERBUF_IGB_MAX_FRAME - bytes of the longest frame */
#define PEERBUF_IGB_MAX_FRAME		9216

/** PEERBUF_IGB_SLOT_UNIT - &peerbuf_igb_info.slot_size is a multiple of this */
#define PEERBUF_IGB_SLOT_UNIT		1024

/** PEERBUF_IGB_MAX_SLOT_SIZE - largest &peerbuf_igb_info.slot_size */
#define PEERBUF_IGB_MAX_SLOT_SIZE	9216

/** PEERBUF_IGB_DEFAULT_SLOT_SIZE - &peerbuf_igb_info.slot_size after open */
#define PEERBUF_IGB_DEFAULT_SLOT_SIZE	2048

/** PEERBUF_IGB_LINK_UP - the port has a link, and frames can be sent */
#define PEERBUF_IGB_LINK_UP		(1U << 0)
/** PEERBUF_IGB_LOOPBACK - what the port sends, it receives */
#define PEERBUF_IGB_LOOPBACK		(1U << 1)

/**
 * struct peerbuf_igb_info - argument of PEERBUF_IGB_IOC_INFO
 *
 * Counters begin at zero when the file is opened.
 */
struct peerbuf_igb_info {
	/** @size: sizeof(struct peerbuf_igb_info) */
	__u32 size;
	/** @flags: out: %PEERBUF_IGB_LINK_UP and others; zero on entry */
	__u32 flags;
	/** @mac: out: the port's own address */
	__u8 mac[6];
	/** @reserved: out: zero */
	__u16 reserved;
	/**
	 * @slot_size: out: bytes that the port may write to a receive slot;
	 * longer frames are dropped
	 */
	__u32 slot_size;
	/** @max_frame: out: bytes of the longest frame that can be sent */
	__u32 max_frame;
	/** @send_slots: out: most frames posted and not reaped, to send */
	__u32 send_slots;
	/** @recv_slots: out: most slots posted and not reaped, to receive */
	__u32 recv_slots;
	/** @sending: out: frames that the port is to send */
	__u32 sending;
	/** @waiting: out: slots that wait for a frame */
	__u32 waiting;
	/** @completions: out: what PEERBUF_IGB_IOC_REAP would return */
	__u32 completions;
	/** @reserved2: out: zero */
	__u32 reserved2;
	/** @sent_frames: out: frames sent */
	__u64 sent_frames;
	/** @sent_bytes: out: bytes of these */
	__u64 sent_bytes;
	/** @received_frames: out: frames received */
	__u64 received_frames;
	/** @received_bytes: out: bytes of these */
	__u64 received_bytes;
	/** @cancelled: out: slots that ended with ECANCELED */
	__u64 cancelled;
	/** @missed: out: frames for which there was no slot */
	__u64 missed;
	/**
	 * @oversized: out: frames that were longer than @slot_size, as far as
	 * the port counts them
	 */
	__u64 oversized;
	/** @resets: out: resets because a frame was not sent in time */
	__u64 resets;
};

#define PEERBUF_IGB_IOC_INFO	_IO(PEERBUF_IOC_TYPE, 0x60)

/** PEERBUF_IGB_SET_LOOPBACK - set @loopback */
#define PEERBUF_IGB_SET_LOOPBACK	(1U << 0)
/** PEERBUF_IGB_SET_SLOT_SIZE - set @slot_size */
#define PEERBUF_IGB_SET_SLOT_SIZE	(1U << 1)
/** PEERBUF_IGB_SET_EVENTFD - set @eventfd */
#define PEERBUF_IGB_SET_EVENTFD		(1U << 2)

/**
 * struct peerbuf_igb_set - argument of PEERBUF_IGB_IOC_SET
 *
 * Changes all that @fields names, or nothing. With loopback or another slot
 * size, the port is reset, and its link goes down for a while.
 *
 * Loopback is for tests, and set at the MAC and at the PHY: the 82576 knows the
 * latter only, QEMU's model either.
 *
 * Errors: EINVAL, @loopback is neither 0 nor 1, @slot_size is not as described,
 * a value is not zero that @fields does not name, or @eventfd is none; EBUSY,
 * slots are posted, and the port would have to be reset; EBADF, @eventfd is not
 * open.
 */
struct peerbuf_igb_set {
	/** @size: sizeof(struct peerbuf_igb_set) */
	__u32 size;
	/** @fields: in: %PEERBUF_IGB_SET_LOOPBACK and others */
	__u32 fields;
	/** @loopback: in: 1 to receive what the port sends, 0 for the wire */
	__u32 loopback;
	/**
	 * @slot_size: in: multiple of %PEERBUF_IGB_SLOT_UNIT, at most
	 * %PEERBUF_IGB_MAX_SLOT_SIZE
	 */
	__u32 slot_size;
	/** @eventfd: in: told of completions; -1 for none */
	__s32 eventfd;
	/** @reserved: must be zero */
	__u32 reserved;
};

#define PEERBUF_IGB_IOC_SET	_IO(PEERBUF_IOC_TYPE, 0x61)

/** PEERBUF_IGB_SEND - frames are sent from the dma-buf: the port reads it */
#define PEERBUF_IGB_SEND		(1U << 0)
/** PEERBUF_IGB_RECV - frames are received into the dma-buf: the port writes it */
#define PEERBUF_IGB_RECV		(1U << 1)

/**
 * struct peerbuf_igb_import - argument of PEERBUF_IGB_IOC_IMPORT
 *
 * Attach the port to a dma-buf of any exporter, and map it. The lowest free
 * handle is given, from 1.
 *
 * Errors: EINVAL, @flags is zero, or @fd is not a dma-buf; EBADF, @fd is not
 * open; EOPNOTSUPP, an unknown flag, or the exporter refused the port (for
 * peerbuf's buffers, PEERBUF_IOC_ROUTE says why), or gave an address that the
 * port cannot express; EACCES, the buffer is read-only, and @flags has
 * %PEERBUF_IGB_RECV, with which the port writes to it; ENODEV, the buffer was
 * revoked, or the port is gone; ENOSPC, %PEERBUF_IGB_MAX_IMPORTS are there
 * already; other exporters have further errors.
 */
struct peerbuf_igb_import {
	/** @size: sizeof(struct peerbuf_igb_import) */
	__u32 size;
	/** @flags: in: %PEERBUF_IGB_SEND, %PEERBUF_IGB_RECV or both */
	__u32 flags;
	/** @fd: in: the dma-buf */
	__s32 fd;
	/** @handle: out: names the import in the other calls */
	__u32 handle;
};

#define PEERBUF_IGB_IOC_IMPORT	_IO(PEERBUF_IOC_TYPE, 0x62)

/**
 * struct peerbuf_igb_release - argument of PEERBUF_IGB_IOC_RELEASE
 *
 * Cancel the slots that wait for a frame, wait for frames being sent, unmap and
 * detach. Their completions stay.
 *
 * Errors: ENOENT, no such handle.
 */
struct peerbuf_igb_release {
	/** @size: sizeof(struct peerbuf_igb_release) */
	__u32 size;
	/** @handle: in: from PEERBUF_IGB_IOC_IMPORT */
	__u32 handle;
};

#define PEERBUF_IGB_IOC_RELEASE	_IO(PEERBUF_IOC_TYPE, 0x63)

/**
 * struct peerbuf_igb_post - argument of PEERBUF_IGB_IOC_POST_SEND and _POST_RECV
 *
 * POST_SEND: the slot is a frame, from its destination address on, and is sent
 * as it is. It may not change until it has completed.
 *
 * POST_RECV: the slot is for one frame. The port writes to its first
 * &peerbuf_igb_info.slot_size bytes, and to none beyond: what does not fit is
 * not received.
 *
 * Errors: ENOENT, no such handle; EACCES, the import is not for this direction;
 * EMSGSIZE, a frame is shorter than %PEERBUF_IGB_MIN_FRAME or longer than
 * %PEERBUF_IGB_MAX_FRAME, or a receive slot smaller than
 * &peerbuf_igb_info.slot_size; EINVAL, @offset of a receive slot is odd; ERANGE,
 * beyond the dma-buf; EXDEV, the slot is not contiguous for the port, or the
 * frame is in more than 8 pieces; EAGAIN, as many slots as there can be are
 * posted or wait to be reaped; ENETDOWN, send: there is no link; ECANCELED,
 * receive: the memory was wanted back before the slot was in place; ENODEV, the
 * buffer was revoked, or the port is gone.
 */
struct peerbuf_igb_post {
	/** @size: sizeof(struct peerbuf_igb_post) */
	__u32 size;
	/** @handle: in: from PEERBUF_IGB_IOC_IMPORT */
	__u32 handle;
	/** @offset: in: bytes from the start of the dma-buf */
	__u64 offset;
	/** @cookie: in: comes back in the completion */
	__u64 cookie;
	/** @length: in: bytes */
	__u32 length;
	/** @flags: must be zero */
	__u32 flags;
};

#define PEERBUF_IGB_IOC_POST_SEND	_IO(PEERBUF_IOC_TYPE, 0x64)
#define PEERBUF_IGB_IOC_POST_RECV	_IO(PEERBUF_IOC_TYPE, 0x65)

/**
 * struct peerbuf_igb_completion - how a slot ended
 */
struct peerbuf_igb_completion {
	/** @cookie: of the post */
	__u64 cookie;
	/** @handle: of the post */
	__u32 handle;
	/** @direction: %PEERBUF_IGB_SEND or %PEERBUF_IGB_RECV */
	__u32 direction;
	/** @length: bytes that were sent or received; 0 if @status is not */
	__u32 length;
	/**
	 * @status: 0, or a negative errno: ECANCELED, a receive slot was taken
	 * back; ETIMEDOUT, a frame was not sent in time, and the port was
	 * reset; EMSGSIZE, a part of a frame that was too long was received;
	 * EIO, the frame was received with an error, or the port was reset from
	 * outside or does not work any more; ENODEV, the port is gone. What is
	 * in the slot is undefined then.
	 */
	__s32 status;
};

/**
 * struct peerbuf_igb_reap - argument of PEERBUF_IGB_IOC_REAP
 *
 * Take the oldest completions. Does not wait.
 *
 * Errors: EINVAL, @nr is zero; EFAULT, none could be written, or not @nr, and none
 * is lost.
 */
struct peerbuf_igb_reap {
	/** @size: sizeof(struct peerbuf_igb_reap) */
	__u32 size;
	/** @nr: in: room at @completions; out: how many there are, maybe 0 */
	__u32 nr;
	/** @completions: in: address of &struct peerbuf_igb_completion */
	__u64 completions;
};

#define PEERBUF_IGB_IOC_REAP	_IO(PEERBUF_IOC_TYPE, 0x66)

#endif /* _UAPI_LINUX_PEERBUF_IGB_H */
