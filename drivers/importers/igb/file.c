// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: the node /dev/peerbuf/igb-<function> and its calls.
 *
 * User memory is read and written with no lock held: it can be anything, a dma-buf
 * included.
 */

#include <linux/compat.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "igb.h"

/* Completions that are copied at a time, from the stack */
#define IGB_REAP_BATCH	16

/* A call that needs the device begins: it stays bound until the lock is dropped. */
static int igb_lock(struct igb *igb)
{
	if (mutex_lock_interruptible(&igb->lock))
		return -EINTR;

	/* The unbind sets it first, and then takes the mutex. */
	if (READ_ONCE(igb->gone)) {
		mutex_unlock(&igb->lock);
		return -ENODEV;
	}
	return 0;
}

static void igb_fill_info(struct igb *igb, struct peerbuf_igb_info *info)
{
	const struct igb_counters *counters = &igb->counters;

	info->slot_size = igb->slot_size;
	info->max_frame = PEERBUF_IGB_MAX_FRAME;
	info->send_slots = IGB_RING_SLOTS;
	info->recv_slots = IGB_RING_SLOTS;
	info->sending = igb->send.nr_slots;
	info->waiting = igb->recv.nr_slots;
	info->completions = igb->nr_done;
	info->sent_frames = counters->sent_frames;
	info->sent_bytes = counters->sent_bytes;
	info->received_frames = counters->received_frames;
	info->received_bytes = counters->received_bytes;
	info->cancelled = counters->cancelled;
	info->missed = counters->missed;
	info->oversized = counters->oversized;
	info->resets = counters->resets;
	if (igb->loopback)
		info->flags |= PEERBUF_IGB_LOOPBACK;
}

static void igb_ask_port(struct igb *igb, struct peerbuf_igb_info *info)
{
	u32 low = igb_read(igb, IGB_RAL0), high = igb_read(igb, IGB_RAH0);

	igb_hw_count(igb);
	put_unaligned_le32(low, info->mac);
	put_unaligned_le16(high, info->mac + 4);
	if (igb_hw_link(igb))
		info->flags |= PEERBUF_IGB_LINK_UP;
}

static int igb_ioctl_info(struct peerbuf_call *call)
{
	struct igb *igb = call->file->private_data;
	struct peerbuf_igb_info *info = call->arg;
	int ret;

	if (info->flags)
		return -EOPNOTSUPP;

	ret = mutex_lock_interruptible(&igb->ring_lock);
	if (ret)
		return ret;

	ret = igb_usable(igb);
	if (!ret) {
		memset(info, 0, sizeof(*info));
		igb_harvest(&igb->send);
		igb_harvest(&igb->recv);
		igb_ask_port(igb, info);
		igb_fill_info(igb, info);
	}
	mutex_unlock(&igb->ring_lock);
	return ret;
}

static int igb_check_set(const struct peerbuf_igb_set *arg)
{
	const u32 known = PEERBUF_IGB_SET_LOOPBACK | PEERBUF_IGB_SET_SLOT_SIZE |
			  PEERBUF_IGB_SET_EVENTFD;

	if (arg->fields & ~known)
		return -EOPNOTSUPP;
	if (arg->reserved)
		return -EINVAL;
	if (arg->loopback > !!(arg->fields & PEERBUF_IGB_SET_LOOPBACK))
		return -EINVAL;
	if (arg->eventfd && !(arg->fields & PEERBUF_IGB_SET_EVENTFD))
		return -EINVAL;
	if (!(arg->fields & PEERBUF_IGB_SET_SLOT_SIZE))
		return arg->slot_size ? -EINVAL : 0;
	if (!arg->slot_size || arg->slot_size % PEERBUF_IGB_SLOT_UNIT ||
	    arg->slot_size > PEERBUF_IGB_MAX_SLOT_SIZE)
		return -EINVAL;
	return 0;
}

static int igb_set_port(struct igb *igb, const struct peerbuf_igb_set *arg)
{
	u32 slot_size = igb->slot_size;
	bool loopback = igb->loopback;

	if (arg->fields & PEERBUF_IGB_SET_LOOPBACK)
		loopback = arg->loopback;
	if (arg->fields & PEERBUF_IGB_SET_SLOT_SIZE)
		slot_size = arg->slot_size;
	if (loopback == igb->loopback && slot_size == igb->slot_size)
		return 0;
	if (igb->send.nr_slots || igb->recv.nr_slots)
		return -EBUSY;

	igb->loopback = loopback;
	igb->slot_size = slot_size;
	return igb_restart(igb);
}

