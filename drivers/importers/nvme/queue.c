// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pair of rings in host memory, and the slots of commands on their way through
 * them. Knows nothing of what the commands do.
 *
 * Life of a slot:
 *
 *   free --get--> taken --submit--> in flight --completion or close--> taken
 *        <--put--
 *
 * There is one slot less than a ring has entries, so that neither overruns: a
 * slot is free only after its completion was read.
 */

#include <linux/bitmap.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "nvme.h"

/* Completions that are read at a time, before they are acted upon */
#define BATCH	16

#define TURNS	(1U << (16 - PNVME_SLOT_BITS))

/* What the controller said of a slot */
struct ended {
	struct pnvme_slot *slot;
	int outcome;
	u32 result;
};

static u16 command_id(const struct pnvme_slot *slot)
{
	return slot->turn << PNVME_SLOT_BITS | slot->index;
}

static void free_slots(struct pnvme_queue *queue)
{
	struct device *dev = &queue->ctrl->pdev->dev;
	unsigned int i;

	for (i = 0; i < queue->nr_slots; i++)
		if (queue->slots[i].list)
			dma_free_coherent(dev, PNVME_PAGE, queue->slots[i].list,
					  queue->slots[i].list_dma);
	kvfree(queue->slots);
	queue->slots = NULL;
}

static int alloc_slots(struct pnvme_queue *queue, unsigned int nr)
{
	struct device *dev = &queue->ctrl->pdev->dev;
	struct pnvme_slot *slot;
	unsigned int i;

	queue->slots = kvzalloc_objs(*queue->slots, nr);
	if (!queue->slots)
		return -ENOMEM;

	/* A queue that is not all there can be closed: only now is there a slot. */
	queue->nr_slots = nr;
	for (i = 0; i < queue->nr_slots; i++) {
		slot = &queue->slots[i];
		slot->queue = queue;
		slot->index = i;
		if (!queue->id)
			continue;
		slot->list = dma_alloc_coherent(dev, PNVME_PAGE,
						&slot->list_dma, GFP_KERNEL);
		if (!slot->list)
			return -ENOMEM;
	}
	return 0;
}

static int alloc_rings(struct pnvme_queue *queue, unsigned int nr_slots)
{
	struct device *dev = &queue->ctrl->pdev->dev;

	queue->used = bitmap_zalloc(nr_slots, GFP_KERNEL);
	queue->sq = dma_alloc_coherent(dev, queue->depth * sizeof(*queue->sq),
				       &queue->sq_dma, GFP_KERNEL);
	queue->cq = dma_alloc_coherent(dev, queue->depth * sizeof(*queue->cq),
				       &queue->cq_dma, GFP_KERNEL);
	return queue->used && queue->sq && queue->cq ? 0 : -ENOMEM;
}

/**
 * pnvme_queue_free() - free what pnvme_queue_alloc() allocated
 * @queue: closed, or zero
 *
 * Callers of pnvme_slot_get() may still be refused by it.
 */
void pnvme_queue_free(struct pnvme_queue *queue)
{
	struct device *dev;

	if (!queue->ctrl)
		return;

	dev = &queue->ctrl->pdev->dev;
	free_slots(queue);
	if (queue->cq)
		dma_free_coherent(dev, queue->depth * sizeof(*queue->cq),
				  queue->cq, queue->cq_dma);
	if (queue->sq)
		dma_free_coherent(dev, queue->depth * sizeof(*queue->sq),
				  queue->sq, queue->sq_dma);
	bitmap_free(queue->used);
	queue->cq = NULL;
	queue->sq = NULL;
	queue->used = NULL;
}

/**
 * pnvme_queue_alloc() - make a queue, which is closed
 * @queue: zero
 * @ctrl: whose
 * @id: 0 for the admin queue; else its number on the controller
 * @depth: entries of a ring, 2 to %PNVME_MAX_DEPTH
 *
 * Return: 0 or -ENOMEM; pnvme_queue_free() after either.
 */
