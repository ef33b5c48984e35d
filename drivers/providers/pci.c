// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_pci: provider for any PCI device that has no driver of its own.
 *
 * Binds only where the administrator says so, with driver_override. Lends every
 * memory BAR, but for the pages that hold the MSI-X table and pending bits: who
 * writes there makes the device interrupt any CPU (PCIe 6.0, 6.1.4).
 *
 * The memory is stopped while the function is reset, recovers from an error, or
 * the system sleeps. At run time the device may sleep only while nothing is lent
 * (power/control=auto in sysfs): the core keeps it awake for each buffer, as its
 * contents would be lost without a word.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/security.h>
#include <linux/sort.h>

#define NR_HOLES	2

/**
 * struct hole - pages of a BAR that are not lent
 * @bar: number of the BAR, -1 for none
 * @start: bytes from the start of the BAR, page aligned
 * @end: likewise, first byte after
 */
struct hole {
	int bar;
	u64 start;
	u64 end;
};

static struct hole make_hole(u32 location, u64 length)
{
	u64 offset = location & PCI_MSIX_TABLE_OFFSET;

	return (struct hole) {
		.bar = location & PCI_MSIX_TABLE_BIR,
		.start = ALIGN_DOWN(offset, PAGE_SIZE),
		.end = ALIGN(offset + length, PAGE_SIZE),
	};
}

static int compare_holes(const void *a, const void *b)
{
	const struct hole *left = a, *right = b;

	return cmp_int(left->start, right->start);
}

/* In order of start, whichever BAR they are in. */
static void find_holes(struct pci_dev *pdev, struct hole holes[NR_HOLES])
{
	int cap = pdev->msix_cap;
	u32 table, pba;
	u16 flags;
	int nr;

	holes[0].bar = -1;
	holes[1].bar = -1;
	if (!cap)
		return;

	pci_read_config_word(pdev, cap + PCI_MSIX_FLAGS, &flags);
	pci_read_config_dword(pdev, cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, cap + PCI_MSIX_PBA, &pba);
	nr = (flags & PCI_MSIX_FLAGS_QSIZE) + 1;

	/* 16 bytes a vector; one pending bit a vector, in units of 8 bytes */
	holes[0] = make_hole(table, (u64)nr * PCI_MSIX_ENTRY_SIZE);
	holes[1] = make_hole(pba, DIV_ROUND_UP(nr, 64) * sizeof(u64));
	sort(holes, NR_HOLES, sizeof(*holes), compare_holes, NULL);
}

static int add_window(struct peerbuf_provider *provider, int bar, u64 start,
		      u64 end)
{
	if (start >= end)
		return 0;

	return peerbuf_provider_add_window(provider, bar, start, end - start);
}

/* The parts of a BAR that lie between the holes. */
static int add_bar(struct peerbuf_provider *provider, int bar, u64 length,
		   const struct hole holes[NR_HOLES])
{
	u64 next = 0;
	int i, ret;

	for (i = 0; i < NR_HOLES; i++) {
		if (holes[i].bar != bar)
			continue;
		ret = add_window(provider, bar, next,
				 min(holes[i].start, length));
		if (ret)
			return ret;
		next = max(next, holes[i].end);
	}

	return add_window(provider, bar, next, length);
}

/* Whole pages only: a smaller BAR shares its page with who knows what. */
static int lendable_bars(struct pci_dev *pdev)
{
	int bar, bars = 0;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM &&
		    PAGE_ALIGNED(pci_resource_start(pdev, bar)) &&
		    pci_resource_len(pdev, bar) >= PAGE_SIZE)
			bars |= BIT(bar);

	return bars;
}

static int add_windows(struct pci_dev *pdev, struct peerbuf_provider *provider,
		       int bars)
{
	struct hole holes[NR_HOLES];
	int bar, ret;

	find_holes(pdev, holes);

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(bars & BIT(bar)))
			continue;
		ret = add_bar(provider, bar, pci_resource_len(pdev, bar),
			      holes);
		if (ret)
			return ret;
	}

	return 0;
}

static int register_provider(struct pci_dev *pdev, int bars)
{
	struct peerbuf_provider *provider;
	int ret;

	provider = peerbuf_provider_alloc(pdev);
	if (IS_ERR(provider))
		return PTR_ERR(provider);

	ret = add_windows(pdev, provider, bars);
	if (!ret)
		ret = peerbuf_provider_register(provider);
	if (ret) {
		peerbuf_provider_put(provider);
		return ret;
	}

	pci_set_drvdata(pdev, provider);
	return 0;
}

