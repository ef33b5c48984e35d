// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_edu: importer for QEMU's edu device (PCI 1234:11e8).
 *
 * A sample of an importer on peerbuf's shared lifecycle, and an instrument for
 * tests; not a product. This file has the device and its interrupt, edu_file.c
 * the node and its calls. Register map: QEMU, docs/specs/edu.rst.
 *
 * The device is told its DMA width by QEMU (dma_mask=, 28 bits by default) and
 * clips addresses to it, but cannot be asked: load this module with the matching
 * dma_bits= if it is not 64.
 */

#include <linux/bits.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>
#include <uapi/linux/peerbuf_edu.h>

#include "edu.h"

#define EDU_VENDOR		0x1234
#define EDU_DEVICE		0x11e8

#define EDU_REG_ID		0x00
#define EDU_REG_IRQ_STATUS	0x24
#define EDU_REG_IRQ_ACK		0x64
#define EDU_REG_DMA_SRC		0x80
#define EDU_REG_DMA_DST		0x88
#define EDU_REG_DMA_COUNT	0x90
#define EDU_REG_DMA_CMD		0x98

#define EDU_ID_MASK		0xff
#define EDU_ID			0xed

#define EDU_IRQ_DMA		BIT(8)

#define EDU_CMD_RUN		BIT(0)
#define EDU_CMD_TO_RAM		BIT(1)
#define EDU_CMD_IRQ		BIT(2)

/* Where the engine's own buffer lies in its DMA address space */
#define EDU_BUFFER		0x40000

/* A DMA takes 100 ms, of a slow machine's virtual time */
#define EDU_STOP_TIMEOUT_US	(2 * USEC_PER_SEC)
#define EDU_STOP_POLL_US	(10 * USEC_PER_MSEC)

static unsigned int timeout_ms = 5000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Milliseconds to wait for the engine's interrupt before it is cut off from the bus (default 5000)");

static unsigned int dma_bits = 64;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "DMA address bits of the engine, as in QEMU's dma_mask property: 28 if that is not set (default 64)");

static void edu_engine_free(struct kref *ref)
{
	struct edu_engine *engine = container_of(ref, struct edu_engine, ref);

	mutex_destroy(&engine->lock);
	kfree(engine);
}

/**
 * edu_engine_put() - drop a reference
 * @engine: the engine
 */
void edu_engine_put(struct edu_engine *engine)
{
	kref_put(&engine->ref, edu_engine_free);
}

/**
 * edu_engine_lock() - begin a call: wait for the others, and pin the device
 * @engine: the engine; &edu_engine.pdev stays bound until edu_engine_unlock()
 *
 * Return: 0; -ENODEV, the device is unbound; -EINTR.
 */
int edu_engine_lock(struct edu_engine *engine)
{
	if (mutex_lock_interruptible(&engine->lock))
		return -EINTR;

	/* The unbind sets it first, and then takes the mutex. */
	if (READ_ONCE(engine->gone)) {
		mutex_unlock(&engine->lock);
		return -ENODEV;
	}
	return 0;
}

/**
 * edu_engine_unlock() - end a call
 * @engine: the engine
 */
void edu_engine_unlock(struct edu_engine *engine)
{
	mutex_unlock(&engine->lock);
}

/* End the running copy, unless somebody else did. Any context. */
static bool edu_finish(struct edu_engine *engine, int error)
{
	struct peerbuf_import *import;
	struct dma_fence *job;
	unsigned long flags;

	spin_lock_irqsave(&engine->irq_lock, flags);
	job = engine->job;
	import = engine->job_import;
	engine->job = NULL;
	engine->job_import = NULL;
	if (job)
		engine->result = error;
	spin_unlock_irqrestore(&engine->irq_lock, flags);

	if (!job)
		return false;

	peerbuf_import_end(import, job, error);
	complete(&engine->done);
	return true;
}

static irqreturn_t edu_irq(int irq, void *data)
{
	struct edu_engine *engine = data;
	u32 status = readl(engine->regs + EDU_REG_IRQ_STATUS);

	/* A device that was pulled out reads as all ones. */
	if (!status || PCI_POSSIBLE_ERROR(status))
		return IRQ_NONE;

	writel(status, engine->regs + EDU_REG_IRQ_ACK);
	if (status & EDU_IRQ_DMA)
		edu_finish(engine, 0);
	return IRQ_HANDLED;
}

/*
 * The interrupt did not come. Nothing else can stop the engine, so take the bus
 * away from it: only then may the memory be given back. probe() gives it the
 * bus again, once the engine stands still.
 */
static void edu_cut_off(struct edu_engine *engine)
{
	engine->dead = true;
	pci_clear_master(engine->pdev);
	/* What it wrote before that has arrived when this read returns. */
	readl(engine->regs + EDU_REG_ID);
}

