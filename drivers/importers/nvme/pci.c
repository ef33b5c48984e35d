// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_nvme: importer for NVMe controllers. Reads and writes blocks straight
 * to and from any dma-buf, with no struct page and no copy on the way.
 *
 * Binds only where the administrator says so, with driver_override, in place of
 * the kernel's nvme: there is no block device, no file system and no page cache,
 * just blocks. This file binds and unbinds; nvme.h has the list of files.
 */

#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "nvme.h"

static unsigned int queue_depth = 256;
module_param(queue_depth, uint, 0644);
MODULE_PARM_DESC(queue_depth, "Entries of each I/O queue of controllers that are bound from now on, if they allow so many: 2 to 4096 (default 256)");

static void ctrl_free(struct kref *ref)
{
	struct pnvme_ctrl *ctrl = container_of(ref, struct pnvme_ctrl, ref);

	/* Nobody reads any more, and an earlier one frees itself. */
	kfree(rcu_dereference_protected(ctrl->namespaces, true));
	cleanup_srcu_struct(&ctrl->srcu);
	mutex_destroy(&ctrl->imports_lock);
	mutex_destroy(&ctrl->admin_lock);
	mutex_destroy(&ctrl->lifecycle);
	kfree(ctrl->queues);
	kfree(ctrl);
}

/**
 * pnvme_ctrl_put() - drop a reference
 * @ctrl: the controller
 */
void pnvme_ctrl_put(struct pnvme_ctrl *ctrl)
{
	kref_put(&ctrl->ref, ctrl_free);
}

static void init_node(struct pnvme_ctrl *ctrl)
{
	snprintf(ctrl->name, sizeof(ctrl->name), "nvme-%s",
		 pci_name(ctrl->pdev));
	snprintf(ctrl->nodename, sizeof(ctrl->nodename), "peerbuf/%s",
		 ctrl->name);
	ctrl->misc.minor = MISC_DYNAMIC_MINOR;
	ctrl->misc.name = ctrl->name;
	ctrl->misc.nodename = ctrl->nodename;
	ctrl->misc.mode = 0600;
	ctrl->misc.parent = &ctrl->pdev->dev;
	ctrl->misc.fops = &pnvme_fops;
}

static struct pnvme_ctrl *ctrl_alloc(struct pci_dev *pdev)
{
	struct pnvme_ctrl *ctrl;

	ctrl = kzalloc_obj(*ctrl);
	if (!ctrl)
		return NULL;
	if (init_srcu_struct(&ctrl->srcu)) {
		kfree(ctrl);
		return NULL;
	}

	kref_init(&ctrl->ref);
	ctrl->pdev = pdev;
	mutex_init(&ctrl->lifecycle);
	mutex_init(&ctrl->admin_lock);
	mutex_init(&ctrl->imports_lock);
	INIT_LIST_HEAD(&ctrl->imports);
	pnvme_recovery_init(ctrl);
	init_node(ctrl);
	return ctrl;
}

static int check_capabilities(struct pnvme_ctrl *ctrl)
{
	ctrl->cap = lo_hi_readq(ctrl->regs + NVME_REG_CAP);

	if (PCI_POSSIBLE_ERROR(ctrl->cap))
		return dev_err_probe(&ctrl->pdev->dev, -ENODEV,
				     "does not answer\n");
	if (!(NVME_CAP_CSS(ctrl->cap) & NVME_CAP_CSS_NVM))
		return dev_err_probe(&ctrl->pdev->dev, -ENODEV,
				     "no NVM command set\n");
	if (NVME_CAP_MPSMIN(ctrl->cap))
		return dev_err_probe(&ctrl->pdev->dev, -ENODEV,
				     "does not take memory pages of %u bytes\n",
				     PNVME_PAGE);
	return 0;
}

static int setup_regs(struct pnvme_ctrl *ctrl)
{
	struct pci_dev *pdev = ctrl->pdev;
	int ret;

	if (pdev->class != PCI_CLASS_STORAGE_EXPRESS)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "class %#x is not that of an NVMe controller\n",
				     pdev->class);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;

	/* Firmware, or a driver before us, may have left it on. */
	pci_clear_master(pdev);

	ctrl->regs = pcim_iomap_region(pdev, 0, KBUILD_MODNAME);
	if (IS_ERR(ctrl->regs))
		return PTR_ERR(ctrl->regs);

	return check_capabilities(ctrl);
}

static int setup_dma(struct pnvme_ctrl *ctrl)
{
	struct device *dev = &ctrl->pdev->dev;
	int ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;

	/* Addresses go page by page, or with lengths of 32 bits. */
	dma_set_max_seg_size(dev, UINT_MAX);

	ctrl->identify = dma_alloc_coherent(dev, NVME_IDENTIFY_DATA_SIZE,
					    &ctrl->identify_dma, GFP_KERNEL);
	return ctrl->identify ? 0 : -ENOMEM;
}