/* On success, @eventfd is the old one; the caller drops whatever it is. */
static int igb_set_locked(struct igb *igb, const struct peerbuf_igb_set *arg,
			  struct eventfd_ctx **eventfd)
{
	int ret;

	mutex_lock(&igb->ring_lock);
	ret = igb_usable(igb);
	if (!ret)
		ret = igb_set_port(igb, arg);
	if (!ret && arg->fields & PEERBUF_IGB_SET_EVENTFD)
		swap(igb->eventfd, *eventfd);
	mutex_unlock(&igb->ring_lock);
	return ret;
}

static void igb_eventfd_put(struct eventfd_ctx *eventfd)
{
	if (eventfd)
		eventfd_ctx_put(eventfd);
}

static int igb_ioctl_set(struct peerbuf_call *call)
{
	struct igb *igb = call->file->private_data;
	const struct peerbuf_igb_set *arg = call->arg;
	struct eventfd_ctx *eventfd = NULL;
	int ret;

	ret = igb_check_set(arg);
	if (ret)
		return ret;

	if (arg->fields & PEERBUF_IGB_SET_EVENTFD && arg->eventfd != -1) {
		eventfd = eventfd_ctx_fdget(arg->eventfd);
		if (IS_ERR(eventfd))
			return PTR_ERR(eventfd);
	}

	ret = igb_lock(igb);
	if (!ret) {
		ret = igb_set_locked(igb, arg, &eventfd);
		mutex_unlock(&igb->lock);
	}
	igb_eventfd_put(eventfd);
	return ret;
}

static int igb_ioctl_import(struct peerbuf_call *call)
{
	struct igb *igb = call->file->private_data;
	struct peerbuf_igb_import *arg = call->arg;
	int ret;

	if (arg->flags & ~(PEERBUF_IGB_SEND | PEERBUF_IGB_RECV))
		return -EOPNOTSUPP;
	if (!arg->flags)
		return -EINVAL;

	ret = igb_lock(igb);
	if (ret)
		return ret;

	ret = igb_import(igb, arg);
	mutex_unlock(&igb->lock);
	return ret;
}

/* The handle could not be told: nobody is to have it. */
static void igb_undo_import(struct peerbuf_call *call)
{
	struct igb *igb = call->file->private_data;
	const struct peerbuf_igb_import *arg = call->arg;
	struct igb_import *entry;

	mutex_lock(&igb->lock);
	entry = xa_erase(&igb->imports, arg->handle);
	if (entry)
		igb_import_free(igb, entry);
	mutex_unlock(&igb->lock);
}

static int igb_ioctl_release(struct peerbuf_call *call)
{
	struct igb *igb = call->file->private_data;
	const struct peerbuf_igb_release *arg = call->arg;
	struct igb_import *entry;
	int ret;

	ret = igb_lock(igb);
	if (ret)
		return ret;

	entry = xa_erase(&igb->imports, arg->handle);
	if (entry)
		igb_import_free(igb, entry);
	else
		ret = -ENOENT;
	mutex_unlock(&igb->lock);
	return ret;
}

static int igb_post_call(struct peerbuf_call *call, bool send)
{
	struct igb *igb = call->file->private_data;
	const struct peerbuf_igb_post *arg = call->arg;
	struct igb_import *entry;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;

	ret = igb_lock(igb);
	if (ret)
		return ret;

	entry = xa_load(&igb->imports, arg->handle);
	ret = entry ? igb_post(igb, send ? &igb->send : &igb->recv, entry, arg) :
		      -ENOENT;
	mutex_unlock(&igb->lock);
	return ret;
}

static int igb_ioctl_post_send(struct peerbuf_call *call)
{
	return igb_post_call(call, true);
}

static int igb_ioctl_post_recv(struct peerbuf_call *call)
{
	return igb_post_call(call, false);
}

/* Completions to the user, and then how many there are by now. */
static bool igb_deliver(const struct peerbuf_call *call,
			const struct peerbuf_igb_completion *done, u32 before,
			u32 nr)
{
	const struct peerbuf_igb_reap *arg = call->arg;
	struct peerbuf_igb_reap __user *uarg = call->uarg;
	struct peerbuf_igb_completion __user *to =
		u64_to_user_ptr(arg->completions);

	return !copy_to_user(to + before, done, nr * sizeof(*done)) &&
	       !put_user(before + nr, &uarg->nr);
}

/*
 * Also after an unbind: how the slots ended is still to be told. What is taken
 * cannot be had again, so it is only forgotten once the user knows of it.
 */