int pnvme_queue_alloc(struct pnvme_queue *queue, struct pnvme_ctrl *ctrl,
		      u16 id, u16 depth)
{
	unsigned int stride = sizeof(u32) << NVME_CAP_STRIDE(ctrl->cap);
	int ret;

	queue->ctrl = ctrl;
	queue->id = id;
	queue->depth = depth;
	queue->sq_doorbell = ctrl->regs + NVME_REG_DBS + 2 * id * stride;
	queue->cq_doorbell = queue->sq_doorbell + stride;
	init_waitqueue_head(&queue->wait);
	spin_lock_init(&queue->lock);

	ret = alloc_rings(queue, depth - 1);
	if (!ret)
		ret = alloc_slots(queue, depth - 1);
	return ret;
}

static irqreturn_t queue_irq(int irq, void *data)
{
	return pnvme_queue_poll(data) ? IRQ_HANDLED : IRQ_NONE;
}

/**
 * pnvme_queue_request_irq() - hear of completions
 * @queue: the queue
 * @vector: number of the MSI-X or MSI vector; queues can share one
 *
 * Return: 0 or a negative errno.
 */
int pnvme_queue_request_irq(struct pnvme_queue *queue, unsigned int vector)
{
	int irq = pci_irq_vector(queue->ctrl->pdev, vector);
	int ret;

	if (irq < 0)
		return irq;

	ret = request_irq(irq, queue_irq, IRQF_SHARED, queue->ctrl->name, queue);
	if (ret)
		return ret;

	queue->irq = irq;
	return 0;
}

/**
 * pnvme_queue_free_irq() - undo pnvme_queue_request_irq(), if it was done
 * @queue: the queue
 */
void pnvme_queue_free_irq(struct pnvme_queue *queue)
{
	if (!queue->irq)
		return;

	irq_update_affinity_hint(queue->irq, NULL);
	free_irq(queue->irq, queue);
	queue->irq = 0;
}

/**
 * pnvme_queue_prepare() - make the rings ready for a controller that starts
 * @queue: closed; the next is to create it on the controller, then to open it
 */
void pnvme_queue_prepare(struct pnvme_queue *queue)
{
	spin_lock_irq(&queue->lock);
	memset(queue->cq, 0, queue->depth * sizeof(*queue->cq));
	queue->tail = 0;
	queue->head = 0;
	queue->phase = 1;
	spin_unlock_irq(&queue->lock);
}

/**
 * pnvme_queue_open() - let commands in
 * @queue: closed and prepared, and created on the controller
 */
void pnvme_queue_open(struct pnvme_queue *queue)
{
	spin_lock_irq(&queue->lock);
	queue->state = PNVME_LIVE;
	queue->refusal = 0;
	spin_unlock_irq(&queue->lock);
	wake_up_all(&queue->wait);
}

/**
 * pnvme_queue_drain() - let no more commands in
 * @queue: in any state
 * @refusal: what who wants a slot is told; 0 to let them wait
 */
void pnvme_queue_drain(struct pnvme_queue *queue, int refusal)
{
	spin_lock_irq(&queue->lock);
	if (queue->state == PNVME_LIVE)
		queue->state = PNVME_DRAINING;
	queue->refusal = refusal;
	spin_unlock_irq(&queue->lock);
	wake_up_all(&queue->wait);
}

/**
 * pnvme_queue_is_idle() - is nothing in flight?
 * @queue: the queue
 *
 * Return: whether it is so; for a draining queue, it stays so.
 */
bool pnvme_queue_is_idle(struct pnvme_queue *queue)
{
	return !READ_ONCE(queue->in_flight);
}

/**
 * pnvme_queue_is_wanted() - does somebody wait for a slot?
 * @queue: the queue
 *
 * Context: Any.
 * Return: whether it is so, at some moment of late.
 */
bool pnvme_queue_is_wanted(struct pnvme_queue *queue)
{
	/* No barrier: who is missed now is seen at the end of the next command. */
	return waitqueue_active(&queue->wait);
}

/* Take a slot in flight away from the controller. Under the queue's lock. */
static struct pnvme_slot *land(struct pnvme_queue *queue,
			       struct pnvme_slot *slot)
{
	lockdep_assert_held(&queue->lock);

