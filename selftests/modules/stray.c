// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_test: DMA that no driver would ask for. Only the IOMMU, where there is
 * one, stands between it and the memory. Registers: QEMU, docs/specs/edu.rst.
 */
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/pci.h>

#include "test.h"

#define EDU_REGS	0xa0
#define EDU_DMA_SRC	0x80
#define EDU_DMA_DST	0x88
#define EDU_DMA_COUNT	0x90
#define EDU_DMA_CMD	0x98
#define EDU_CMD_RUN	BIT(0)
#define EDU_CMD_TO_RAM	BIT(1)
#define EDU_BUFFER	0x40000
#define EDU_BUFFER_SIZE	4096

static int stray_run(void __iomem *regs, const struct peerbuf_test_stray *arg)
{
	u64 cmd = EDU_CMD_RUN | (arg->write ? EDU_CMD_TO_RAM : 0);
	u32 status;

	writeq(arg->write ? EDU_BUFFER : arg->address, regs + EDU_DMA_SRC);
	writeq(arg->write ? arg->address : EDU_BUFFER, regs + EDU_DMA_DST);
	writeq(arg->length, regs + EDU_DMA_COUNT);
	writeq(cmd, regs + EDU_DMA_CMD);
	return readl_poll_timeout(regs + EDU_DMA_CMD, status,
				  !(status & EDU_CMD_RUN), 10 * USEC_PER_MSEC,
				  5 * USEC_PER_SEC);
}

int test_stray(struct test_file *file, void *data)
{
	struct peerbuf_test_stray *arg = data;
	struct pci_dev *pdev;
	void __iomem *regs;
	int ret = -ENXIO;

	if (!arg->length || arg->length > EDU_BUFFER_SIZE)
		return -ERANGE;
	pdev = test_get_function(&arg->engine);
	if (!pdev || pdev->vendor != 0x1234 || pdev->device != 0x11e8)
		goto out;

	ret = -ENOMEM;
	regs = ioremap(pci_resource_start(pdev, 0), EDU_REGS);
	if (regs) {
		ret = stray_run(regs, arg);
		iounmap(regs);
	}
out:
	pci_dev_put(pdev);
	return ret;
}
