// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: importer on the Intel 82576 NIC (PCI 8086:10c9, QEMU's igb).
 *
 * Sends frames from dma-bufs and receives frames into dma-bufs, with no copy and
 * no socket buffer. It registers no network device: a port belongs to whoever
 * opens its node, and the kernel's network stack does not see it. For that reason
 * the driver binds to nothing by itself, but only to what driver_override gives
 * it.
 *
 * This file has the driver: bind and unbind, interrupts, resets from outside.
 * Register map: Intel 82576EB Gigabit Ethernet Controller Datasheet.
 */

#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "igb.h"

enum { IGB_VECTOR_RECV, IGB_VECTOR_SEND, IGB_VECTORS };

unsigned int igb_timeout_ms = 2000;
module_param_named(timeout_ms, igb_timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Milliseconds that a frame may take to be sent before the port is reset, at least 10 (default 2000)");

static void igb_free(struct kref *ref)
{
	struct igb *igb = container_of(ref, struct igb, ref);

	xa_destroy(&igb->imports);
	mutex_destroy(&igb->ring_lock);
	mutex_destroy(&igb->lock);
	kfree(igb);
}

/**
 * igb_put() - drop a reference
 * @igb: the port
 */
void igb_put(struct igb *igb)
{
	kref_put(&igb->ref, igb_free);
}

static irqreturn_t igb_irq(int irq, void *data)
{
	return IRQ_WAKE_THREAD;
}

/* The vector has masked itself, and is unmasked when all is seen. */
static irqreturn_t igb_irq_thread(int irq, void *data)
{
	struct igb_ring *ring = data;
	struct igb *igb = ring->igb;
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&igb->ring_lock);
	if (igb->up) {
		igb_harvest(ring);
		igb_write(igb, IGB_EIMS, BIT(ring->vector));
	}
	mutex_unlock(&igb->ring_lock);
	dma_fence_end_signalling(signalling);
	return IRQ_HANDLED;
}

static void igb_ring_init(struct igb *igb, struct igb_ring *ring, u32 direction,
			  u32 vector)
{
	ring->igb = igb;
	ring->direction = direction;
	ring->vector = vector;
	INIT_LIST_HEAD(&ring->slots);
}

static void igb_init_node(struct igb *igb)
{
	const char *function = pci_name(igb->pdev);

	snprintf(igb->name, sizeof(igb->name), "igb-%s", function);
	snprintf(igb->nodename, sizeof(igb->nodename), "peerbuf/%s", igb->name);
	igb->misc.minor = MISC_DYNAMIC_MINOR;
	igb->misc.name = igb->name;
	igb->misc.nodename = igb->nodename;
	igb->misc.mode = 0600;
	igb->misc.parent = &igb->pdev->dev;
	igb->misc.fops = &igb_fops;
}

static struct igb *igb_alloc(struct pci_dev *pdev)
{
	struct igb *igb;

	igb = kzalloc_obj(*igb);
	if (!igb)
		return NULL;

	kref_init(&igb->ref);
	igb->pdev = pdev;
	mutex_init(&igb->lock);
	mutex_init(&igb->ring_lock);
	xa_init_flags(&igb->imports, XA_FLAGS_ALLOC1);
	igb_ring_init(igb, &igb->recv, PEERBUF_IGB_RECV, IGB_VECTOR_RECV);
	igb_ring_init(igb, &igb->send, PEERBUF_IGB_SEND, IGB_VECTOR_SEND);
	init_waitqueue_head(&igb->wait);
	INIT_WORK(&igb->cancel_work, igb_cancel_work);
	INIT_DELAYED_WORK(&igb->watchdog, igb_watchdog);
	igb_init_node(igb);
	return igb;
}

static int igb_map_regs(struct igb *igb)
{
	struct pci_dev *pdev = igb->pdev;
	int ret;

	ret = pci_enable_device_mem(pdev);
	if (ret)
		return ret;

	/* Firmware, or a driver before us, may have left it on. */
	pci_clear_master(pdev);

	ret = pci_request_selected_regions(pdev, BIT(0), KBUILD_MODNAME);
	if (ret)
		goto err_disable;

	igb->regs = pci_ioremap_bar(pdev, 0);
	if (!igb->regs) {
		ret = -ENOMEM;
		goto err_release;
	}
	return 0;

err_release:
	pci_release_selected_regions(pdev, BIT(0));
err_disable:
	pci_disable_device(pdev);
	return ret;
}

static void igb_unmap_regs(struct igb *igb)
{
	iounmap(igb->regs);
	pci_release_selected_regions(igb->pdev, BIT(0));
	pci_disable_device(igb->pdev);
}

static int igb_alloc_memory(struct igb *igb)
{
	struct pci_dev *pdev = igb->pdev;
	int ret;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return dev_err_probe(&pdev->dev, ret, "no 64 bit DMA\n");

	/* A piece is cut out of a segment, however long that is. */
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);

	igb->wq = alloc_ordered_workqueue("peerbuf-%s", WQ_MEM_RECLAIM,
					  igb->name);
	if (!igb->wq)
		return -ENOMEM;

	ret = igb_ring_alloc(&igb->recv);
	if (ret)
		goto err_wq;

	ret = igb_ring_alloc(&igb->send);
	if (ret)
		goto err_recv;
	return 0;

err_recv:
	igb_ring_free(&igb->recv);
err_wq:
	destroy_workqueue(igb->wq);
	return ret;
}