	slot->in_flight = false;
	WRITE_ONCE(queue->in_flight, queue->in_flight - 1);
	if (!slot->lost)
		return slot;

	slot->lost = false;
	__clear_bit(slot->index, queue->used);
	return NULL;
}

/* Whose completion is this? Under the queue's lock. */
static struct pnvme_slot *find_slot(struct pnvme_queue *queue, u16 id)
{
	unsigned int index = id & (PNVME_MAX_DEPTH - 1);
	struct pnvme_slot *slot;

	if (index >= queue->nr_slots)
		return NULL;

	slot = &queue->slots[index];
	return slot->in_flight && command_id(slot) == id ? slot : NULL;
}

static void read_completion(struct pnvme_queue *queue,
			    const struct nvme_completion *cqe, u16 status,
			    struct ended *ended)
{
	struct pnvme_slot *slot = find_slot(queue, cqe->command_id);

	ended->slot = NULL;
	if (!slot) {
		dev_warn_ratelimited(&queue->ctrl->pdev->dev,
				     "queue %u: completion of a command that is not there, id %#x\n",
				     queue->id, cqe->command_id);
		return;
	}

	ended->outcome = (status >> 1) & NVME_SCT_SC_MASK;
	if (slot->late && ended->outcome == NVME_SC_ABORT_REQ)
		ended->outcome = -ETIMEDOUT;
	ended->result = le32_to_cpu(cqe->result.u32);
	ended->slot = land(queue, slot);
}

/*
 * Read up to a batch of new completions, and tell the controller, unless it has
 * @stopped. Return: their number.
 */
static unsigned int read_batch(struct pnvme_queue *queue,
			       struct ended ended[BATCH], bool stopped)
{
	unsigned long flags;
	unsigned int nr = 0;

	spin_lock_irqsave(&queue->lock, flags);
	while (nr < BATCH && queue->state != PNVME_CLOSED) {
		const struct nvme_completion *cqe = &queue->cq[queue->head];
		u16 status = le16_to_cpu(READ_ONCE(cqe->status));

		if ((status & 1) != queue->phase)
			break;
		/* The rest of the entry was written before its phase tag. */
		dma_rmb();
		read_completion(queue, cqe, status, &ended[nr++]);
		if (++queue->head == queue->depth) {
			queue->head = 0;
			queue->phase ^= 1;
		}
	}
	if (nr && !stopped)
		writel(queue->head, queue->cq_doorbell);
	spin_unlock_irqrestore(&queue->lock, flags);
	return nr;
}

static bool poll_queue(struct pnvme_queue *queue, bool stopped)
{
	struct ended ended[BATCH];
	unsigned int nr, i;
	bool any = false;

	do {
		nr = read_batch(queue, ended, stopped);
		for (i = 0; i < nr; i++)
			if (ended[i].slot)
				ended[i].slot->end(ended[i].slot,
						   ended[i].outcome,
						   ended[i].result);
		any |= nr;
	} while (nr == BATCH);

	/* Who stops the controller waits for an idle queue. */
	if (any && pnvme_queue_is_idle(queue))
		wake_up_all(&queue->wait);
	return any;
}

/**
 * pnvme_queue_poll() - look for completions, and act upon them
 * @queue: the queue
 *
 * Context: Any.
 * Return: whether there was one.
 */
bool pnvme_queue_poll(struct pnvme_queue *queue)
{
	return poll_queue(queue, false);
}

static struct pnvme_slot *land_next(struct pnvme_queue *queue,
				    unsigned int *next)
{
	struct pnvme_slot *slot = NULL;

	spin_lock_irq(&queue->lock);
	while (!slot && *next < queue->nr_slots) {
		if (queue->slots[*next].in_flight)
			slot = land(queue, &queue->slots[*next]);
		++*next;
	}
	spin_unlock_irq(&queue->lock);
	return slot;
}

