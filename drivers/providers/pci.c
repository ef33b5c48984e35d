// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_pci: provider for any PCI device that has no driver of its own.
 *
 * Binds only where the administrator says so, with driver_override. Lends every
 * memory BAR, but for the pages that hold the MSI-X table and pending bits: who
 * writes there makes the device interrupt any CPU (PCIe 6.0, 6.1.4).
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
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

	ret = pci_enable_device_mem(pdev);
	if (ret)
		return ret;

	ret = pci_request_selected_regions(pdev, bars, KBUILD_MODNAME);
	if (ret)
		goto err_disable;

	ret = register_provider(pdev, bars);
	if (ret)
		goto err_release;

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

	peerbuf_provider_unregister(provider);
	peerbuf_provider_put(provider);
	pci_release_selected_regions(pdev, lendable_bars(pdev));
	pci_disable_device(pdev);
}

/* No ids: driver_override alone decides. */
static struct pci_driver peerbuf_pci_driver = {
	.name = KBUILD_MODNAME,
	.probe = peerbuf_pci_probe,
	.remove = peerbuf_pci_remove,
};
module_pci_driver(peerbuf_pci_driver);

MODULE_DESCRIPTION("peerbuf provider for PCI devices without a driver");
MODULE_AUTHOR("The peerbuf developers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("PEERBUF");
