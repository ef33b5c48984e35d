// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: descriptor rings. What the device is told, and what it answers.
 *
 * Only descriptors are memory of our own. The buffers that they point to are
 * pieces of dma-bufs, whose life is transfer.c's business. All but alloc and free
 * under &igb.ring_lock.
 */

#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iopoll.h>
#include <linux/pci.h>

#include "igb.h"

#define IGB_QUEUE_POLL_US	10
#define IGB_QUEUE_TIMEOUT_US	20000
#define IGB_QUEUE_SETTLE_US	100

static bool igb_ring_receives(const struct igb_ring *ring)
{
	return ring->direction == PEERBUF_IGB_RECV;
}

/**
 * igb_ring_alloc() - get memory for the descriptors
 * @ring: of a bound device
 *
 * Return: 0 or -ENOMEM.
 */
int igb_ring_alloc(struct igb_ring *ring)
{
	ring->desc = dma_alloc_coherent(&ring->igb->pdev->dev,
					IGB_RING_SIZE * sizeof(*ring->desc),
					&ring->dma, GFP_KERNEL);
	return ring->desc ? 0 : -ENOMEM;
}

/**
 * igb_ring_free() - free it
 * @ring: that the device does not know any more
 */
void igb_ring_free(struct igb_ring *ring)
{
	dma_free_coherent(&ring->igb->pdev->dev,
			  IGB_RING_SIZE * sizeof(*ring->desc), ring->desc,
			  ring->dma);
	ring->desc = NULL;
}

static struct igb_desc *igb_ring_next(struct igb_ring *ring)
{
	struct igb_desc *desc = &ring->desc[ring->tail];

	ring->tail = (ring->tail + 1) % IGB_RING_SIZE;
	WRITE_ONCE(ring->used, ring->used + 1);
	return desc;
}

static void igb_describe_recv(struct igb_ring *ring,
			      const struct igb_slot *slot)
{
	struct igb_desc *desc = igb_ring_next(ring);

	desc->address = cpu_to_le64(slot->pieces[0].address);
	desc->command = 0;
	desc->extra = 0;
}

static void igb_describe_send(struct igb_ring *ring,
			      const struct igb_slot *slot)
{
	u32 i;

	for (i = 0; i < slot->nr_pieces; i++) {
		struct igb_desc *desc = igb_ring_next(ring);
		u32 command = IGB_SEND_DATA | IGB_SEND_ADVANCED |
			      IGB_SEND_ADD_CRC | slot->pieces[i].length;

		if (i == slot->nr_pieces - 1)
			command |= IGB_SEND_END | IGB_SEND_REPORT;

		desc->address = cpu_to_le64(slot->pieces[i].address);
		desc->command = cpu_to_le32(command);
		desc->extra = cpu_to_le32(slot->length << IGB_SEND_TOTAL_SHIFT);
	}
}

static void igb_describe(struct igb_ring *ring, const struct igb_slot *slot)
{
	if (igb_ring_receives(ring))
		igb_describe_recv(ring, slot);
	else
		igb_describe_send(ring, slot);
}

/**
 * igb_ring_room() - is there room for any slot
 * @ring: the ring; also without the lock, for a hint
 *
 * Return: whether there is.
 */
bool igb_ring_room(const struct igb_ring *ring)
{
	u32 most = igb_ring_receives(ring) ? 1 : IGB_MAX_PIECES;

	return READ_ONCE(ring->taken) < IGB_RING_SLOTS &&
	       READ_ONCE(ring->used) + most < IGB_RING_SIZE;
}

/**
 * igb_ring_add() - give a slot to the device, once it is told
 * @ring: with room for it
 * @slot: belongs to the ring from here on
 */
void igb_ring_add(struct igb_ring *ring, struct igb_slot *slot)
{
	list_add_tail(&slot->node, &ring->slots);
	ring->nr_slots++;
	igb_describe(ring, slot);
}

/**
 * igb_ring_remove() - take a slot off the ring
 * @ring: the ring
 * @slot: its first slot, which is done; or any, if the queue stands still and
 *	is started again before the next use of it
 */
void igb_ring_remove(struct igb_ring *ring, struct igb_slot *slot)
{
	list_del(&slot->node);
	ring->nr_slots--;
	ring->head = (ring->head + slot->nr_pieces) % IGB_RING_SIZE;
	WRITE_ONCE(ring->used, ring->used - slot->nr_pieces);
}

/**
 * igb_ring_tell() - tell the device what is new
 * @ring: the ring
 *
 * Writing to the device orders what was written to descriptors before.
 */
void igb_ring_tell(struct igb_ring *ring)
{
	igb_write(ring->igb, igb_ring_receives(ring) ? IGB_RDT : IGB_TDT,
		  ring->tail);
}

static bool igb_send_done(struct igb_ring *ring, const struct igb_slot *slot,
			  u32 *length, int *status)
{
	u32 last = (ring->head + slot->nr_pieces - 1) % IGB_RING_SIZE;
	u32 extra = le32_to_cpu(READ_ONCE(ring->desc[last].extra));

	if (!(extra & IGB_DONE))
		return false;

	*length = slot->length;
	*status = 0;
	return true;
}

