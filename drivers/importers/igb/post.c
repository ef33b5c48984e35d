// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: how slots begin.
 *
 * Every slot is a job on its import, so a fence in the dma-buf. A frame to send
 * ends by itself. A slot that waits for a frame may wait for ever, and is a
 * preemptible job. How they end is in transfer.c.
 */

#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>

#include "igb.h"

/* Somebody waits for the job of a receive slot. The slot lives as long as it. */
static void igb_stop_slot(void *data)
{
	struct igb_slot *slot = data;
	struct igb *igb = slot->ring->igb;

	WRITE_ONCE(slot->stop, true);
	queue_work(igb->wq, &igb->cancel_work);
}

/* Room now is room until the post is through: posts are serialised. */
static int igb_check_room(struct igb *igb, struct igb_ring *ring)
{
	int ret;

	mutex_lock(&igb->ring_lock);
	ret = igb_usable(igb);
	/* The interrupt's thread may be later than the device. */
	if (!ret && !igb_ring_room(ring))
		igb_harvest(ring);
	if (!ret && !igb_ring_room(ring))
		ret = -EAGAIN;
	if (!ret && ring == &igb->send && !igb_hw_link(igb))
		ret = -ENETDOWN;
	mutex_unlock(&igb->ring_lock);
	return ret;
}

static int igb_check_post(struct igb *igb, const struct igb_ring *ring,
			  const struct igb_import *entry,
			  const struct peerbuf_igb_post *arg)
{
	u32 least = PEERBUF_IGB_MIN_FRAME, most = PEERBUF_IGB_MAX_FRAME;

	if (ring == &igb->recv) {
		least = igb->slot_size;
		most = U32_MAX;
		if (arg->offset & 1)	/* that bit means something else: 7.1.5.1 */
			return -EINVAL;
	}
	if (!(entry->flags & ring->direction))
		return -EACCES;
	if (arg->length < least || arg->length > most)
		return -EMSGSIZE;
	return peerbuf_check_bounds(arg->offset, arg->length,
				    peerbuf_import_size(entry->import));
}

/* Where the slot lies for the device. The job has begun. */
static int igb_find_pieces(struct igb_slot *slot, u64 offset, u32 length)
{
	u32 most = slot->ring->direction == PEERBUF_IGB_RECV ? 1 :
							      IGB_MAX_PIECES;
	size_t contiguous;
	u32 i;
	int ret;

	for (i = 0; length && i < most; i++) {
		struct igb_piece *piece = &slot->pieces[i];

		ret = peerbuf_import_address(slot->import, offset,
					     &piece->address, &contiguous);
		if (ret)
			return ret;

		piece->length = min_t(size_t, contiguous, length);
		offset += piece->length;
		length -= piece->length;
	}
	slot->nr_pieces = i;
	return length ? -EXDEV : 0;
}

static int igb_hand_over(struct igb *igb, struct igb_slot *slot)
{
	struct igb_ring *ring = slot->ring;
	int ret;

	mutex_lock(&igb->ring_lock);
	ret = igb_usable(igb);
	/* The work that takes it back may have been here already. */
	if (!ret && READ_ONCE(slot->stop))
		ret = -ECANCELED;
	if (!ret) {
		slot->posted = jiffies;
		WRITE_ONCE(ring->taken, ring->taken + 1);
		igb_ring_add(ring, slot);
		igb_ring_tell(ring);
		if (ring == &igb->send)
			igb_watch(igb);
	}
	mutex_unlock(&igb->ring_lock);
	return ret;
}

/* From the beginning of the job on, others wait for us. */
static int igb_start_slot(struct igb *igb, struct igb_slot *slot, u64 offset)
{
	bool signalling;
	int ret;

	if (slot->ring == &igb->recv)
		slot->job = peerbuf_import_begin_preemptible(slot->import,
							     igb_stop_slot,
							     slot);
	else
		slot->job = peerbuf_import_begin(slot->import);
	if (IS_ERR(slot->job))
		return PTR_ERR(slot->job);

	signalling = dma_fence_begin_signalling();
	ret = igb_find_pieces(slot, offset, slot->length);
	if (!ret)
		ret = igb_hand_over(igb, slot);
	if (ret)
		peerbuf_import_end(slot->import, slot->job, ret);
	dma_fence_end_signalling(signalling);
	return ret;
}

/**
 * igb_post() - give a piece of a dma-buf to the port
 * @igb: the port; &igb.lock is held
 * @ring: send or receive
 * @entry: an attached import
 * @arg: what and where; nothing of it was checked
 *
 * Return: 0, or a negative errno as &struct peerbuf_igb_post tells.
 */
int igb_post(struct igb *igb, struct igb_ring *ring, struct igb_import *entry,
	     const struct peerbuf_igb_post *arg)
{
	struct igb_slot *slot;
	int ret;

	lockdep_assert_held(&igb->lock);

	ret = igb_check_post(igb, ring, entry, arg);
	if (!ret)
		ret = igb_check_room(igb, ring);
	if (ret)
		return ret;

	slot = kzalloc_obj(*slot);
	if (!slot)
		return -ENOMEM;

	slot->ring = ring;
	slot->import = entry->import;
	slot->handle = entry->handle;
	slot->cookie = arg->cookie;
	/* What the port may use; more of a receive slot it does not know of. */
	slot->length = ring == &igb->recv ? igb->slot_size : arg->length;

	ret = igb_start_slot(igb, slot, arg->offset);
	if (ret)
		kfree(slot);
	return ret;
}
