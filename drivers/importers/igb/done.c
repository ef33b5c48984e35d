// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: completions, between the end of a slot and the owner of the port.
 */

#include <linux/eventfd.h>
#include <linux/minmax.h>

#include "igb.h"

static void igb_count(struct igb *igb, const struct igb_slot *slot, int status,
		      u32 length)
{
	struct igb_counters *counters = &igb->counters;

	if (status == -ECANCELED) {
		counters->cancelled++;
	} else if (status) {
		return;
	} else if (slot->ring == &igb->send) {
		counters->sent_frames++;
		counters->sent_bytes += length;
	} else {
		counters->received_frames++;
		counters->received_bytes += length;
	}
}

/**
 * igb_add_done() - a slot has ended
 * @igb: the port; &igb.ring_lock is held
 * @slot: the slot
 * @status: how
 * @length: bytes that were sent or received
 *
 * There is room: a slot counts as taken until its completion is reaped.
 */
void igb_add_done(struct igb *igb, const struct igb_slot *slot, int status,
		  u32 length)
{
	u32 index = (igb->done_first + igb->nr_done) % ARRAY_SIZE(igb->done);

	igb_count(igb, slot, status, length);
	igb->done[index] = (struct peerbuf_igb_completion){
		.cookie = slot->cookie,
		.handle = slot->handle,
		.direction = slot->ring->direction,
		.length = status ? 0 : length,
		.status = status,
	};
	WRITE_ONCE(igb->nr_done, igb->nr_done + 1);
}

/**
 * igb_notify() - tell the owner that there is something to reap
 * @igb: the port; &igb.ring_lock is held
 */
void igb_notify(struct igb *igb)
{
	wake_up_interruptible(&igb->wait);
	if (igb->eventfd)
		eventfd_signal(igb->eventfd);
}

/**
 * igb_take_done() - take the oldest completions
 * @igb: the port
 * @done: room for @nr
 * @nr: room
 *
 * They count as taken until igb_forget_done() or igb_give_back_done().
 *
 * Return: how many.
 */
u32 igb_take_done(struct igb *igb, struct peerbuf_igb_completion *done, u32 nr)
{
	u32 i;

	mutex_lock(&igb->ring_lock);
	nr = min(nr, igb->nr_done);
	for (i = 0; i < nr; i++) {
		done[i] = igb->done[igb->done_first];
		igb->done_first = (igb->done_first + 1) % ARRAY_SIZE(igb->done);
	}
	WRITE_ONCE(igb->nr_done, igb->nr_done - nr);
	mutex_unlock(&igb->ring_lock);
	return nr;
}

/**
 * igb_give_back_done() - they could not be delivered
 * @igb: the port
 * @done: from igb_take_done()
 * @nr: how many
 */
void igb_give_back_done(struct igb *igb,
			const struct peerbuf_igb_completion *done, u32 nr)
{
	mutex_lock(&igb->ring_lock);
	WRITE_ONCE(igb->nr_done, igb->nr_done + nr);
	while (nr--) {
		igb->done_first = (igb->done_first + ARRAY_SIZE(igb->done) - 1) %
				  ARRAY_SIZE(igb->done);
		igb->done[igb->done_first] = done[nr];
	}
	mutex_unlock(&igb->ring_lock);
}

/**
 * igb_forget_done() - they were delivered: there is room for other slots
 * @igb: the port
 * @done: from igb_take_done()
 * @nr: how many
 */
void igb_forget_done(struct igb *igb, const struct peerbuf_igb_completion *done,
		     u32 nr)
{
	mutex_lock(&igb->ring_lock);
	while (nr--) {
		struct igb_ring *ring = done[nr].direction == PEERBUF_IGB_SEND ?
						&igb->send : &igb->recv;

		WRITE_ONCE(ring->taken, ring->taken - 1);
	}
	mutex_unlock(&igb->ring_lock);
	wake_up_interruptible(&igb->wait);
}
