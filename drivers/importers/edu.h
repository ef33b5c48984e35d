/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peerbuf_edu: what the engine (edu.c) and its node (edu_file.c) share.
 */
#ifndef PEERBUF_EDU_H
#define PEERBUF_EDU_H

#include <linux/completion.h>
#include <linux/dma-direction.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dma_fence;
struct pci_dev;
struct peerbuf_import;

/**
 * struct edu_engine - one edu device
 *
 * Lives until the device is unbound and the last file of its node is closed.
 *
 * Lock order: @lock, then whatever peerbuf_import_*() takes; @irq_lock nests in
 * all and is held around no call.
 */
struct edu_engine {
	/** @ref: one for the bound device, one for each open file */
	struct kref ref;
	/**
	 * @lock: serialises all calls of all files, copies included, and the
	 * unbind; so an import cannot go away under a copy
	 */
	struct mutex lock;
	/** @pdev: the device. Not to be used once @gone; see edu_engine_lock() */
	struct pci_dev *pdev;
	/** @regs: BAR 0; as @pdev */
	void __iomem *regs;
	/** @irq: Linux number of the MSI; probe and remove only */
	int irq;
	/** @imports: all &struct edu_import that are attached. Under @lock */
	struct list_head imports;
	/**
	 * @dead: an interrupt did not come, and the engine is cut off from the
	 * bus, until the device is reset. Under @lock
	 */
	bool dead;
	/** @resetting: no copy may begin. Under @lock */
	bool resetting;

	/** @irq_lock: protects the members below; taken in the interrupt */
	spinlock_t irq_lock;
	/**
	 * @gone: the device is being unbound; never cleared. Under @irq_lock;
	 * or read after taking @lock, which the unbind takes later.
	 */
	bool gone;
	/** @job: the running copy, or NULL; who takes it out ends it */
	struct dma_fence *job;
	/** @job_import: what @job runs on; valid with @job */
	struct peerbuf_import *job_import;
	/** @result: 0 or errno of the last copy; stable once @done is complete */
	int result;
	/** @done: completed after the copy was ended */
	struct completion done;

	/** @misc: the node; registered from probe to remove */
	struct miscdevice misc;
	/** @name: name of the node in sysfs, "edu-0000:03:00.0" */
	char name[32];
	/** @nodename: name of the node below /dev */
	char nodename[48];
};

/**
 * struct edu_import - one import of an open file
 *
 * Everything under &edu_engine.lock.
 */
struct edu_import {
	/** @node: in &edu_engine.imports while @import is attached */
	struct list_head node;
	/** @import: NULL once the engine was unbound */
	struct peerbuf_import *import;
	/** @dir: of the mapping; constant */
	enum dma_data_direction dir;
};

/**
 * struct edu_dma - one DMA of the engine
 */
struct edu_dma {
	/** @offset: bytes from the start of the dma-buf */
	u64 offset;
	/** @engine_offset: bytes from the start of the engine's buffer */
	u32 engine_offset;
	/** @length: bytes, at most %PEERBUF_EDU_BUFFER_SIZE */
	u32 length;
	/** @to_engine: from the dma-buf to the engine, else the other way */
	bool to_engine;
};

int edu_engine_lock(struct edu_engine *engine);
void edu_engine_unlock(struct edu_engine *engine);
void edu_engine_put(struct edu_engine *engine);
int edu_engine_copy(struct edu_engine *engine, struct peerbuf_import *import,
		    const struct edu_dma *dma);

void edu_import_detach(struct edu_import *entry);

extern const struct file_operations edu_fops;

#endif /* PEERBUF_EDU_H */
