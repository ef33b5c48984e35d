/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf_nvme: what its files share. Data goes down:
 *
 *   file.c, uring.c   calls and handles of users
 *   request.c         a transfer: split, run, end
 *   data.c            where its data lies, as PRP or SGL
 *   queue.c           rings, slots, interrupts
 *   namespace.c       what the drive holds
 *   admin.c           commands on the admin queue
 *   recovery.c        what does not end by itself: timeout, abort, reset
 *   controller.c      registers: start, stop
 *   pci.c             the function, bound and unbound
 */
#ifndef PEERBUF_NVME_H
#define PEERBUF_NVME_H

#include <linux/bits.h>
#include <linux/completion.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/nvme.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct dma_fence;
struct io_uring_cmd;
struct pci_dev;
struct peerbuf_import;
struct peerbuf_nvme_info;
struct peerbuf_nvme_io;
struct pnvme_ctrl;
struct pnvme_queue;
struct pnvme_slot;
struct scatterlist;
struct sg_table;

/* The controller's memory page (CC.MPS), whatever the host's is */
#define PNVME_PAGE		4096U
/* Entries of a PRP list or an SGL segment, which are one such page */
#define PNVME_MAX_PRPS		(PNVME_PAGE / sizeof(__le64))
#define PNVME_MAX_SGLS		(PNVME_PAGE / sizeof(struct nvme_sgl_desc))
/* What one page of PRPs describes, wherever in a page the data begins */
#define PNVME_MAX_TRANSFER	(PNVME_MAX_PRPS * PNVME_PAGE)

#define PNVME_ADMIN_DEPTH	32
/* A command id is a slot's number in these bits, and its turn in the others */
#define PNVME_SLOT_BITS		12
#define PNVME_MAX_DEPTH		BIT_U32(PNVME_SLOT_BITS)

/**
 * enum pnvme_state - of a queue
 * @PNVME_CLOSED: not on the controller; nothing is in flight
 * @PNVME_DRAINING: what is in flight may end, nothing is submitted
 * @PNVME_LIVE: in use
 */
enum pnvme_state {
	PNVME_CLOSED,
	PNVME_DRAINING,
	PNVME_LIVE,
};

/**
 * struct pnvme_slot - one command of a queue, and the memory that it needs
 *
 * Taken by pnvme_slot_get(), and its taker's own until pnvme_slot_put(), but
 * for the time in flight, when it belongs to the queue.
 */
struct pnvme_slot {
	/** @queue: constant */
	struct pnvme_queue *queue;
	/** @list: a page for a PRP list or an SGL segment; NULL on the admin queue */
	void *list;
	/** @list_dma: DMA address of @list */
	dma_addr_t list_dma;
	/** @command: what pnvme_slot_submit() submits */
	struct nvme_command command;
	/**
	 * @end: called once for each submission, when the controller is through
	 * with it, in any context: @outcome is 0, an NVMe status, or a negative
	 * errno if it was cut off; @result is dword 0 of the completion
	 */
	void (*end)(struct pnvme_slot *slot, int outcome, u32 result);
	/** @owner: for @end */
	void *owner;
	/** @deadline: jiffies after which it is late. In flight, under the queue's lock */
	unsigned long deadline;
	/** @index: which one of the queue; constant */
	u16 index;
	/** @turn: of the command id; changes with each submission. As @deadline */
	u16 turn;
	/** @in_flight: as @deadline */
	bool in_flight;
	/** @late: it was late once, and its abort asked for. As @deadline */
	bool late;
	/** @lost: nobody waits for it, but the controller has it. As @deadline */
	bool lost;
};

/**
 * struct pnvme_queue - a submission and a completion queue
 *
 * Lives as long as the controller's struct; the DMA memory, from probe to the
 * end of remove.
 */