/* The error is that of what is tried last: do not try what is not there. */
static unsigned int vector_types(const struct pci_dev *pdev)
{
	return (pdev->msix_cap ? PCI_IRQ_MSIX : 0) |
	       (pdev->msi_cap ? PCI_IRQ_MSI : 0);
}

/* A vector for the admin queue and one for each CPU, or all on fewer. */
static int setup_vectors(struct pnvme_ctrl *ctrl)
{
	int ret;

	ret = pci_alloc_irq_vectors(ctrl->pdev, 1, 1 + num_online_cpus(),
				    vector_types(ctrl->pdev));
	if (ret < 0)
		return dev_err_probe(&ctrl->pdev->dev, ret,
				     "no MSI-X or MSI vector\n");

	ctrl->nr_vectors = ret;
	return 0;
}

static u16 depth(struct pnvme_ctrl *ctrl, unsigned int wanted)
{
	unsigned int most = min(NVME_CAP_MQES(ctrl->cap) + 1, PNVME_MAX_DEPTH);

	return clamp(wanted, 2U, most);
}

static int setup_admin(struct pnvme_ctrl *ctrl)
{
	int ret;

	ret = pnvme_queue_alloc(&ctrl->admin, ctrl, 0,
				depth(ctrl, PNVME_ADMIN_DEPTH));
	if (!ret)
		ret = pnvme_queue_request_irq(&ctrl->admin, 0);
	if (!ret)
		ret = pnvme_ctrl_disable(ctrl);
	if (!ret)
		ret = pnvme_ctrl_start_admin(ctrl);
	return ret;
}

/* As many doorbells as the BAR has room for */
static unsigned int most_queues(struct pnvme_ctrl *ctrl)
{
	unsigned int stride = sizeof(u32) << NVME_CAP_STRIDE(ctrl->cap);
	resource_size_t room = pci_resource_len(ctrl->pdev, 0);

	if (room < NVME_REG_DBS + 4 * stride)
		return 0;
	return min_t(resource_size_t, U16_MAX,
		     (room - NVME_REG_DBS) / (2 * stride) - 1);
}

static int setup_queue(struct pnvme_ctrl *ctrl, unsigned int index)
{
	struct pnvme_queue *queue = &ctrl->queues[index];
	unsigned int vector = ctrl->nr_vectors > 1 ? index + 1 : 0;
	unsigned int cpu;
	int ret;

	ret = pnvme_queue_alloc(queue, ctrl, index + 1,
				depth(ctrl, READ_ONCE(queue_depth)));
	if (!ret)
		ret = pnvme_queue_request_irq(queue, vector);
	if (ret)
		return ret;

	/* Where those who use it are; CPUs may go, and interrupts move then. */
	cpu = cpumask_nth(index, cpu_online_mask);
	if (vector && cpu < nr_cpu_ids)
		irq_set_affinity_and_hint(queue->irq, cpumask_of(cpu));
	return 0;
}

static int setup_queues(struct pnvme_ctrl *ctrl)
{
	unsigned int count = min(ctrl->nr_vectors > 1 ? ctrl->nr_vectors - 1 : 1,
				 most_queues(ctrl));
	unsigned int i;
	int ret;

	if (!count)
		return dev_err_probe(&ctrl->pdev->dev, -ENODEV,
				     "BAR 0 is too small\n");
	ret = pnvme_set_queue_count(ctrl, &count);
	if (ret)
		return ret;

	ctrl->queues = kzalloc_objs(*ctrl->queues, count);
	if (!ctrl->queues)
		return -ENOMEM;

	/* What is counted can be stopped, even if it is not all there. */
	for (i = 0; i < count; i++) {
		ctrl->nr_queues = i + 1;
		ret = setup_queue(ctrl, i);
		if (ret)
			return ret;
	}
	return pnvme_ctrl_start_io(ctrl);
}

/* Whatever there is of it. */
static void teardown(struct pnvme_ctrl *ctrl)
{
	unsigned int i;

	pnvme_queue_free_irq(&ctrl->admin);
	for (i = 0; i < ctrl->nr_queues; i++)
		pnvme_queue_free_irq(&ctrl->queues[i]);
	pci_free_irq_vectors(ctrl->pdev);

	pnvme_queue_free(&ctrl->admin);
	for (i = 0; i < ctrl->nr_queues; i++)
		pnvme_queue_free(&ctrl->queues[i]);
	if (ctrl->identify)
		dma_free_coherent(&ctrl->pdev->dev, NVME_IDENTIFY_DATA_SIZE,
				  ctrl->identify, ctrl->identify_dma);
	pci_clear_master(ctrl->pdev);
}

static int start(struct pnvme_ctrl *ctrl)
{
	int ret;

	mutex_lock(&ctrl->lifecycle);
	ret = setup_admin(ctrl);
	if (!ret)
		ret = setup_queues(ctrl);
	if (ret && ctrl->admin.cq)
		pnvme_ctrl_stop(ctrl, false, -EIO);
	mutex_unlock(&ctrl->lifecycle);
	return ret;
}