/**
 * pnvme_queue_close() - end all that is in flight
 * @queue: in any state; the controller does no DMA any more
 * @refusal: what who wants a slot is told; 0 to let them wait
 * @error: what who has one in flight is told; -ETIMEDOUT if it was late
 */
void pnvme_queue_close(struct pnvme_queue *queue, int refusal, int error)
{
	struct pnvme_slot *slot;
	unsigned int next = 0;

	/* What was completed before the controller stopped is so. */
	poll_queue(queue, true);

	spin_lock_irq(&queue->lock);
	queue->state = PNVME_CLOSED;
	queue->refusal = refusal;
	spin_unlock_irq(&queue->lock);

	while ((slot = land_next(queue, &next)))
		slot->end(slot, slot->late ? -ETIMEDOUT : error, 0);
	wake_up_all(&queue->wait);
}

static struct pnvme_slot *try_get(struct pnvme_queue *queue)
{
	struct pnvme_slot *slot = NULL;
	unsigned long flags;
	unsigned int index;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->state == PNVME_LIVE) {
		index = find_first_zero_bit(queue->used, queue->nr_slots);
		if (index < queue->nr_slots) {
			__set_bit(index, queue->used);
			slot = &queue->slots[index];
		}
	} else if (queue->refusal) {
		slot = ERR_PTR(queue->refusal);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return slot;
}

/**
 * pnvme_slot_get() - take a free slot
 * @queue: the queue
 * @wait: sleep until there is one; a signal ends the sleep
 *
 * Return: the slot, or an ERR_PTR: -EAGAIN, none is free; -ERESTARTSYS; or why
 * the queue is closed.
 */
struct pnvme_slot *pnvme_slot_get(struct pnvme_queue *queue, bool wait)
{
	struct pnvme_slot *slot = try_get(queue);
	int ret;

	if (slot)
		return slot;
	if (!wait)
		return ERR_PTR(-EAGAIN);

	ret = wait_event_interruptible_exclusive(queue->wait,
						 (slot = try_get(queue)));
	return ret ? ERR_PTR(ret) : slot;
}

/**
 * pnvme_slot_put() - let go of a slot that is not in flight
 * @slot: the slot
 *
 * Context: Any.
 */
void pnvme_slot_put(struct pnvme_slot *slot)
{
	struct pnvme_queue *queue = slot->queue;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	__clear_bit(slot->index, queue->used);
	spin_unlock_irqrestore(&queue->lock, flags);
	wake_up(&queue->wait);
}

/**
 * pnvme_slot_submit() - hand a slot's command to the controller
 * @slot: the slot, with its command but for the id, and its end
 * @timeout: jiffies after which it is late
 *
 * Context: Any. @slot->end may be called before this returns.
 * Return: 0; -EIO, the queue is not live for now; or why it is closed.
 */
int pnvme_slot_submit(struct pnvme_slot *slot, unsigned long timeout)
{
	struct pnvme_queue *queue = slot->queue;
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&queue->lock, flags);
	if (queue->state == PNVME_LIVE) {
		slot->turn = (slot->turn + 1) % TURNS;
		slot->command.common.command_id = command_id(slot);
		slot->deadline = jiffies + timeout;
		slot->late = false;
		slot->in_flight = true;
		WRITE_ONCE(queue->in_flight, queue->in_flight + 1);

		queue->sq[queue->tail] = slot->command;
		if (++queue->tail == queue->depth)
			queue->tail = 0;
		/* Orders the entry before the doorbell. */
		writel(queue->tail, queue->sq_doorbell);
	} else {
		ret = queue->refusal ?: -EIO;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	return ret;
}

/**
 * pnvme_slot_lose() - do not wait any longer for a slot that was submitted
 * @slot: the slot
 *
 * Its memory stays the controller's, until that completes it or is stopped.
 *
 * Return: false, it has ended, or is about to.
 */
bool pnvme_slot_lose(struct pnvme_slot *slot)
{
	bool lost;

	spin_lock_irq(&slot->queue->lock);
	lost = slot->in_flight;
	slot->lost = lost;
	spin_unlock_irq(&slot->queue->lock);
	return lost;
}