struct pnvme_queue {
	/** @ctrl: whose it is; constant */
	struct pnvme_ctrl *ctrl;
	/** @id: 0 for the admin queue; constant */
	u16 id;
	/** @depth: entries of both rings; constant */
	u16 depth;
	/** @nr_slots: commands in flight at most, so that no ring overruns; constant */
	u16 nr_slots;
	/** @irq: Linux number of the interrupt, 0 for none; probe and remove only */
	int irq;
	/** @sq_doorbell: where the tail goes; constant */
	void __iomem *sq_doorbell;
	/** @cq_doorbell: where the head goes; constant */
	void __iomem *cq_doorbell;
	/** @sq: submission ring. Under @lock */
	struct nvme_command *sq;
	/** @sq_dma: DMA address of @sq */
	dma_addr_t sq_dma;
	/** @cq: completion ring. Under @lock */
	struct nvme_completion *cq;
	/** @cq_dma: DMA address of @cq */
	dma_addr_t cq_dma;
	/** @slots: array of @nr_slots */
	struct pnvme_slot *slots;
	/** @wait: for a free slot, or a change of @state */
	wait_queue_head_t wait;

	/** @lock: protects the members below and rings; taken in interrupts */
	spinlock_t lock;
	/** @state: see &enum pnvme_state */
	enum pnvme_state state;
	/** @refusal: why it is not live: 0, it will be again; else the errno */
	int refusal;
	/** @used: bitmap of the slots that are taken */
	unsigned long *used;
	/** @in_flight: number of slots in flight */
	unsigned int in_flight;
	/** @tail: next entry of @sq to write */
	u16 tail;
	/** @head: next entry of @cq to read */
	u16 head;
	/** @phase: what the phase tag of a new entry at @head is */
	u8 phase;
};

/**
 * struct pnvme_namespace - what Identify says of a namespace
 */
struct pnvme_namespace {
	/** @blocks: number of blocks */
	u64 blocks;
	/** @nsid: its number */
	u32 nsid;
	/** @shift: a block is 1 << @shift bytes */
	u8 shift;
	/** @read_only: write protected */
	bool read_only;
};

/**
 * struct pnvme_namespaces - those that can be used, in order of their numbers
 */
struct pnvme_namespaces {
	/** @rcu: frees it */
	struct rcu_head rcu;
	/** @nr: entries of @ns */
	unsigned int nr;
	/** @ns: in order of &pnvme_namespace.nsid */
	struct pnvme_namespace ns[] __counted_by(nr);
};

/**
 * struct pnvme_ctrl - one controller
 *
 * Lives until the function is unbound and the last file of its node is closed.
 *
 * Calls run in a read section of @srcu, wherever they use the device. The unbind
 * sets @gone, ends all that is in flight, and waits for the read sections.
 *
 * Lock order: @srcu, @imports_lock, then whatever peerbuf_import_*() takes;
 * @lifecycle, @admin_lock, then what waits for nobody's memory: the end of the
 * fences of all transfers needs them. &pnvme_request.lock and
 * &pnvme_queue.lock nest in all of these and never in each other.
 */
struct pnvme_ctrl {
	/** @ref: one for the bound function, one for each open file */
	struct kref ref;
	/** @pdev: the function. Bound in read sections of @srcu, unless @gone */
	struct pci_dev *pdev;
	/** @regs: BAR 0; as @pdev */
	void __iomem *regs;
	/** @cap: the register CAP; constant */
	u64 cap;
	/** @srcu: read sections of calls */
	struct srcu_struct srcu;
	/** @gone: the function is being unbound; never cleared */
	bool gone;

	/** @lifecycle: one start, stop or reset at a time */
	struct mutex lifecycle;
	/** @cut: no bus master, as the controller did not stop. Under @lifecycle */
	bool cut;
	/** @held: suspended, or about to be reset by the PCI core. Under @lifecycle */
	bool held;
	/** @failed: the last start failed. Under @lifecycle */
	bool failed;
	/** @admin_lock: one admin command at a time */
	struct mutex admin_lock;
	/** @admin: the admin queue */
	struct pnvme_queue admin;
	/** @queues: I/O queues; constant from the end of probe on */
	struct pnvme_queue *queues;
	/** @nr_queues: number of @queues; constant from the end of probe on */
	unsigned int nr_queues;
	/** @nr_vectors: interrupts; probe and remove only */
	unsigned int nr_vectors;
	/** @identify: a page that Identify writes. Under @lifecycle */
	void *identify;
	/** @identify_dma: DMA address of @identify */
	dma_addr_t identify_dma;

