/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf_igb: what its files share. Device and driver are in device.c, registers
 * in hw.c and phy.c, descriptors in ring.c. A slot begins in post.c and ends in
 * transfer.c, with a completion in done.c, on an import of import.c; the node and
 * its calls are in file.c.
 */
#ifndef PEERBUF_IGB_H
#define PEERBUF_IGB_H

#include <linux/io.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <uapi/linux/peerbuf_igb.h>

#include "regs.h"

struct dma_fence;
struct eventfd_ctx;
struct pci_dev;
struct peerbuf_import;

/* Descriptors of a ring; a multiple of 8 (7.1.6). One always stays empty. */
#define IGB_RING_SIZE		256
/* Slots of a ring, posted and not reaped */
#define IGB_RING_SLOTS		(IGB_RING_SIZE - 1)
/* Most pieces of a frame; a page each makes four of the longest */
#define IGB_MAX_PIECES		8

/**
 * struct igb_piece - contiguous for the device
 */
struct igb_piece {
	/** @address: DMA address */
	dma_addr_t address;
	/** @length: bytes */
	u32 length;
};

/**
 * struct igb_import - one import of the open file
 */
struct igb_import {
	/** @import: NULL once the device was unbound. Under &igb.lock */
	struct peerbuf_import *import;
	/** @handle: its name; constant */
	u32 handle;
	/** @flags: %PEERBUF_IGB_SEND and %PEERBUF_IGB_RECV; constant */
	u32 flags;
};

/**
 * struct igb_slot - a piece of a dma-buf that was posted
 *
 * Belongs to who posts it, then to the ring, whose lock protects it. Ends, with
 * its job, as a completion.
 */
struct igb_slot {
	/** @node: in &igb_ring.slots */
	struct list_head node;
	/** @ring: for which it is; constant */
	struct igb_ring *ring;
	/** @import: what @job runs on; there until @job ends */
	struct peerbuf_import *import;
	/** @job: tells the exporter that the device uses the memory */
	struct dma_fence *job;
	/** @stop: somebody wants the memory back; set at any time, never cleared */
	bool stop;
	/** @handle: of the import */
	u32 handle;
	/** @cookie: of the post */
	u64 cookie;
	/** @length: bytes */
	u32 length;
	/** @nr_pieces: used of @pieces; one for a receive slot */
	u32 nr_pieces;
	/** @pieces: the slot as the device sees it */
	struct igb_piece pieces[IGB_MAX_PIECES];
	/** @posted: when, in jiffies */
	unsigned long posted;
};

/**
 * struct igb_ring - one direction
 *
 * All under &igb.ring_lock but for what is constant.
 */
struct igb_ring {
	/** @igb: whose; constant */
	struct igb *igb;
	/** @direction: %PEERBUF_IGB_SEND or %PEERBUF_IGB_RECV; constant */
	u32 direction;
	/** @vector: its MSI-X vector, and bit in EIMS; constant */
	u32 vector;
	/** @desc: descriptors; as long as the device is bound */
	struct igb_desc *desc;
	/** @dma: address of @desc for the device */
	dma_addr_t dma;
	/** @head: descriptor of the first of @slots */
	u32 head;
	/** @tail: next descriptor to write */
	u32 tail;
	/** @used: descriptors that belong to the device; poll() reads it unlocked */
	u32 used;
	/** @slots: that the device works on, oldest first */
	struct list_head slots;
	/** @nr_slots: how many */
	u32 nr_slots;
	/** @taken: those, and completions that were not reaped */
	u32 taken;
	/** @spilled: receive: in the middle of a frame that was too long */
	bool spilled;
};

/**
 * struct igb_counters - since the file was opened
 *
 * Under &igb.ring_lock. As in &struct peerbuf_igb_info.
 */
struct igb_counters {
	/** @sent_frames: frames sent */
	u64 sent_frames;
	/** @sent_bytes: bytes of these */
	u64 sent_bytes;
	/** @received_frames: frames received */
	u64 received_frames;
	/** @received_bytes: bytes of these */
	u64 received_bytes;
	/** @cancelled: slots taken back */
	u64 cancelled;
	/** @missed: frames without a slot */
	u64 missed;
	/** @oversized: frames longer than a slot */
	u64 oversized;
	/** @resets: because of timeouts */
	u64 resets;
};

/**
 * struct igb - one port
 *
 * Lives until the device is unbound and the file of its node is closed.
 *
 * Locks, outermost first: @lock, then what peerbuf_import_*() takes, dma_resv
 * above all, then @ring_lock. Fences are signalled under @ring_lock, and waits
 * for fences happen under dma_resv: so nothing is allocated, and no other lock
 * that is held around an allocation is taken, under @ring_lock.
 */
struct igb {
	/** @ref: one for the bound device, one for the open file */
	struct kref ref;
	/** @pdev: the device. Not to be used once @gone */
	struct pci_dev *pdev;
	/** @regs: BAR 0; as @pdev */
	void __iomem *regs;

