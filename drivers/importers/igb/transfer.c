// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: how slots end. By the device; by the watchdog, for frames that are
 * not sent; because somebody wants the memory back, for slots that wait for a
 * frame: the queue is stopped, the slot taken out, and the queue started again
 * with those that are left; or with the port.
 *
 * Whatever ends a slot makes sure first that the device is through with it: it
 * said so in the descriptor, its queue stands still, or it is no bus master.
 *
 * All that happens under &igb.ring_lock until slots have ended is in the way of
 * who waits for their fences, and marked so for lockdep.
 */

#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>

#include "igb.h"

/* How often the watchdog looks, within a timeout */
#define IGB_LOOKS	4

static unsigned long igb_timeout(void)
{
	return msecs_to_jiffies(max(READ_ONCE(igb_timeout_ms), 10U));
}

/* End a slot with which the device is through. */
static void igb_finish(struct igb *igb, struct igb_slot *slot, int status,
		       u32 length)
{
	lockdep_assert_held(&igb->ring_lock);

	igb_ring_remove(slot->ring, slot);
	igb_add_done(igb, slot, status, length);
	peerbuf_import_end(slot->import, slot->job, status);
	kfree(slot);
}

static void igb_finish_all(struct igb_ring *ring, int status)
{
	struct igb_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &ring->slots, node)
		igb_finish(ring->igb, slot, status, 0);
}

/**
 * igb_harvest() - complete what the device is done with
 * @ring: of a port that is up; &igb.ring_lock is held
 */
void igb_harvest(struct igb_ring *ring)
{
	struct igb *igb = ring->igb;
	u32 before = igb->nr_done;
	struct igb_slot *slot;
	u32 length;
	int status;

	while (!list_empty(&ring->slots) &&
	       igb_ring_done(ring, &length, &status)) {
		slot = list_first_entry(&ring->slots, struct igb_slot, node);
		igb_finish(igb, slot, status, length);
	}
	if (igb->nr_done != before)
		igb_notify(igb);
}

static bool igb_is_to_stop(const struct igb_slot *slot,
			   const struct peerbuf_import *import)
{
	return READ_ONCE(slot->stop) || slot->import == import;
}

/* Of a receive ring that stands still */
static void igb_finish_stopped(struct igb *igb,
			       const struct peerbuf_import *import)
{
	struct igb_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &igb->recv.slots, node)
		if (igb_is_to_stop(slot, import))
			igb_finish(igb, slot, -ECANCELED, 0);
}

static bool igb_any_to_stop(struct igb *igb,
			    const struct peerbuf_import *import)
{
	const struct igb_slot *slot;

	list_for_each_entry(slot, &igb->recv.slots, node)
		if (igb_is_to_stop(slot, import))
			return true;

	return false;
}

/* The port has to be reset, or was: frames to send are lost, the rest goes on. */
static int igb_recover(struct igb *igb, const struct peerbuf_import *import,
		       int error)
{
	int ret;

	igb_hw_count(igb);
	ret = igb_hw_reset(igb);
	igb_harvest(&igb->send);
	igb_harvest(&igb->recv);
	igb_finish_all(&igb->send, error);
	igb_finish_stopped(igb, import);

	if (!ret)
		ret = igb_hw_start(igb);
	if (ret) {
		pci_err(igb->pdev, "cut off from the bus; unbind and bind it to use it again\n");
		igb->up = false;
		igb->dead = true;
		igb_finish_all(&igb->recv, -EIO);
	}
	igb_notify(igb);
	return ret;
}

static void igb_cancel_locked(struct igb *igb,
			      const struct peerbuf_import *import)
{
	if (!igb->up || !igb_any_to_stop(igb, import))
		return;

	if (igb_ring_stop(&igb->recv)) {
		igb_recover(igb, import, -EIO);
		return;
	}

	igb_harvest(&igb->recv);
	igb_finish_stopped(igb, import);
	igb_notify(igb);
	if (igb_ring_start(&igb->recv))
		igb_recover(igb, import, -EIO);
}

/**
 * igb_cancel() - take back the receive slots of an import
 * @igb: the port
 * @import: the import
 */