	/**
	 * @max_transfer: bytes of one command. Written under @lifecycle, while
	 * no queue is live
	 */
	u32 max_transfer;
	/**
	 * @sgl_align: mask of bits that SGL addresses and lengths keep clear;
	 * -1: no SGL. As @max_transfer
	 */
	int sgl_align;
	/** @write_cache: there is a volatile one. This and the next as @max_transfer */
	bool write_cache;
	/** @model: from Identify, as in &struct peerbuf_nvme_info */
	char model[40];
	/** @serial: likewise */
	char serial[20];
	/** @firmware: likewise */
	char firmware[8];
	/** @namespaces: replaced under @lifecycle, read under RCU */
	struct pnvme_namespaces __rcu *namespaces;

	/** @wq: runs the works below, also when memory is short */
	struct workqueue_struct *wq;
	/** @watchdog: looks for what is late; runs while anything is in flight */
	struct delayed_work watchdog;
	/** @reset: resets the controller */
	struct work_struct reset;

	/** @imports_lock: protects @imports, and who detaches */
	struct mutex imports_lock;
	/** @imports: all &struct pnvme_import that are attached */
	struct list_head imports;

	/** @misc: the node; registered from probe to remove */
	struct miscdevice misc;
	/** @name: name of the node in sysfs, "nvme-0000:05:00.0" */
	char name[32];
	/** @nodename: name of the node below /dev */
	char nodename[48];
};

/**
 * struct pnvme_cursor - a place in a mapped dma-buf
 */
struct pnvme_cursor {
	/** @sg: the entry it is in */
	struct scatterlist *sg;
	/** @entries: left, with @sg; 0 at the end */
	unsigned int entries;
	/** @used: bytes of @sg before the place */
	unsigned int used;
};

/**
 * struct pnvme_request - one transfer
 *
 * Who starts it fills in the first members, and frees it after @done.
 */
struct pnvme_request {
	/** @import: what the data is in; NULL for a flush */
	struct peerbuf_import *import;
	/** @offset: of the data, in bytes; start only */
	u64 offset;
	/** @nsid: namespace */
	u32 nsid;
	/** @control: of the commands: FUA */
	u16 control;
	/** @opcode: of the commands */
	u8 opcode;
	/** @shift: a block is 1 << @shift bytes */
	u8 shift;
	/**
	 * @done: called once after pnvme_request_start() succeeded, in any
	 * context, when the controller is through with all of it
	 */
	void (*done)(struct pnvme_request *request, int error);
	/** @waiter: for @done */
	struct completion waiter;
	/** @uring: for @done */
	struct io_uring_cmd *uring;
	/** @result: for @done */
	int result;

	/** @job: fence on the dma-buf, NULL for a flush */
	struct dma_fence *job;
	/** @ctrl: where it runs */
	struct pnvme_ctrl *ctrl;
	/** @lock: protects the members below */
	spinlock_t lock;
	/** @cursor: where the data of the next command begins */
	struct pnvme_cursor cursor;
	/** @lba: first block of the next command */
	u64 lba;
	/** @blocks: that no command was made for yet */
	u32 blocks;
	/** @flush: the flush was not made yet */
	bool flush;
	/** @slots: that work on it; one at least until no more commands are made */
	unsigned int slots;
	/** @starting: pnvme_request_start() works on it */
	bool starting;
	/** @error: the first one; ends the splitting */
	int error;
};

/**
 * struct pnvme_import - one import of an open file
 */