	/** @lock: serialises the calls of the file, and the unbind */
	struct mutex lock;
	/** @imports: handle to &struct igb_import. Under @lock */
	struct xarray imports;

	/** @ring_lock: the hardware, and all below; see above */
	struct mutex ring_lock;
	/**
	 * @gone: the device is being unbound; never cleared. Also read without
	 * the lock, by poll(), or after taking @lock, which the unbind takes
	 * later.
	 */
	bool gone;
	/** @open: somebody has the node open */
	bool open;
	/** @wanted: and is not about to close it */
	bool wanted;
	/** @resetting: the PCI core resets the function, and nobody may touch it */
	bool resetting;
	/** @up: the rings run: the file is open and the device works */
	bool up;
	/** @dead: could not be reset, and is cut off from the bus; never cleared */
	bool dead;
	/** @loopback: the port receives what it sends */
	bool loopback;
	/**
	 * @slot_size: bytes that the device may write to a receive slot. Changes
	 * under @lock, too.
	 */
	u32 slot_size;
	/** @send: transmit ring */
	struct igb_ring send;
	/** @recv: receive ring */
	struct igb_ring recv;
	/** @counters: for the user */
	struct igb_counters counters;
	/** @done: completions that were not reaped, a ring */
	struct peerbuf_igb_completion done[2 * IGB_RING_SLOTS];
	/** @done_first: the oldest in @done */
	u32 done_first;
	/** @nr_done: how many. Also read without the lock, by poll() */
	u32 nr_done;
	/** @eventfd: told of completions, or NULL */
	struct eventfd_ctx *eventfd;

	/** @wait: woken for completions, for room to send, and when @gone */
	wait_queue_head_t wait;
	/** @wq: of this port alone; makes progress when memory is short */
	struct workqueue_struct *wq;
	/** @cancel_work: takes slots back that are to stop */
	struct work_struct cancel_work;
	/** @watchdog: looks whether frames are sent in time; runs while some wait */
	struct delayed_work watchdog;

	/** @misc: the node; registered from probe to remove */
	struct miscdevice misc;
	/** @name: name of the node in sysfs, "igb-0000:03:00.0" */
	char name[32];
	/** @nodename: name of the node below /dev */
	char nodename[48];
};

static inline u32 igb_read(struct igb *igb, u32 reg)
{
	return readl(igb->regs + reg);
}

static inline void igb_write(struct igb *igb, u32 reg, u32 value)
{
	writel(value, igb->regs + reg);
}

/* device.c */
extern unsigned int igb_timeout_ms;
void igb_put(struct igb *igb);

/* phy.c */
int igb_phy_write(struct igb *igb, u32 reg, u16 value);

/* hw.c */
int igb_hw_reset(struct igb *igb);
int igb_hw_start(struct igb *igb);
void igb_hw_count(struct igb *igb);
bool igb_hw_link(struct igb *igb);

/* ring.c */
int igb_ring_alloc(struct igb_ring *ring);
void igb_ring_free(struct igb_ring *ring);
int igb_ring_start(struct igb_ring *ring);
int igb_ring_stop(struct igb_ring *ring);
void igb_ring_add(struct igb_ring *ring, struct igb_slot *slot);
void igb_ring_remove(struct igb_ring *ring, struct igb_slot *slot);
void igb_ring_tell(struct igb_ring *ring);
bool igb_ring_room(const struct igb_ring *ring);
bool igb_ring_done(struct igb_ring *ring, u32 *length, int *status);

/* import.c */
int igb_import(struct igb *igb, struct peerbuf_igb_import *arg);
void igb_import_free(struct igb *igb, struct igb_import *entry);
void igb_detach_all(struct igb *igb);

/* post.c */
int igb_post(struct igb *igb, struct igb_ring *ring, struct igb_import *entry,
	     const struct peerbuf_igb_post *arg);

/* transfer.c */
int igb_usable(struct igb *igb);
int igb_up(struct igb *igb);
void igb_down(struct igb *igb, int error);
int igb_restart(struct igb *igb);
void igb_harvest(struct igb_ring *ring);
void igb_cancel(struct igb *igb, struct peerbuf_import *import);
void igb_cancel_work(struct work_struct *work);
void igb_watch(struct igb *igb);
void igb_watchdog(struct work_struct *work);

/* done.c */
void igb_add_done(struct igb *igb, const struct igb_slot *slot, int status,
		  u32 length);
void igb_notify(struct igb *igb);
u32 igb_take_done(struct igb *igb, struct peerbuf_igb_completion *done, u32 nr);
void igb_give_back_done(struct igb *igb,
			const struct peerbuf_igb_completion *done, u32 nr);
void igb_forget_done(struct igb *igb, const struct peerbuf_igb_completion *done,
		     u32 nr);

/* file.c */
extern const struct file_operations igb_fops;

#endif /* PEERBUF_IGB_H */