static int igb_ioctl_reap(struct peerbuf_call *call)
{
	struct peerbuf_igb_completion done[IGB_REAP_BATCH];
	struct igb *igb = call->file->private_data;
	const struct peerbuf_igb_reap *arg = call->arg;
	u32 room = arg->nr, total = 0, nr;

	if (!room)
		return -EINVAL;

	do {
		nr = igb_take_done(igb, done, min(room - total, IGB_REAP_BATCH));
		if (!igb_deliver(call, done, total, nr)) {
			igb_give_back_done(igb, done, nr);
			return total ? 0 : -EFAULT;
		}
		igb_forget_done(igb, done, nr);
		total += nr;
	} while (nr && total < room);

	return 0;
}

static const struct peerbuf_ioctl igb_ioctls[] = {
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_INFO, struct peerbuf_igb_info, resets,
		      false, igb_ioctl_info),
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_SET, struct peerbuf_igb_set, reserved,
		      false, igb_ioctl_set),
	PEERBUF_IOCTL_UNDO(PEERBUF_IGB_IOC_IMPORT, struct peerbuf_igb_import,
			   handle, false, igb_ioctl_import, igb_undo_import),
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_RELEASE, struct peerbuf_igb_release,
		      handle, false, igb_ioctl_release),
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_POST_SEND, struct peerbuf_igb_post, flags,
		      false, igb_ioctl_post_send),
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_POST_RECV, struct peerbuf_igb_post, flags,
		      false, igb_ioctl_post_recv),
	PEERBUF_IOCTL(PEERBUF_IGB_IOC_REAP, struct peerbuf_igb_reap,
		      completions, false, igb_ioctl_reap),
};

static long igb_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return peerbuf_ioctl(file, cmd, arg, igb_ioctls,
			     ARRAY_SIZE(igb_ioctls));
}

static __poll_t igb_poll(struct file *file, poll_table *table)
{
	struct igb *igb = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &igb->wait, table);

	if (READ_ONCE(igb->nr_done))
		events |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(igb->gone))
		events |= EPOLLERR | EPOLLHUP;
	else if (igb_ring_room(&igb->send))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* The port is new to every owner; what the last one left is gone. */
static int igb_take(struct igb *igb)
{
	int ret = 0;

	mutex_lock(&igb->ring_lock);
	if (igb->open) {
		ret = -EBUSY;
	} else {
		igb->open = true;
		igb->wanted = true;
		igb->loopback = false;
		igb->slot_size = PEERBUF_IGB_DEFAULT_SLOT_SIZE;
		igb->counters = (struct igb_counters){};
		igb->nr_done = 0;
		igb->send.taken = 0;
		igb->recv.taken = 0;
	}
	mutex_unlock(&igb->ring_lock);
	return ret;
}

static struct eventfd_ctx *igb_untake(struct igb *igb)
{
	struct eventfd_ctx *eventfd;

	mutex_lock(&igb->ring_lock);
	igb->wanted = false;
	igb->open = false;
	eventfd = igb->eventfd;
	igb->eventfd = NULL;
	mutex_unlock(&igb->ring_lock);
	return eventfd;
}

/* A reset from outside is not to start it again. */
static void igb_set_unwanted(struct igb *igb)
{
	mutex_lock(&igb->ring_lock);
	igb->wanted = false;
	mutex_unlock(&igb->ring_lock);
}

/* Under misc_mtx: the node is still registered, and so the device still there. */
static int igb_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct igb *igb = container_of(misc, struct igb, misc);
	int ret;

	ret = igb_take(igb);
	if (ret)
		return ret;

	ret = igb_up(igb);
	if (ret) {
		igb_untake(igb);
		return ret;
	}

	kref_get(&igb->ref);
	file->private_data = igb;
	return 0;
}

static int igb_release(struct inode *inode, struct file *file)
{
	struct igb *igb = file->private_data;
	struct igb_import *entry;
	unsigned long handle;

	igb_set_unwanted(igb);
	igb_down(igb, -ECANCELED);

	mutex_lock(&igb->lock);
	xa_for_each(&igb->imports, handle, entry) {
		xa_erase(&igb->imports, handle);
		igb_import_free(igb, entry);
	}
	mutex_unlock(&igb->lock);

	igb_eventfd_put(igb_untake(igb));
	igb_put(igb);
	return 0;
}