struct pnvme_import {
	/** @node: in &pnvme_ctrl.imports while attached. Under its lock */
	struct list_head node;
	/**
	 * @import: NULL once detached by the unbind. Constant in read sections
	 * of &pnvme_ctrl.srcu that found this struct, unless the controller is
	 * gone.
	 */
	struct peerbuf_import *import;
	/** @dir: what it is mapped for; constant */
	enum dma_data_direction dir;
};

/* queue.c */
int pnvme_queue_alloc(struct pnvme_queue *queue, struct pnvme_ctrl *ctrl,
		      u16 id, u16 depth);
void pnvme_queue_free(struct pnvme_queue *queue);
int pnvme_queue_request_irq(struct pnvme_queue *queue, unsigned int vector);
void pnvme_queue_free_irq(struct pnvme_queue *queue);
void pnvme_queue_prepare(struct pnvme_queue *queue);
void pnvme_queue_open(struct pnvme_queue *queue);
void pnvme_queue_drain(struct pnvme_queue *queue, int refusal);
bool pnvme_queue_is_idle(struct pnvme_queue *queue);
bool pnvme_queue_is_wanted(struct pnvme_queue *queue);
void pnvme_queue_close(struct pnvme_queue *queue, int refusal, int error);
bool pnvme_queue_poll(struct pnvme_queue *queue);
struct pnvme_slot *pnvme_slot_get(struct pnvme_queue *queue, bool wait);
void pnvme_slot_put(struct pnvme_slot *slot);
int pnvme_slot_submit(struct pnvme_slot *slot, unsigned long timeout);
bool pnvme_slot_lose(struct pnvme_slot *slot);

/* data.c */
int pnvme_cursor_seek(struct pnvme_cursor *cursor, struct sg_table *sgt,
		      u64 offset);
size_t pnvme_data_map(struct pnvme_slot *slot, struct pnvme_cursor *cursor,
		      size_t length, size_t block);

/* request.c */
int pnvme_request_start(struct pnvme_request *request, struct pnvme_ctrl *ctrl,
			bool wait);

/* namespace.c */
int pnvme_namespaces_scan(struct pnvme_ctrl *ctrl);
int pnvme_namespace_find(struct pnvme_ctrl *ctrl, u32 nsid,
			 struct pnvme_namespace *found, u32 *next);

/* admin.c */
int pnvme_identify(struct pnvme_ctrl *ctrl, u8 cns, u32 nsid);
int pnvme_set_queue_count(struct pnvme_ctrl *ctrl, unsigned int *count);
int pnvme_create_queue(struct pnvme_queue *queue, unsigned int vector);
int pnvme_abort(struct pnvme_queue *queue, u16 command_id);

/* recovery.c */
unsigned long pnvme_timeout(void);
void pnvme_recovery_init(struct pnvme_ctrl *ctrl);
void pnvme_watch(struct pnvme_ctrl *ctrl);
int pnvme_reset(struct pnvme_ctrl *ctrl);

/* controller.c */
bool pnvme_is_there(struct pnvme_ctrl *ctrl);
int pnvme_ctrl_disable(struct pnvme_ctrl *ctrl);
int pnvme_ctrl_start_admin(struct pnvme_ctrl *ctrl);
int pnvme_ctrl_start_io(struct pnvme_ctrl *ctrl);
void pnvme_ctrl_stop(struct pnvme_ctrl *ctrl, bool shutdown, int refusal);
int pnvme_ctrl_restart(struct pnvme_ctrl *ctrl);

/* file.c */
extern const struct file_operations pnvme_fops;
int pnvme_io_start(struct file *filp, const struct peerbuf_nvme_io *io,
		   struct pnvme_request *request, bool wait);
void pnvme_import_detach(struct pnvme_ctrl *ctrl, struct pnvme_import *entry);

/* uring.c */
int pnvme_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags);

/* pci.c */
void pnvme_ctrl_put(struct pnvme_ctrl *ctrl);

#endif /* PEERBUF_NVME_H */
