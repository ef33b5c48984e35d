// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lending what a fabric pretends to have. Nothing is behind the BARs, and fixed
 * exports leave it alone.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "fabric.h"

#define NR_BARS		6
/* Intel VMD: its BARs are the windows of another host bridge */
#define VMD		0x201d

/** fabric_is_bridge() - Return: whether @device has a bus below it. */
bool fabric_is_bridge(const struct pb_device *device)
{
	return (fabric_config_read(device, PCI_HEADER_TYPE, 1) &
		PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_BRIDGE;
}

/**
 * fabric_first_bar() - the first BAR of a function
 * @device: the function
 * @start: out: where it is
 *
 * Return: its number, -1 if there is none.
 */
int fabric_first_bar(const struct pb_device *device, __u64 *start)
{
	__u64 length;
	int bar;

	if (fabric_is_bridge(device))
		return -1;
	for (bar = 0; bar < NR_BARS; bar++) {
		must(pb_bar(device, bar, start, &length));
		if (*start)
			return bar;
	}
	return -1;
}

/** fabric_can_lend() - Return: whether @device has memory of its own. */
bool fabric_can_lend(const struct pb_device *device)
{
	__u64 start;

	return fabric_first_bar(device, &start) >= 0 &&
	       fabric_attribute(device, "device") != VMD;
}

static void lend_one(struct fabric_lender *lender)
{
	unsigned int nr = 1;
	int node;

	must(pb_bind(&lender->device, "peerbuf_pci"));
	must(pb_window(&lender->device, 0, &lender->window));
	lender->ranges[0].length = PAGE;
	if (lender->window.length > PAGE) {
		lender->ranges[1].offset = lender->window.length - PAGE;
		lender->ranges[1].length = PAGE;
		nr = 2;
	}
	node = must(pb_open_node(&lender->device, O_RDWR));
	lender->dmabuf = must(pb_export_ranges(node, 0, lender->ranges, nr, 0,
					       NULL));
	close(node);
}

/**
 * fabric_lend() - bind all that can lend, and export a buffer of each
 * @fabric: which
 * @lenders: filled in; fabric_unlend() before the fabric is closed
 */
void fabric_lend(const struct fabric *fabric, struct fabric_lenders *lenders)
{
	const struct pb_device *device;
	unsigned int i;

	lenders->nr = 0;
	lenders->lenders = calloc(fabric->nr, sizeof(*lenders->lenders));
	if (!lenders->lenders)
		fail("out of memory");
	for (i = 0; i < fabric->nr; i++) {
		device = &fabric->functions[i].device;
		if (!fabric_can_lend(device))
			continue;
		lenders->lenders[lenders->nr].device = *device;
		lend_one(&lenders->lenders[lenders->nr++]);
	}
}

/** fabric_unlend() - close the buffers; the drivers stay. */
void fabric_unlend(struct fabric_lenders *lenders)
{
	unsigned int i;

	for (i = 0; i < lenders->nr; i++)
		close(lenders->lenders[i].dmabuf);
	free(lenders->lenders);
}