/* Take the engine for @job. The unbind aborts a job that it finds here. */
static int edu_claim(struct edu_engine *engine, struct peerbuf_import *import,
		     struct dma_fence *job)
{
	int ret = 0;

	spin_lock_irq(&engine->irq_lock);
	if (engine->gone) {
		ret = -ENODEV;
	} else {
		reinit_completion(&engine->done);
		engine->job = job;
		engine->job_import = import;
	}
	spin_unlock_irq(&engine->irq_lock);
	return ret;
}

static void edu_start(struct edu_engine *engine, dma_addr_t addr,
		      const struct edu_dma *dma)
{
	u64 own = EDU_BUFFER + dma->engine_offset;
	u64 cmd = EDU_CMD_RUN | EDU_CMD_IRQ;

	if (!dma->to_engine)
		cmd |= EDU_CMD_TO_RAM;

	writeq(dma->to_engine ? addr : own, engine->regs + EDU_REG_DMA_SRC);
	writeq(dma->to_engine ? own : addr, engine->regs + EDU_REG_DMA_DST);
	writeq(dma->length, engine->regs + EDU_REG_DMA_COUNT);
	writeq(cmd, engine->regs + EDU_REG_DMA_CMD);
}

/* Not ended by signals: the DMA cannot be called back, and its time is limited. */
static void edu_wait(struct edu_engine *engine)
{
	unsigned long timeout = msecs_to_jiffies(max(timeout_ms, 1U));

	if (wait_for_completion_timeout(&engine->done, timeout))
		return;

	edu_cut_off(engine);
	if (edu_finish(engine, -ETIMEDOUT))
		dev_err(&engine->pdev->dev,
			"no interrupt within %u ms (timeout_ms=), engine cut off from the bus; reset the device, or unbind and bind it, to use it again\n",
			jiffies_to_msecs(timeout));
	else
		wait_for_completion(&engine->done);
}

static int edu_run(struct edu_engine *engine, struct peerbuf_import *import,
		   struct dma_fence *job, const struct edu_dma *dma)
{
	size_t contiguous;
	dma_addr_t addr;
	int ret;

	ret = peerbuf_import_address(import, dma->offset, &addr, &contiguous);
	if (!ret && contiguous < dma->length)
		ret = -EXDEV;
	if (!ret)
		ret = edu_claim(engine, import, job);
	if (ret) {
		peerbuf_import_end(import, job, ret);
		return ret;
	}

	edu_start(engine, addr, dma);
	edu_wait(engine);
	return engine->result;
}

/**
 * edu_engine_copy() - one DMA, start to end
 * @engine: the engine, locked by edu_engine_lock()
 * @import: an attached import of this engine
 * @dma: what to move; within the dma-buf and the engine's buffer
 *
 * Return: 0; -EXDEV, not contiguous for the engine; -ETIMEDOUT, no interrupt;
 * -EIO, the engine timed out earlier; -EAGAIN, the device is being reset;
 * -ENODEV, the device was pulled out; else
 * what peerbuf_import_begin() says.
 */
int edu_engine_copy(struct edu_engine *engine, struct peerbuf_import *import,
		    const struct edu_dma *dma)
{
	struct dma_fence *job;
	bool signalling;
	int ret;

	lockdep_assert_held(&engine->lock);

	if (engine->resetting)
		return -EAGAIN;
	if (engine->dead)
		return -EIO;

	job = peerbuf_import_begin(import);
	if (IS_ERR(job))
		return PTR_ERR(job);

	signalling = dma_fence_begin_signalling();
	ret = edu_run(engine, import, job, dma);
	dma_fence_end_signalling(signalling);
	return ret;
}

static struct edu_engine *edu_engine_alloc(struct pci_dev *pdev)
{
	struct edu_engine *engine;

	engine = kzalloc_obj(*engine);
	if (!engine)
		return NULL;

	kref_init(&engine->ref);
	mutex_init(&engine->lock);
	engine->pdev = pdev;
	INIT_LIST_HEAD(&engine->imports);
	spin_lock_init(&engine->irq_lock);
	init_completion(&engine->done);

	snprintf(engine->name, sizeof(engine->name), "edu-%s", pci_name(pdev));
	snprintf(engine->nodename, sizeof(engine->nodename), "peerbuf/%s",
		 engine->name);
	engine->misc.minor = MISC_DYNAMIC_MINOR;
	engine->misc.name = engine->name;
	engine->misc.nodename = engine->nodename;
	engine->misc.mode = 0600;
	engine->misc.parent = &pdev->dev;
	engine->misc.fops = &edu_fops;
	return engine;
}