const struct file_operations igb_fops = {
	.owner = THIS_MODULE,
	.open = igb_open,
	.release = igb_release,
	.poll = igb_poll,
	.unlocked_ioctl = igb_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* The layout of the calls, the same on 32 and 64 bit, without holes, forever. */
#define IGB_PIN_SIZE(_struct, _size)					\
	static_assert(sizeof(struct _struct) == (_size))
#define IGB_PIN(_struct, _member, _offset)				\
	static_assert(offsetof(struct _struct, _member) == (_offset))

IGB_PIN_SIZE(peerbuf_igb_info, 112);
IGB_PIN(peerbuf_igb_info, size, 0);
IGB_PIN(peerbuf_igb_info, flags, 4);
IGB_PIN(peerbuf_igb_info, mac, 8);
IGB_PIN(peerbuf_igb_info, reserved, 14);
IGB_PIN(peerbuf_igb_info, slot_size, 16);
IGB_PIN(peerbuf_igb_info, max_frame, 20);
IGB_PIN(peerbuf_igb_info, send_slots, 24);
IGB_PIN(peerbuf_igb_info, recv_slots, 28);
IGB_PIN(peerbuf_igb_info, sending, 32);
IGB_PIN(peerbuf_igb_info, waiting, 36);
IGB_PIN(peerbuf_igb_info, completions, 40);
IGB_PIN(peerbuf_igb_info, reserved2, 44);
IGB_PIN(peerbuf_igb_info, sent_frames, 48);
IGB_PIN(peerbuf_igb_info, sent_bytes, 56);
IGB_PIN(peerbuf_igb_info, received_frames, 64);
IGB_PIN(peerbuf_igb_info, received_bytes, 72);
IGB_PIN(peerbuf_igb_info, cancelled, 80);
IGB_PIN(peerbuf_igb_info, missed, 88);
IGB_PIN(peerbuf_igb_info, oversized, 96);
IGB_PIN(peerbuf_igb_info, resets, 104);

IGB_PIN_SIZE(peerbuf_igb_set, 24);
IGB_PIN(peerbuf_igb_set, size, 0);
IGB_PIN(peerbuf_igb_set, fields, 4);
IGB_PIN(peerbuf_igb_set, loopback, 8);
IGB_PIN(peerbuf_igb_set, slot_size, 12);
IGB_PIN(peerbuf_igb_set, eventfd, 16);
IGB_PIN(peerbuf_igb_set, reserved, 20);

IGB_PIN_SIZE(peerbuf_igb_import, 16);
IGB_PIN(peerbuf_igb_import, size, 0);
IGB_PIN(peerbuf_igb_import, flags, 4);
IGB_PIN(peerbuf_igb_import, fd, 8);
IGB_PIN(peerbuf_igb_import, handle, 12);

IGB_PIN_SIZE(peerbuf_igb_release, 8);
IGB_PIN(peerbuf_igb_release, size, 0);
IGB_PIN(peerbuf_igb_release, handle, 4);

IGB_PIN_SIZE(peerbuf_igb_post, 32);
IGB_PIN(peerbuf_igb_post, size, 0);
IGB_PIN(peerbuf_igb_post, handle, 4);
IGB_PIN(peerbuf_igb_post, offset, 8);
IGB_PIN(peerbuf_igb_post, cookie, 16);
IGB_PIN(peerbuf_igb_post, length, 24);
IGB_PIN(peerbuf_igb_post, flags, 28);

IGB_PIN_SIZE(peerbuf_igb_completion, 24);
IGB_PIN(peerbuf_igb_completion, cookie, 0);
IGB_PIN(peerbuf_igb_completion, handle, 8);
IGB_PIN(peerbuf_igb_completion, direction, 12);
IGB_PIN(peerbuf_igb_completion, length, 16);
IGB_PIN(peerbuf_igb_completion, status, 20);

IGB_PIN_SIZE(peerbuf_igb_reap, 16);
IGB_PIN(peerbuf_igb_reap, size, 0);
IGB_PIN(peerbuf_igb_reap, nr, 4);
IGB_PIN(peerbuf_igb_reap, completions, 8);

static_assert(PEERBUF_IGB_IOC_INFO == 0xbe60);
static_assert(PEERBUF_IGB_IOC_SET == 0xbe61);
static_assert(PEERBUF_IGB_IOC_IMPORT == 0xbe62);
static_assert(PEERBUF_IGB_IOC_RELEASE == 0xbe63);
static_assert(PEERBUF_IGB_IOC_POST_SEND == 0xbe64);
static_assert(PEERBUF_IGB_IOC_POST_RECV == 0xbe65);
static_assert(PEERBUF_IGB_IOC_REAP == 0xbe66);
