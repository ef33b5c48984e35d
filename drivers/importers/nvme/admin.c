// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands on the admin queue: one at a time, and waited for.
 *
 * The end of transfers may depend on them (abort, reset), so nothing here
 * allocates memory, or waits for somebody who does.
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/pci.h>

#include "nvme.h"

/* Not for the I/O timeout to shorten: some commands scan the medium */
#define LEAST_TIMEOUT	(5 * HZ)

/* How often to look whether the controller is there, and an interrupt was lost */
#define LOOK		(HZ / 10)

/* To an admin command; on the stack of who waits */
struct answer {
	struct completion ended;
	int outcome;
	u32 result;
};

static void admin_end(struct pnvme_slot *slot, int outcome, u32 result)
{
	struct answer *answer = slot->owner;

	answer->outcome = outcome;
	answer->result = result;
	complete(&answer->ended);
}

/* Return: 0, it has ended; or a negative errno, it has not, and is lost. */
static int wait_for_answer(struct pnvme_slot *slot, struct answer *answer,
			   unsigned long timeout)
{
	struct pnvme_ctrl *ctrl = slot->queue->ctrl;
	unsigned long deadline = jiffies + timeout;

	while (!wait_for_completion_timeout(&answer->ended, LOOK)) {
		bool there = pnvme_is_there(ctrl);

		pnvme_queue_poll(slot->queue);
		if (there && time_before(jiffies, deadline))
			continue;
		if (pnvme_slot_lose(slot))
			return there ? -ETIMEDOUT : -ENODEV;
		wait_for_completion(&answer->ended);
		break;
	}
	return 0;
}

static int admin_locked(struct pnvme_ctrl *ctrl,
			const struct nvme_command *command, u32 *result)
{
	unsigned long timeout = max(pnvme_timeout(), LEAST_TIMEOUT);
	struct answer answer = {};
	struct pnvme_slot *slot;
	int ret;

	slot = pnvme_slot_get(&ctrl->admin, false);
	if (IS_ERR(slot))
		return -EIO;

	init_completion(&answer.ended);
	slot->command = *command;
	slot->owner = &answer;
	slot->end = admin_end;
	ret = pnvme_slot_submit(slot, timeout);
	if (!ret) {
		ret = wait_for_answer(slot, &answer, timeout);
		if (ret)
			return ret;
		ret = answer.outcome > 0 ? -EIO : answer.outcome;
	}
	pnvme_slot_put(slot);
	*result = answer.result;
	return ret;
}

static int admin(struct pnvme_ctrl *ctrl, const struct nvme_command *command,
		 u32 *result)
{
	int ret;

	mutex_lock(&ctrl->admin_lock);
	ret = admin_locked(ctrl, command, result);
	mutex_unlock(&ctrl->admin_lock);
	return ret;
}

/**
 * pnvme_identify() - have the controller fill its Identify page
 * @ctrl: the controller, under its lifecycle lock
 * @cns: what of
 * @nsid: of which namespace
 *
 * Return: 0 or a negative errno.
 */
int pnvme_identify(struct pnvme_ctrl *ctrl, u8 cns, u32 nsid)
{
	struct nvme_command command = {
		.identify = {
			.opcode = nvme_admin_identify,
			.nsid = cpu_to_le32(nsid),
			.dptr.prp1 = cpu_to_le64(ctrl->identify_dma),
			.cns = cns,
		},
	};
	u32 result;

	lockdep_assert_held(&ctrl->lifecycle);
	return admin(ctrl, &command, &result);
}

/**
 * pnvme_set_queue_count() - agree on the number of I/O queues
 * @ctrl: the controller
 * @count: in: wanted; out: granted, not more than that
 *
 * Return: 0 or a negative errno.
 */
int pnvme_set_queue_count(struct pnvme_ctrl *ctrl, unsigned int *count)
{
	u32 wanted = (*count - 1) | (*count - 1) << 16;
	struct nvme_command command = {
		.features = {
			.opcode = nvme_admin_set_features,
			.fid = cpu_to_le32(NVME_FEAT_NUM_QUEUES),
			.dword11 = cpu_to_le32(wanted),
		},
	};
	u32 granted;
	int ret;

	ret = admin(ctrl, &command, &granted);
	if (!ret)
		*count = min3(*count, (granted & 0xffff) + 1,
			      (granted >> 16) + 1);
	return ret;
}

/**
 * pnvme_create_queue() - make a queue known to the controller
 * @queue: an I/O queue, prepared
 * @vector: number of its interrupt vector
 *
 * Return: 0 or a negative errno.
 */
int pnvme_create_queue(struct pnvme_queue *queue, unsigned int vector)
{
	struct nvme_command cq = {
		.create_cq = {
			.opcode = nvme_admin_create_cq,
			.prp1 = cpu_to_le64(queue->cq_dma),
			.cqid = cpu_to_le16(queue->id),
			.qsize = cpu_to_le16(queue->depth - 1),
			.cq_flags = cpu_to_le16(NVME_QUEUE_PHYS_CONTIG |
						NVME_CQ_IRQ_ENABLED),
			.irq_vector = cpu_to_le16(vector),
		},
	};
	struct nvme_command sq = {
		.create_sq = {
			.opcode = nvme_admin_create_sq,
			.prp1 = cpu_to_le64(queue->sq_dma),
			.sqid = cpu_to_le16(queue->id),
			.qsize = cpu_to_le16(queue->depth - 1),
			.sq_flags = cpu_to_le16(NVME_QUEUE_PHYS_CONTIG),
			.cqid = cpu_to_le16(queue->id),
		},
	};
	u32 result;
	int ret;

	ret = admin(queue->ctrl, &cq, &result);
	return ret ?: admin(queue->ctrl, &sq, &result);
}

/**
 * pnvme_abort() - ask the controller to end a command soon
 * @queue: where the command is
 * @command_id: its id
 *
 * The controller may do so or not; the command has its completion either way.
 *
 * Return: 0, it was asked; or a negative errno.
 */
int pnvme_abort(struct pnvme_queue *queue, u16 command_id)
{
	struct nvme_command command = {
		.abort = {
			.opcode = nvme_admin_abort_cmd,
			.sqid = cpu_to_le16(queue->id),
			.cid = command_id,
		},
	};
	u32 result;

	return admin(queue->ctrl, &command, &result);
}
