// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transfer, from its start to the end of its last command.
 *
 * It is split into commands as they are submitted: a slot that has ended takes
 * the next piece, in the interrupt, until none is left. So a transfer needs one
 * slot to be sure to come to its end. It takes more where they are free, and
 * lets them go when others wait. All that has to be waited for or allocated is
 * so before the job on the dma-buf begins: from there to its end nothing sleeps,
 * and the watchdog bounds the time.
 */

#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/peerbuf.h>
#include <linux/smp.h>

#include "nvme.h"

static int outcome_to_errno(int outcome)
{
	if (outcome <= 0)
		return outcome;

	switch (outcome) {
	case NVME_SC_LBA_RANGE:
		return -ERANGE;
	case NVME_SC_CAP_EXCEEDED:
		return -ENOSPC;
	case NVME_SC_NS_WRITE_PROTECTED:
	case NVME_SC_READ_ONLY:
		return -EROFS;
	case NVME_SC_INVALID_NS:
		return -ENXIO;
	case NVME_SC_READ_ERROR:
	case NVME_SC_WRITE_FAULT:
	case NVME_SC_UNWRITTEN_BLOCK:
		return -ENODATA;
	default:
		return -EIO;
	}
}

static void set_error(struct pnvme_request *request, int error)
{
	lockdep_assert_held(&request->lock);

	if (!request->error)
		request->error = error;
}

/* The next command with data. Return: false, there is none. */
static bool next_transfer(struct pnvme_request *request,
			  struct pnvme_slot *slot)
{
	struct nvme_rw_command *rw = &slot->command.rw;
	u32 most = request->ctrl->max_transfer >> request->shift;
	size_t length = (size_t)min(request->blocks, most) << request->shift;
	u32 blocks;

	if (!request->blocks)
		return false;
	/* Who asked for the memory waits for us: be quick. */
	if (peerbuf_import_is_wanted(request->import)) {
		set_error(request, -ECANCELED);
		return false;
	}

	blocks = pnvme_data_map(slot, &request->cursor, length,
				1U << request->shift) >> request->shift;
	if (!blocks) {
		set_error(request, -EXDEV);
		return false;
	}

	rw->slba = cpu_to_le64(request->lba);
	rw->length = cpu_to_le16(blocks - 1);
	rw->control = cpu_to_le16(request->control);
	request->lba += blocks;
	request->blocks -= blocks;
	return true;
}

/* Give @slot the next command. Return: false, there is none. */
static bool next_command(struct pnvme_request *request, struct pnvme_slot *slot)
{
	lockdep_assert_held(&request->lock);

	if (request->error)
		return false;

	memset(&slot->command, 0, sizeof(slot->command));
	slot->command.rw.opcode = request->opcode;
	slot->command.rw.nsid = cpu_to_le32(request->nsid);
	if (!request->flush)
		return next_transfer(request, slot);

	request->flush = false;
	return true;
}

/* One less works on it, a slot or who starts it. Return: it was the last one. */
static bool drop_user(struct pnvme_request *request, bool is_slot)
{
	lockdep_assert_held(&request->lock);

	if (is_slot)
		request->slots--;
	else
		request->starting = false;
	if (request->slots || request->starting)
		return false;

	if (!request->error && WARN_ON_ONCE(request->blocks))
		set_error(request, -EIO);
	return true;
}

/* Nobody works on it any more. */
static void end_request(struct pnvme_request *request)
{
	int error = request->error;

	/* The import may be detached as soon as its job has ended. */
	if (request->job)
		peerbuf_import_end(request->import, request->job, error);
	request->done(request, error);
}

static void request_slot_end(struct pnvme_slot *slot, int outcome, u32 result);

/* Others wait for a slot, and @request has more than the one that it needs. */
static bool should_yield(struct pnvme_request *request, struct pnvme_slot *slot)
{
	lockdep_assert_held(&request->lock);

	return request->slots > 1 && pnvme_queue_is_wanted(slot->queue);
}

/* Let go of @slot, which could not go on because of @error. */
static void drop_slot(struct pnvme_request *request, struct pnvme_slot *slot,
		      int error)
{
	unsigned long flags;
	bool over;

	spin_lock_irqsave(&request->lock, flags);
	set_error(request, error);
	over = drop_user(request, true);
	spin_unlock_irqrestore(&request->lock, flags);

	pnvme_slot_put(slot);
	if (over)
		end_request(request);
}

