// SPDX-License-Identifier: GPL-2.0-only
/*
 * What does not end by itself. A command that is late is aborted; if that does
 * not end it within the same time again, or the controller reports a fatal
 * error, the controller is reset. So each job on a dma-buf ends in bounded time,
 * and not before the controller has let go of the memory.
 *
 * All this runs while fences wait for it: up to the end of the last transfer,
 * nothing here allocates memory.
 */

#include <linux/dma-fence.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "nvme.h"

#define PERIOD_MOST	HZ

static unsigned int timeout_ms = 30000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms, "Milliseconds that a command may take before it is aborted, and then again before the controller is reset (default 30000)");

/**
 * pnvme_timeout() - how long a command may take
 *
 * Return: jiffies, at least a tick.
 */
unsigned long pnvme_timeout(void)
{
	return max(msecs_to_jiffies(READ_ONCE(timeout_ms)), 1UL);
}

/**
 * pnvme_watch() - something is in flight
 * @ctrl: the controller
 *
 * Context: Any.
 */
void pnvme_watch(struct pnvme_ctrl *ctrl)
{
	/* Not if it is queued, but then it will see what is in flight. */
	queue_delayed_work(ctrl->wq, &ctrl->watchdog,
			   clamp(pnvme_timeout() / 4, 1UL, PERIOD_MOST));
}

/*
 * Find the next command that is late, from slot *@next on. Return: 0, there is
 * none; -ETIME, it is late for the first time, and has @id; -ETIMEDOUT, again.
 */
static int find_late(struct pnvme_queue *queue, unsigned int *next, u16 *id)
{
	struct pnvme_slot *slot;
	int ret = 0;

	spin_lock_irq(&queue->lock);
	for (; !ret && *next < queue->nr_slots; ++*next) {
		slot = &queue->slots[*next];
		if (!slot->in_flight || time_before(jiffies, slot->deadline))
			continue;
		ret = slot->late ? -ETIMEDOUT : -ETIME;
		*id = slot->command.common.command_id;
		slot->deadline = jiffies + pnvme_timeout();
		slot->late = true;
	}
	spin_unlock_irq(&queue->lock);
	return ret;
}

/* Return: whether the controller has to be reset. */
static bool abort_late(struct pnvme_queue *queue)
{
	struct pci_dev *pdev = queue->ctrl->pdev;
	unsigned int next = 0;
	int ret;
	u16 id;

	/* An interrupt may have been lost. */
	if (pnvme_queue_poll(queue))
		pci_dbg(pdev, "queue %u: completions without an interrupt\n",
			queue->id);

	while ((ret = find_late(queue, &next, &id)) == -ETIME) {
		dev_warn_ratelimited(&pdev->dev, "queue %u: command %#x is late, aborting it\n",
				     queue->id, id);
		if (pnvme_abort(queue, id))
			return true;
	}
	return ret;
}

static bool is_sick(struct pnvme_ctrl *ctrl)
{
	unsigned int i;

	if (!pnvme_is_there(ctrl) ||
	    readl(ctrl->regs + NVME_REG_CSTS) & NVME_CSTS_CFS)
		return true;
	for (i = 0; i < ctrl->nr_queues; i++)
		if (abort_late(&ctrl->queues[i]))
			return true;
	return false;
}

static bool is_idle(struct pnvme_ctrl *ctrl)
{
	unsigned int i;

	for (i = 0; i < ctrl->nr_queues; i++)
		if (!pnvme_queue_is_idle(&ctrl->queues[i]))
			return false;
	return true;
}

static void watchdog_work(struct work_struct *work)
{
	struct pnvme_ctrl *ctrl =
		container_of(work, struct pnvme_ctrl, watchdog.work);
	bool signalling = dma_fence_begin_signalling();

	if (is_idle(ctrl))
		goto out;
	if (is_sick(ctrl))
		queue_work(ctrl->wq, &ctrl->reset);
	pnvme_watch(ctrl);
out:
	dma_fence_end_signalling(signalling);
}

static void reset_work(struct work_struct *work)
{
	struct pnvme_ctrl *ctrl = container_of(work, struct pnvme_ctrl, reset);
	bool signalling;
	int ret;

	mutex_lock(&ctrl->lifecycle);
	/* Who holds it starts it again. */
	if (ctrl->held)
		goto out;

	pci_warn(ctrl->pdev, "resetting the controller\n");
	signalling = dma_fence_begin_signalling();
	pnvme_ctrl_stop(ctrl, false, 0);
	dma_fence_end_signalling(signalling);

	ret = pnvme_ctrl_restart(ctrl);
	if (ret)
		pci_err(ctrl->pdev, "does not come back after the reset (%d)\n",
			ret);
out:
	mutex_unlock(&ctrl->lifecycle);
}

/**
 * pnvme_reset() - reset the controller, and wait until that is done
 * @ctrl: the controller
 *
 * Return: 0; -EIO, it does not come back; -ENODEV, it is being unbound.
 */
int pnvme_reset(struct pnvme_ctrl *ctrl)
{
	bool failed;

	queue_work(ctrl->wq, &ctrl->reset);
	flush_work(&ctrl->reset);

	mutex_lock(&ctrl->lifecycle);
	failed = ctrl->failed;
	mutex_unlock(&ctrl->lifecycle);
	return failed ? -EIO : 0;
}

/**
 * pnvme_recovery_init() - make the works
 * @ctrl: the controller
 */
void pnvme_recovery_init(struct pnvme_ctrl *ctrl)
{
	INIT_DELAYED_WORK(&ctrl->watchdog, watchdog_work);
	INIT_WORK(&ctrl->reset, reset_work);
}