static int edu_setup_dma(struct pci_dev *pdev)
{
	int ret;

	if (dma_bits < 24 || dma_bits > 64)
		return dev_err_probe(&pdev->dev, -EINVAL,
				     "dma_bits=%u: give 24 to 64\n", dma_bits);

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return dev_err_probe(&pdev->dev, ret,
				     "%u bit DMA does not work here: try another dma_bits=\n",
				     dma_bits);

	/* It has no scatter list: a segment can be as long as it likes. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return 0;
}

/*
 * An earlier binding may have left a DMA running, to memory that belongs to
 * others by now. It is harmless as long as the engine is no bus master.
 */
static int edu_wait_idle(struct edu_engine *engine)
{
	u32 cmd;
	int ret;

	ret = readl_poll_timeout(engine->regs + EDU_REG_DMA_CMD, cmd,
				 !(cmd & EDU_CMD_RUN), EDU_STOP_POLL_US,
				 EDU_STOP_TIMEOUT_US);
	if (ret)
		return dev_err_probe(&engine->pdev->dev, -EBUSY,
				     "engine does not stop: reset the device\n");

	writel(readl(engine->regs + EDU_REG_IRQ_STATUS),
	       engine->regs + EDU_REG_IRQ_ACK);
	return 0;
}

static int edu_setup_regs(struct edu_engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	u32 id;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	/* Firmware, or a driver before us, may have left it on. */
	pci_clear_master(pdev);

	engine->regs = pcim_iomap_region(pdev, 0, KBUILD_MODNAME);
	if (IS_ERR(engine->regs))
		return PTR_ERR(engine->regs);

	id = readl(engine->regs + EDU_REG_ID);
	if ((id & EDU_ID_MASK) != EDU_ID)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "identification 0x%08x is not that of an edu device\n",
				     id);

	return edu_wait_idle(engine);
}

static int edu_setup_irq(struct edu_engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	int ret;

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (ret < 0)
		return dev_err_probe(&pdev->dev, ret, "no MSI vector\n");

	engine->irq = pci_irq_vector(pdev, 0);
	ret = request_irq(engine->irq, edu_irq, 0, KBUILD_MODNAME, engine);
	if (ret)
		pci_free_irq_vectors(pdev);
	return ret;
}

static void edu_teardown_irq(struct edu_engine *engine)
{
	free_irq(engine->irq, engine);
	pci_free_irq_vectors(engine->pdev);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_engine *engine;
	int ret;

	engine = edu_engine_alloc(pdev);
	if (!engine)
		return -ENOMEM;

	ret = edu_setup_regs(engine);
	if (ret)
		goto err_put;

	ret = edu_setup_dma(pdev);
	if (ret)
		goto err_put;

	ret = edu_setup_irq(engine);
	if (ret)
		goto err_put;

	pci_set_master(pdev);
	pci_set_drvdata(pdev, engine);

	ret = misc_register(&engine->misc);
	if (ret)
		goto err_irq;

	return 0;

err_irq:
	pci_clear_master(pdev);
	edu_teardown_irq(engine);
err_put:
	edu_engine_put(engine);
	return ret;
}

static void edu_detach_all(struct edu_engine *engine)
{
	struct edu_import *entry, *next;

	/* Waits for the running copy; the waiting ones see gone. */
	mutex_lock(&engine->lock);
	list_for_each_entry_safe(entry, next, &engine->imports, node)
		edu_import_detach(entry);
	mutex_unlock(&engine->lock);
}

/*
 * An engine that is still there finishes its copy, or times out. One that was
 * pulled out does no DMA any more and never will report.
 */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu_engine *engine = pci_get_drvdata(pdev);

	spin_lock_irq(&engine->irq_lock);
	WRITE_ONCE(engine->gone, true);
	spin_unlock_irq(&engine->irq_lock);

	misc_deregister(&engine->misc);

	if (!pci_device_is_present(pdev))
		edu_finish(engine, -ENODEV);
	edu_detach_all(engine);

	pci_clear_master(pdev);
	edu_teardown_irq(engine);
	edu_engine_put(engine);
}

/*
 * A copy that runs ends first: a reset takes the bus and the interrupt from it,
 * and it would be missed. The flag, and not the mutex, is kept over the reset,
 * in which a bus can have several engines.
 */
static void edu_reset_prepare(struct pci_dev *pdev)
{
	struct edu_engine *engine = pci_get_drvdata(pdev);

	mutex_lock(&engine->lock);
	engine->resetting = true;
	mutex_unlock(&engine->lock);
}

static void edu_reset_done(struct pci_dev *pdev)
{
	struct edu_engine *engine = pci_get_drvdata(pdev);

	mutex_lock(&engine->lock);
	engine->dead = edu_wait_idle(engine);
	if (!engine->dead)
		pci_set_master(pdev);
	engine->resetting = false;
	mutex_unlock(&engine->lock);
}

static const struct pci_error_handlers edu_error_handlers = {
	.reset_prepare = edu_reset_prepare,
	.reset_done = edu_reset_done,
};

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR, EDU_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = KBUILD_MODNAME,
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.err_handler = &edu_error_handlers,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("peerbuf: importer for QEMU's edu DMA engine (sample and test instrument)");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("PEERBUF");