static int peerbuf_pci_probe(struct pci_dev *pdev,
			     const struct pci_device_id *id)
{
	int bars = lendable_bars(pdev);
	int ret;

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL || !bars) {
		pci_err(pdev, "no memory BAR of a page or more to lend\n");
		return -ENODEV;
	}

	/* as for mmap() of a BAR in sysfs (drivers/pci/pci-sysfs.c) */
	ret = security_locked_down(LOCKDOWN_PCI_ACCESS);
	if (ret)
		return ret;

	ret = pci_enable_device_mem(pdev);
	if (ret)
		return ret;

	/* whoever is lent registers must not make the device do DMA with them */
	pci_clear_master(pdev);

	ret = pci_request_selected_regions(pdev, bars, KBUILD_MODNAME);
	if (ret)
		goto err_disable;

	ret = register_provider(pdev, bars);
	if (ret)
		goto err_release;

	/* what a slot reset brings back */
	pci_save_state(pdev);
	pm_runtime_put_noidle(&pdev->dev);
	return 0;

err_release:
	pci_release_selected_regions(pdev, bars);
err_disable:
	pci_disable_device(pdev);
	return ret;
}

static void peerbuf_pci_remove(struct pci_dev *pdev)
{
	struct peerbuf_provider *provider = pci_get_drvdata(pdev);

	pm_runtime_get_noresume(&pdev->dev);
	peerbuf_provider_unregister(provider);
	peerbuf_provider_put(provider);
	pci_release_selected_regions(pdev, lendable_bars(pdev));
	pci_disable_device(pdev);
}

static void peerbuf_pci_reset_prepare(struct pci_dev *pdev)
{
	peerbuf_provider_stop(pci_get_drvdata(pdev), PEERBUF_STOP_RESET);
}

static void peerbuf_pci_reset_done(struct pci_dev *pdev)
{
	peerbuf_provider_start(pci_get_drvdata(pdev), PEERBUF_STOP_RESET);
}

/* Whether it was our own DMA, or whose it was, is not said: assume the worst. */
static pci_ers_result_t
peerbuf_pci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct peerbuf_provider *provider = pci_get_drvdata(pdev);

	if (state == pci_channel_io_perm_failure) {
		pci_err(pdev, "failed for good: everything is revoked\n");
		peerbuf_provider_fail(provider);
		return PCI_ERS_RESULT_DISCONNECT;
	}

	peerbuf_provider_stop(provider, PEERBUF_STOP_ERROR);
	return state == pci_channel_io_normal ? PCI_ERS_RESULT_CAN_RECOVER :
						PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t peerbuf_pci_mmio_enabled(struct pci_dev *pdev)
{
	return pci_device_is_present(pdev) ? PCI_ERS_RESULT_RECOVERED :
					     PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t peerbuf_pci_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	/* for the next time */
	pci_save_state(pdev);
	return pci_device_is_present(pdev) ? PCI_ERS_RESULT_RECOVERED :
					     PCI_ERS_RESULT_DISCONNECT;
}

static void peerbuf_pci_resume_io(struct pci_dev *pdev)
{
	peerbuf_provider_start(pci_get_drvdata(pdev), PEERBUF_STOP_ERROR);
}

static const struct pci_error_handlers peerbuf_pci_error_handlers = {
	.reset_prepare = peerbuf_pci_reset_prepare,
	.reset_done = peerbuf_pci_reset_done,
	.error_detected = peerbuf_pci_error_detected,
	.mmio_enabled = peerbuf_pci_mmio_enabled,
	.slot_reset = peerbuf_pci_slot_reset,
	.resume = peerbuf_pci_resume_io,
};

static int peerbuf_pci_suspend(struct device *dev)
{
	peerbuf_provider_stop(dev_get_drvdata(dev), PEERBUF_STOP_SUSPEND);
	return 0;
}

static int peerbuf_pci_resume(struct device *dev)
{
	peerbuf_provider_start(dev_get_drvdata(dev), PEERBUF_STOP_SUSPEND);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(peerbuf_pci_pm_ops, peerbuf_pci_suspend,
				peerbuf_pci_resume);

/* No ids: driver_override alone decides. */
static struct pci_driver peerbuf_pci_driver = {
	.name = KBUILD_MODNAME,
	.probe = peerbuf_pci_probe,
	.remove = peerbuf_pci_remove,
	.err_handler = &peerbuf_pci_error_handlers,
	.driver.pm = pm_sleep_ptr(&peerbuf_pci_pm_ops),
};
module_pci_driver(peerbuf_pci_driver);

MODULE_DESCRIPTION("peerbuf provider for PCI devices without a driver");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("PEERBUF");