static void igb_free_memory(struct igb *igb)
{
	igb_ring_free(&igb->send);
	igb_ring_free(&igb->recv);
	destroy_workqueue(igb->wq);
}

static int igb_request_irq(struct igb *igb, struct igb_ring *ring)
{
	return request_threaded_irq(pci_irq_vector(igb->pdev, ring->vector),
				    igb_irq, igb_irq_thread, 0, igb->name,
				    ring);
}

static void igb_release_irq(struct igb *igb, struct igb_ring *ring)
{
	free_irq(pci_irq_vector(igb->pdev, ring->vector), ring);
}

static int igb_setup_irqs(struct igb *igb)
{
	struct pci_dev *pdev = igb->pdev;
	int ret;

	ret = pci_alloc_irq_vectors(pdev, IGB_VECTORS, IGB_VECTORS,
				    PCI_IRQ_MSIX);
	if (ret < 0)
		return dev_err_probe(&pdev->dev, ret, "no MSI-X vectors\n");

	ret = igb_request_irq(igb, &igb->recv);
	if (ret)
		goto err_vectors;

	ret = igb_request_irq(igb, &igb->send);
	if (ret)
		goto err_recv;
	return 0;

err_recv:
	igb_release_irq(igb, &igb->recv);
err_vectors:
	pci_free_irq_vectors(pdev);
	return ret;
}

static void igb_teardown_irqs(struct igb *igb)
{
	igb_release_irq(igb, &igb->send);
	igb_release_irq(igb, &igb->recv);
	pci_free_irq_vectors(igb->pdev);
}

static int igb_first_reset(struct igb *igb)
{
	int ret;

	mutex_lock(&igb->ring_lock);
	ret = igb_hw_reset(igb);
	mutex_unlock(&igb->ring_lock);
	return ret;
}

static int igb_setup(struct igb *igb)
{
	int ret;

	ret = igb_map_regs(igb);
	if (ret)
		return ret;

	ret = igb_first_reset(igb);
	if (ret)
		goto err_regs;

	ret = igb_alloc_memory(igb);
	if (ret)
		goto err_regs;

	ret = igb_setup_irqs(igb);
	if (ret)
		goto err_memory;
	return 0;

err_memory:
	igb_free_memory(igb);
err_regs:
	igb_unmap_regs(igb);
	return ret;
}

static void igb_teardown(struct igb *igb)
{
	igb_teardown_irqs(igb);
	igb_free_memory(igb);
	igb_unmap_regs(igb);
}

static int igb_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct igb *igb;
	int ret;

	if (pdev->vendor != IGB_VENDOR || pdev->device != IGB_DEVICE)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "not an Intel 82576 (8086:10c9)\n");

	igb = igb_alloc(pdev);
	if (!igb)
		return -ENOMEM;

	ret = igb_setup(igb);
	if (ret)
		goto err_put;

	pci_set_drvdata(pdev, igb);
	ret = misc_register(&igb->misc);
	if (ret)
		goto err_teardown;
	return 0;

err_teardown:
	igb_teardown(igb);
err_put:
	igb_put(igb);
	return ret;
}

static void igb_set_gone(struct igb *igb)
{
	mutex_lock(&igb->ring_lock);
	WRITE_ONCE(igb->gone, true);
	mutex_unlock(&igb->ring_lock);
}

/* The file may stay open; what it has of the device ends here. */
static void igb_remove(struct pci_dev *pdev)
{
	struct igb *igb = pci_get_drvdata(pdev);

	misc_deregister(&igb->misc);
	igb_set_gone(igb);
	igb_down(igb, -ENODEV);
	wake_up_interruptible(&igb->wait);

	/* Waits for the call that is under way; the waiting ones see gone. */
	igb_detach_all(igb);

	/* Without imports, nothing queues these any more. */
	cancel_delayed_work_sync(&igb->watchdog);
	cancel_work_sync(&igb->cancel_work);
	igb_teardown(igb);
	igb_put(igb);
}

/* The memory of the kernel that comes next is not ours to write. */
static void igb_shutdown(struct pci_dev *pdev)
{
	igb_down(pci_get_drvdata(pdev), -EIO);
}

static void igb_set_resetting(struct igb *igb, bool resetting)
{
	mutex_lock(&igb->ring_lock);
	igb->resetting = resetting;
	mutex_unlock(&igb->ring_lock);
}

static void igb_reset_prepare(struct pci_dev *pdev)
{
	struct igb *igb = pci_get_drvdata(pdev);

	igb_set_resetting(igb, true);
	igb_down(igb, -EIO);
}

static void igb_reset_done(struct pci_dev *pdev)
{
	struct igb *igb = pci_get_drvdata(pdev);

	igb_set_resetting(igb, false);
	if (igb_up(igb))
		pci_err(pdev, "does not work after the reset\n");
}

static const struct pci_error_handlers igb_error_handlers = {
	.reset_prepare = igb_reset_prepare,
	.reset_done = igb_reset_done,
};

/* No ids: driver_override alone decides, the NIC has a driver for networks. */
static struct pci_driver igb_driver = {
	.name = KBUILD_MODNAME,
	.probe = igb_probe,
	.remove = igb_remove,
	.shutdown = igb_shutdown,
	.err_handler = &igb_error_handlers,
};
module_pci_driver(igb_driver);

MODULE_DESCRIPTION("peerbuf: frames of an Intel 82576 NIC from and to dma-bufs; registers no network device");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("PEERBUF");