/*
 * A frame goes on in the next slot if its end is missing. The port is set up to
 * drop such frames; should it not, none of their parts passes for a frame.
 */
static bool igb_recv_done(struct igb_ring *ring, u32 *length, int *status)
{
	struct igb_desc *desc = &ring->desc[ring->head];
	u32 state = le32_to_cpu(READ_ONCE(desc->command));
	bool end = state & IGB_RECV_END;

	if (!(state & IGB_DONE))
		return false;

	/* The device writes the state last. */
	dma_rmb();
	*length = FIELD_GET(IGB_RECV_LENGTH, le32_to_cpu(desc->extra));
	*status = 0;
	if (!end || ring->spilled)
		*status = -EMSGSIZE;
	else if (state & IGB_RECV_ERROR)
		*status = -EIO;

	ring->spilled = !end;
	return true;
}

/**
 * igb_ring_done() - is the device done with the first slot
 * @ring: with a slot
 * @length: out: bytes that were sent or received
 * @status: out: 0 or a negative errno
 *
 * Return: whether it is.
 */
bool igb_ring_done(struct igb_ring *ring, u32 *length, int *status)
{
	struct igb_slot *slot = list_first_entry(&ring->slots, struct igb_slot,
						 node);

	return igb_ring_receives(ring) ?
		       igb_recv_done(ring, length, status) :
		       igb_send_done(ring, slot, length, status);
}

static u32 igb_ring_control(const struct igb_ring *ring)
{
	return igb_ring_receives(ring) ? IGB_RXDCTL : IGB_TXDCTL;
}

/* Writes to the queue's control register have an effect some time later. */
static int igb_ring_switch(struct igb_ring *ring, u32 control)
{
	u32 reg = igb_ring_control(ring);
	u32 value;

	igb_write(ring->igb, reg, control);
	if (readl_poll_timeout(ring->igb->regs + reg, value,
			       !((value ^ control) & IGB_QUEUE_ENABLE),
			       IGB_QUEUE_POLL_US, IGB_QUEUE_TIMEOUT_US))
		return -EIO;
	return 0;
}

/**
 * igb_ring_stop() - have the device let go of all slots
 * @ring: the ring; what was done before is still to be seen in it
 *
 * On return the device neither reads nor writes the slots any more.
 *
 * Return: 0; -EIO, the queue does not stop: only a reset helps.
 */
int igb_ring_stop(struct igb_ring *ring)
{
	int ret;

	ret = igb_ring_switch(ring, 0);
	if (ret)
		return ret;

	/* A frame that was on its way to memory when the queue was stopped */
	fsleep(IGB_QUEUE_SETTLE_US);
	/* What the device wrote has arrived when this returns. */
	igb_read(ring->igb, IGB_STATUS);
	return 0;
}

static void igb_start_recv(struct igb_ring *ring)
{
	struct igb *igb = ring->igb;
	u32 kib = igb->slot_size / PEERBUF_IGB_SLOT_UNIT;

	igb_write(igb, IGB_RDBAL, lower_32_bits(ring->dma));
	igb_write(igb, IGB_RDBAH, upper_32_bits(ring->dma));
	igb_write(igb, IGB_RDLEN, IGB_RING_SIZE * sizeof(*ring->desc));
	igb_write(igb, IGB_RDH, 0);
	igb_write(igb, IGB_RDT, 0);
	igb_write(igb, IGB_SRRCTL,
		  FIELD_PREP(IGB_SRRCTL_BUFFER_KIB, kib) |
		  IGB_SRRCTL_ADVANCED_ONE | IGB_SRRCTL_DROP);
}

static void igb_start_send(struct igb_ring *ring)
{
	struct igb *igb = ring->igb;

	igb_write(igb, IGB_TDBAL, lower_32_bits(ring->dma));
	igb_write(igb, IGB_TDBAH, upper_32_bits(ring->dma));
	igb_write(igb, IGB_TDLEN, IGB_RING_SIZE * sizeof(*ring->desc));
	igb_write(igb, IGB_TDH, 0);
	igb_write(igb, IGB_TDT, 0);
}

/**
 * igb_ring_start() - start a queue, with the slots that are in the ring
 * @ring: the ring; the MAC runs
 *
 * Return: 0; -EIO, the queue does not start.
 */
int igb_ring_start(struct igb_ring *ring)
{
	const struct igb_slot *slot;
	int ret;

	ret = igb_ring_switch(ring, 0);
	if (ret)
		return ret;

	ring->head = 0;
	ring->tail = 0;
	WRITE_ONCE(ring->used, 0);
	ring->spilled = false;
	list_for_each_entry(slot, &ring->slots, node)
		igb_describe(ring, slot);

	if (igb_ring_receives(ring))
		igb_start_recv(ring);
	else
		igb_start_send(ring);

	/* Fetch some in advance, write back each at once. */
	ret = igb_ring_switch(ring, IGB_QUEUE_ENABLE |
				    FIELD_PREP(IGB_QUEUE_PREFETCH, 8) |
				    FIELD_PREP(IGB_QUEUE_HOST, 1) |
				    FIELD_PREP(IGB_QUEUE_WRITE_BACK, 1));
	if (!ret)
		igb_ring_tell(ring);
	return ret;
}
