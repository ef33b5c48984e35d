// SPDX-License-Identifier: GPL-2.0-only
/*
 * The controller's registers: start it, stop it, and be sure that it stands
 * still (NVMe Base Specification 2.0, 3.5 and 3.6).
 *
 * Memory is given back only after the controller has said that it is disabled.
 * One that does not say so is cut off from the bus.
 */

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>
#include <linux/pci.h>

#include "nvme.h"

/* CAP.TO counts in these */
#define READY_UNIT_MS	500
#define POLL_US		1000

/* How long a shutdown may take, for the write cache to be written out */
#define SHUTDOWN_US	(10 * USEC_PER_SEC)

/* How long commands in flight may take to end before they are cut off */
#define DRAIN		(2 * HZ)

/**
 * pnvme_is_there() - does the controller answer?
 * @ctrl: the controller
 *
 * Where nothing answers, reads give ones, on some machines zeroes; CAP is
 * neither, and constant.
 *
 * Return: false, it was pulled out, or its memory is switched off.
 */
bool pnvme_is_there(struct pnvme_ctrl *ctrl)
{
	return readl(ctrl->regs + NVME_REG_CAP) == lower_32_bits(ctrl->cap);
}

static int wait_ready(struct pnvme_ctrl *ctrl, u32 ready)
{
	u64 timeout_us = (NVME_CAP_TIMEOUT(ctrl->cap) + 1) * READY_UNIT_MS *
			 USEC_PER_MSEC;
	u32 csts;
	int ret;

	ret = readl_poll_timeout(ctrl->regs + NVME_REG_CSTS, csts,
				 PCI_POSSIBLE_ERROR(csts) ||
				 (csts & NVME_CSTS_RDY) == ready,
				 POLL_US, timeout_us);
	return pnvme_is_there(ctrl) ? ret : -ENODEV;
}

/**
 * pnvme_ctrl_disable() - stop the controller
 * @ctrl: the controller
 *
 * Return: 0, it does no DMA any more; -ETIMEDOUT or -ENODEV, who knows.
 */
int pnvme_ctrl_disable(struct pnvme_ctrl *ctrl)
{
	u32 cc = readl(ctrl->regs + NVME_REG_CC);

	if (!pnvme_is_there(ctrl))
		return -ENODEV;

	writel(cc & ~(NVME_CC_ENABLE | NVME_CC_SHN_MASK),
	       ctrl->regs + NVME_REG_CC);
	return wait_ready(ctrl, 0);
}

/* Have it write out its cache; if it does not, that is the drive's affair. */
static void shut_down(struct pnvme_ctrl *ctrl)
{
	u32 cc = readl(ctrl->regs + NVME_REG_CC);
	u32 csts;
	int ret;

	if (!pnvme_is_there(ctrl) || !(cc & NVME_CC_ENABLE))
		return;

	writel((cc & ~NVME_CC_SHN_MASK) | NVME_CC_SHN_NORMAL,
	       ctrl->regs + NVME_REG_CC);
	ret = readl_poll_timeout(ctrl->regs + NVME_REG_CSTS, csts,
				 PCI_POSSIBLE_ERROR(csts) ||
				 csts & NVME_CSTS_CFS ||
				 (csts & NVME_CSTS_SHST_MASK) ==
				 NVME_CSTS_SHST_CMPLT, POLL_US, SHUTDOWN_US);
	if (ret)
		pci_warn(ctrl->pdev, "does not say that it has shut down\n");
}

static void cut_off(struct pnvme_ctrl *ctrl)
{
	u16 command;

	ctrl->cut = true;
	pci_clear_master(ctrl->pdev);
	/* What it wrote before that has arrived when this read returns. */
	pci_read_config_word(ctrl->pdev, PCI_COMMAND, &command);
	if (pci_device_is_present(ctrl->pdev))
		pci_err(ctrl->pdev, "does not stop, and was cut off from the bus\n");
}

static void enable(struct pnvme_ctrl *ctrl)
{
	struct pnvme_queue *admin = &ctrl->admin;
	u32 last = admin->depth - 1;

	writel(last | last << 16, ctrl->regs + NVME_REG_AQA);
	lo_hi_writeq(admin->sq_dma, ctrl->regs + NVME_REG_ASQ);
	lo_hi_writeq(admin->cq_dma, ctrl->regs + NVME_REG_ACQ);
	/* Memory pages of 4 KiB are MPS 0, round robin AMS 0. */
	writel(NVME_CC_ENABLE | NVME_CC_CSS_NVM | NVME_CC_IOSQES |
	       NVME_CC_IOCQES, ctrl->regs + NVME_REG_CC);
}

/* What Identify says comes without a 0 at the end, and with spaces. */
static void copy_text(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	while (size && (to[size - 1] == ' ' || !to[size - 1]))
		to[--size] = '\0';
}