/* Let @slot, one of its own, work on @request, or let go of it. */
static void run_slot(struct pnvme_request *request, struct pnvme_slot *slot)
{
	struct pnvme_ctrl *ctrl = request->ctrl;
	unsigned long flags;
	bool over = false;
	bool more;
	int ret;

	spin_lock_irqsave(&request->lock, flags);
	more = !should_yield(request, slot) && next_command(request, slot);
	if (!more)
		over = drop_user(request, true);
	spin_unlock_irqrestore(&request->lock, flags);

	if (!more) {
		pnvme_slot_put(slot);
		if (over)
			end_request(request);
		return;
	}

	slot->owner = request;
	slot->end = request_slot_end;
	ret = pnvme_slot_submit(slot, pnvme_timeout());
	if (ret)
		drop_slot(request, slot, ret);
	else
		pnvme_watch(ctrl);
}

static void request_slot_end(struct pnvme_slot *slot, int outcome, u32 result)
{
	struct pnvme_request *request = slot->owner;
	int error = outcome_to_errno(outcome);
	unsigned long flags;

	if (error) {
		spin_lock_irqsave(&request->lock, flags);
		set_error(request, error);
		spin_unlock_irqrestore(&request->lock, flags);
	}
	run_slot(request, slot);
}

/* Another slot, if there is one free, and more to do. */
static struct pnvme_slot *another_slot(struct pnvme_request *request,
				       struct pnvme_queue *queue)
{
	struct pnvme_slot *slot = pnvme_slot_get(queue, false);
	bool more;

	if (IS_ERR(slot))
		return NULL;

	spin_lock_irq(&request->lock);
	more = request->blocks && !request->error;
	if (more)
		request->slots++;
	spin_unlock_irq(&request->lock);
	if (more)
		return slot;

	pnvme_slot_put(slot);
	return NULL;
}

/* From here on, @request is its slots'; it is gone when this returns. */
static void run(struct pnvme_request *request, struct pnvme_slot *slot)
{
	struct pnvme_queue *queue = slot->queue;
	bool over;

	request->starting = true;
	request->slots = 1;
	do {
		run_slot(request, slot);
		slot = another_slot(request, queue);
	} while (slot);

	spin_lock_irq(&request->lock);
	over = drop_user(request, false);
	spin_unlock_irq(&request->lock);
	if (over)
		end_request(request);
}

/* A revoked buffer is told apart from a controller that is gone. */
static int begin_errno(int error)
{
	return error == -ENODEV ? -ECANCELED : error;
}

static int begin(struct pnvme_request *request, bool wait)
{
	struct dma_fence *job;
	int ret;

	request->job = NULL;
	if (!request->import)
		return 0;

	job = wait ? peerbuf_import_begin(request->import) :
		     peerbuf_import_try_begin(request->import);
	if (IS_ERR(job))
		return begin_errno(PTR_ERR(job));

	ret = pnvme_cursor_seek(&request->cursor,
				peerbuf_import_sgt(request->import),
				request->offset);
	if (ret) {
		peerbuf_import_end(request->import, job, ret);
		return ret;
	}
	request->job = job;
	return 0;
}

/**
 * pnvme_request_start() - start a transfer
 * @request: what to do, checked
 * @ctrl: where; in a read section of its srcu
 * @wait: sleep where there is something to wait for; a signal ends the sleep
 *
 * Return: 0, @request is the callee's until it calls its done(), which may have
 * been already; or a negative errno, nothing was done: -EAGAIN, only to be had
 * by waiting; -ERESTARTSYS or -EINTR; -ECANCELED, the exporter took the memory
 * away; why the controller is stopped; -ENOMEM.
 */
int pnvme_request_start(struct pnvme_request *request, struct pnvme_ctrl *ctrl,
			bool wait)
{
	struct pnvme_queue *queue =
		&ctrl->queues[raw_smp_processor_id() % ctrl->nr_queues];
	struct pnvme_slot *slot;
	bool signalling;
	int ret;

	request->ctrl = ctrl;
	spin_lock_init(&request->lock);

	/* The slot first: who waits for memory holds what it needs to go on. */
	slot = pnvme_slot_get(queue, wait);
	if (IS_ERR(slot))
		return PTR_ERR(slot);

	ret = begin(request, wait);
	if (ret) {
		pnvme_slot_put(slot);
		return ret;
	}

	signalling = dma_fence_begin_signalling();
	run(request, slot);
	dma_fence_end_signalling(signalling);
	return 0;
}