static int setup(struct pnvme_ctrl *ctrl)
{
	int ret;

	ret = setup_dma(ctrl);
	if (!ret)
		ret = setup_vectors(ctrl);
	if (!ret)
		ret = start(ctrl);
	if (!ret) {
		ret = misc_register(&ctrl->misc);
		if (!ret)
			return 0;
		mutex_lock(&ctrl->lifecycle);
		pnvme_ctrl_stop(ctrl, true, -ENODEV);
		mutex_unlock(&ctrl->lifecycle);
	}
	teardown(ctrl);
	return ret;
}

static int pnvme_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct pnvme_ctrl *ctrl;
	int ret;

	ctrl = ctrl_alloc(pdev);
	if (!ctrl)
		return -ENOMEM;

	ctrl->wq = alloc_workqueue("%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				   ctrl->name);
	if (!ctrl->wq) {
		ret = -ENOMEM;
		goto err_put;
	}

	ret = setup_regs(ctrl);
	if (!ret)
		ret = setup(ctrl);
	if (ret) {
		dev_err_probe(&pdev->dev, ret, "cannot start the controller\n");
		goto err_wq;
	}

	pci_set_drvdata(pdev, ctrl);
	return 0;

err_wq:
	destroy_workqueue(ctrl->wq);
err_put:
	pnvme_ctrl_put(ctrl);
	return ret;
}

/* For good: from here on, all calls end with ENODEV. */
static void stop_for_good(struct pnvme_ctrl *ctrl)
{
	WRITE_ONCE(ctrl->gone, true);
	disable_work_sync(&ctrl->reset);
	disable_delayed_work_sync(&ctrl->watchdog);

	mutex_lock(&ctrl->lifecycle);
	pnvme_ctrl_stop(ctrl, true, -ENODEV);
	mutex_unlock(&ctrl->lifecycle);
}

static void detach_all(struct pnvme_ctrl *ctrl)
{
	struct pnvme_import *entry, *next;

	mutex_lock(&ctrl->imports_lock);
	list_for_each_entry_safe(entry, next, &ctrl->imports, node)
		pnvme_import_detach(ctrl, entry);
	mutex_unlock(&ctrl->imports_lock);
}

static void pnvme_remove(struct pci_dev *pdev)
{
	struct pnvme_ctrl *ctrl = pci_get_drvdata(pdev);

	misc_deregister(&ctrl->misc);
	stop_for_good(ctrl);
	/* Calls that have not seen it find closed queues, and leave. */
	synchronize_srcu(&ctrl->srcu);
	detach_all(ctrl);

	teardown(ctrl);
	destroy_workqueue(ctrl->wq);
	pnvme_ctrl_put(ctrl);
}

static void pnvme_shutdown(struct pci_dev *pdev)
{
	stop_for_good(pci_get_drvdata(pdev));
}

/* Transfers wait until release(). */
static void hold(struct pnvme_ctrl *ctrl)
{
	mutex_lock(&ctrl->lifecycle);
	ctrl->held = true;
	pnvme_ctrl_stop(ctrl, true, 0);
	mutex_unlock(&ctrl->lifecycle);
}

static int release(struct pnvme_ctrl *ctrl)
{
	int ret;

	mutex_lock(&ctrl->lifecycle);
	ctrl->held = false;
	ret = pnvme_ctrl_restart(ctrl);
	mutex_unlock(&ctrl->lifecycle);
	return ret;
}

static void pnvme_reset_prepare(struct pci_dev *pdev)
{
	hold(pci_get_drvdata(pdev));
}

static void pnvme_reset_done(struct pci_dev *pdev)
{
	if (release(pci_get_drvdata(pdev)))
		pci_err(pdev, "does not come back after the reset\n");
}

static const struct pci_error_handlers pnvme_error_handlers = {
	.reset_prepare = pnvme_reset_prepare,
	.reset_done = pnvme_reset_done,
};

static int pnvme_suspend(struct device *dev)
{
	hold(dev_get_drvdata(dev));
	return 0;
}

static int pnvme_resume(struct device *dev)
{
	return release(dev_get_drvdata(dev));
}

static DEFINE_SIMPLE_DEV_PM_OPS(pnvme_pm_ops, pnvme_suspend, pnvme_resume);

/* No ids: driver_override alone decides. */
static struct pci_driver pnvme_driver = {
	.name = KBUILD_MODNAME,
	.probe = pnvme_probe,
	.remove = pnvme_remove,
	.shutdown = pnvme_shutdown,
	.err_handler = &pnvme_error_handlers,
	.driver.pm = pm_sleep_ptr(&pnvme_pm_ops),
};
module_pci_driver(pnvme_driver);

MODULE_DESCRIPTION("peerbuf importer: NVMe blocks to and from any dma-buf");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("PEERBUF");