void igb_cancel(struct igb *igb, struct peerbuf_import *import)
{
	mutex_lock(&igb->ring_lock);
	igb_cancel_locked(igb, import);
	mutex_unlock(&igb->ring_lock);
}

/**
 * igb_cancel_work() - take back the receive slots whose memory is wanted back
 * @work: &igb.cancel_work
 */
void igb_cancel_work(struct work_struct *work)
{
	struct igb *igb = container_of(work, struct igb, cancel_work);
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&igb->ring_lock);
	igb_cancel_locked(igb, NULL);
	mutex_unlock(&igb->ring_lock);
	dma_fence_end_signalling(signalling);
}

/* True if the oldest frame has waited too long. */
static bool igb_send_stuck(struct igb *igb)
{
	const struct igb_slot *slot =
		list_first_entry_or_null(&igb->send.slots, struct igb_slot,
					 node);

	return slot && time_after(jiffies, slot->posted + igb_timeout());
}

/**
 * igb_watch() - have the watchdog look, while there are frames to send
 * @igb: the port; &igb.ring_lock is held
 */
void igb_watch(struct igb *igb)
{
	if (!list_empty(&igb->send.slots))
		queue_delayed_work(igb->wq, &igb->watchdog,
				   igb_timeout() / IGB_LOOKS);
}

/**
 * igb_watchdog() - reset a port that does not send
 * @work: &igb.watchdog
 */
void igb_watchdog(struct work_struct *work)
{
	struct igb *igb = container_of(to_delayed_work(work), struct igb,
				       watchdog);
	bool signalling = dma_fence_begin_signalling();

	mutex_lock(&igb->ring_lock);
	if (igb->up) {
		/* An interrupt may have been lost. */
		igb_harvest(&igb->send);
		igb_harvest(&igb->recv);
		if (igb_send_stuck(igb)) {
			pci_err(igb->pdev, "a frame was not sent within %u ms (timeout_ms=), reset\n",
				jiffies_to_msecs(igb_timeout()));
			igb->counters.resets++;
			igb_recover(igb, NULL, -ETIMEDOUT);
		}
		igb_watch(igb);
	}
	mutex_unlock(&igb->ring_lock);
	dma_fence_end_signalling(signalling);
}

/**
 * igb_restart() - reset a port without slots, for new settings
 * @igb: the port, up; &igb.ring_lock is held
 *
 * Return: 0; -EIO, and the port is dead.
 */
int igb_restart(struct igb *igb)
{
	return igb_recover(igb, NULL, -EIO) ? -EIO : 0;
}

/**
 * igb_up() - start the port
 * @igb: the port, down
 *
 * Return: 0; -ENODEV or -EIO, it cannot be used.
 */
int igb_up(struct igb *igb)
{
	int ret = 0;

	mutex_lock(&igb->ring_lock);
	/* The PCI core calls again when its reset is over. */
	if (igb->resetting || !igb->wanted)
		goto out;

	ret = igb->gone ? -ENODEV : igb->dead ? -EIO : igb_hw_reset(igb);
	if (!ret)
		ret = igb_hw_start(igb);
	igb->up = !ret;
out:
	mutex_unlock(&igb->ring_lock);
	return ret;
}

/**
 * igb_down() - stop the port, and end all slots
 * @igb: the port
 * @error: with which they end
 */
void igb_down(struct igb *igb, int error)
{
	mutex_lock(&igb->ring_lock);
	if (igb->up) {
		igb->up = false;
		/* One that was pulled out does no DMA any more. */
		if (pci_device_is_present(igb->pdev)) {
			igb_hw_reset(igb);
			igb_harvest(&igb->send);
			igb_harvest(&igb->recv);
		}
		igb_finish_all(&igb->send, error);
		igb_finish_all(&igb->recv, error);
		igb_notify(igb);
	}
	mutex_unlock(&igb->ring_lock);
}

/**
 * igb_usable() - why the port cannot be used now
 * @igb: the port; &igb.ring_lock is held
 *
 * Return: 0; -ENODEV, it is gone; -EAGAIN, it is being reset from outside; -EIO,
 * it is dead.
 */
int igb_usable(struct igb *igb)
{
	if (igb->up)
		return 0;
	if (igb->gone)
		return -ENODEV;
	return igb->resetting ? -EAGAIN : -EIO;
}