static int identify(struct pnvme_ctrl *ctrl)
{
	const struct nvme_id_ctrl *id = ctrl->identify;
	unsigned int shift;
	u32 sgls;
	int ret;

	ret = pnvme_identify(ctrl, NVME_ID_CNS_CTRL, 0);
	if (ret)
		return ret;

	/* In units of the least page size, which is 4 KiB; 0: no limit. */
	shift = ilog2(PNVME_PAGE) + id->mdts;
	ctrl->max_transfer = PNVME_MAX_TRANSFER;
	if (id->mdts && shift < ilog2(PNVME_MAX_TRANSFER))
		ctrl->max_transfer = 1U << shift;

	sgls = le32_to_cpu(id->sgls);
	ctrl->sgl_align = sgls & NVME_CTRL_SGLS_BYTE_ALIGNED ? 0 :
			  sgls & NVME_CTRL_SGLS_DWORD_ALIGNED ? 3 : -1;
	ctrl->write_cache = id->vwc & NVME_CTRL_VWC_PRESENT;
	copy_text(ctrl->model, id->mn, sizeof(ctrl->model));
	copy_text(ctrl->serial, id->sn, sizeof(ctrl->serial));
	copy_text(ctrl->firmware, id->fr, sizeof(ctrl->firmware));
	return 0;
}

/**
 * pnvme_ctrl_start_admin() - enable the controller, with its admin queue
 * @ctrl: the controller, disabled, under its lifecycle lock
 *
 * Return: 0 or a negative errno.
 */
int pnvme_ctrl_start_admin(struct pnvme_ctrl *ctrl)
{
	int ret;

	lockdep_assert_held(&ctrl->lifecycle);

	pnvme_queue_prepare(&ctrl->admin);
	pci_set_master(ctrl->pdev);
	enable(ctrl);
	ret = wait_ready(ctrl, NVME_CSTS_RDY);
	if (ret)
		return ret;

	pnvme_queue_open(&ctrl->admin);
	return identify(ctrl);
}

/**
 * pnvme_ctrl_start_io() - create the I/O queues, and open them
 * @ctrl: the controller, with the admin queue live
 *
 * Return: 0 or a negative errno.
 */
int pnvme_ctrl_start_io(struct pnvme_ctrl *ctrl)
{
	unsigned int granted = ctrl->nr_queues;
	unsigned int i;
	int ret;

	ret = pnvme_set_queue_count(ctrl, &granted);
	if (!ret && granted < ctrl->nr_queues)
		ret = -ENOSPC;
	if (ret)
		return ret;

	for (i = 0; i < ctrl->nr_queues; i++) {
		pnvme_queue_prepare(&ctrl->queues[i]);
		ret = pnvme_create_queue(&ctrl->queues[i],
					 ctrl->nr_vectors > 1 ? i + 1 : 0);
		if (ret)
			return ret;
	}

	ret = pnvme_namespaces_scan(ctrl);
	if (ret)
		return ret;

	for (i = 0; i < ctrl->nr_queues; i++)
		pnvme_queue_open(&ctrl->queues[i]);
	return 0;
}

/* Give what is in flight some time, if the controller may be well. */
static void drain(struct pnvme_ctrl *ctrl, bool wait, int refusal)
{
	unsigned long deadline = jiffies + DRAIN;
	unsigned int i;

	for (i = 0; i < ctrl->nr_queues; i++)
		pnvme_queue_drain(&ctrl->queues[i], refusal);

	for (i = 0; i < ctrl->nr_queues && wait; i++)
		while (!pnvme_queue_is_idle(&ctrl->queues[i]) &&
		       time_before(jiffies, deadline) && pnvme_is_there(ctrl))
			wait_event_timeout(ctrl->queues[i].wait,
					   pnvme_queue_is_idle(&ctrl->queues[i]),
					   HZ / 10);
}

/**
 * pnvme_ctrl_stop() - end all transfers, with the controller disabled
 * @ctrl: the controller, in any state, under its lifecycle lock
 * @shutdown: in an orderly way: commands in flight may end, and the cache is
 *	written out
 * @refusal: what new transfers are told; 0 to let them wait for the restart
 *
 * Whatever the controller does: when this returns, nothing is in flight, and
 * nothing will be written to memory. Allocates no memory.
 */
void pnvme_ctrl_stop(struct pnvme_ctrl *ctrl, bool shutdown, int refusal)
{
	unsigned int i;

	lockdep_assert_held(&ctrl->lifecycle);

	drain(ctrl, shutdown, refusal);
	if (shutdown)
		shut_down(ctrl);
	if (!ctrl->cut && pnvme_ctrl_disable(ctrl))
		cut_off(ctrl);

	for (i = 0; i < ctrl->nr_queues; i++)
		pnvme_queue_close(&ctrl->queues[i], refusal, refusal ?: -EIO);
	pnvme_queue_close(&ctrl->admin, -EIO, -EIO);
}

/* Who waits for the restart is told that there is none. */
static void give_up(struct pnvme_ctrl *ctrl)
{
	ctrl->failed = true;
	pnvme_ctrl_stop(ctrl, false, -EIO);
}

/**
 * pnvme_ctrl_restart() - start after a stop
 * @ctrl: the controller, stopped, under its lifecycle lock
 *
 * Return: 0; or a negative errno, and the controller stays stopped.
 */
int pnvme_ctrl_restart(struct pnvme_ctrl *ctrl)
{
	int ret;

	lockdep_assert_held(&ctrl->lifecycle);

	/* One that was cut off gets the bus back only when it stands still. */
	ret = pnvme_ctrl_disable(ctrl);
	if (!ret) {
		ctrl->cut = false;
		ret = pnvme_ctrl_start_admin(ctrl);
	}
	if (!ret)
		ret = pnvme_ctrl_start_io(ctrl);
	if (ret)
		give_up(ctrl);
	else
		ctrl->failed = false;
	return ret;
}
