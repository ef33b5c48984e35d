// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watch: who holds a dma-buf can have a descriptor that tells when the memory
 * behind it stops, starts with a new generation, or is gone. A buffer and its
 * watches share a status and nothing else: a watch that is kept for ever keeps
 * only that.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "export.h"
#include "provider.h"
#include "topology.h"
#include "watch.h"

/**
 * struct watch - an open watch
 * @status: of the buffer, with a reference
 * @lock: one read at a time; protects @seen against others that write it
 * @seen: &peerbuf_status.version that was read last
 */
struct watch {
	struct peerbuf_status *status;
	struct mutex lock; /* see @lock above */
	u64 seen;
};

/**
 * peerbuf_status_create - a status for a new buffer
 * @provider: whose buffer
 *
 * Context: process; within peerbuf_provider_access().
 *
 * Return: the status, or NULL if there is no memory.
 */
struct peerbuf_status *peerbuf_status_create(struct peerbuf_provider *provider)
{
	struct peerbuf_status *status;

	status = kzalloc_obj(*status, GFP_KERNEL_ACCOUNT);
	if (!status)
		return NULL;

	kref_init(&status->ref);
	init_waitqueue_head(&status->wait);
	status->generation = provider->generation;
	status->state = PEERBUF_STATE_IN_USE;
	status->provider = peerbuf_pci_function(provider->pdev);
	return status;
}

static void status_free(struct kref *ref)
{
	kfree(container_of(ref, struct peerbuf_status, ref));
}

/**
 * peerbuf_status_put - drop a reference
 * @status: the status
 *
 * Context: any.
 */
void peerbuf_status_put(struct peerbuf_status *status)
{
	kref_put(&status->ref, status_free);
}

static void change_locked(struct peerbuf_status *status, u32 state)
{
	__poll_t events = EPOLLIN | EPOLLRDNORM | EPOLLPRI;

	if (state == PEERBUF_STATE_REVOKED)
		events |= EPOLLHUP;

	status->state = state;
	status->version++;
	wake_up_locked_poll(&status->wait, events);
}

/**
 * peerbuf_status_set_state - tell of a new state
 * @status: the status
 * @state: &enum peerbuf_state; what it is already changes nothing
 *
 * Context: any.
 */
void peerbuf_status_set_state(struct peerbuf_status *status, u32 state)
{
	unsigned long flags;

	spin_lock_irqsave(&status->wait.lock, flags);
	if (status->state != state && status->state != PEERBUF_STATE_REVOKED)
		change_locked(status, state);
	spin_unlock_irqrestore(&status->wait.lock, flags);
}

/**
 * peerbuf_status_restart - tell that the buffer can be used again
 * @status: of a buffer that was stopped
 * @generation: from now on
 *
 * Context: any.
 */
void peerbuf_status_restart(struct peerbuf_status *status, u64 generation)
{
	unsigned long flags;

	spin_lock_irqsave(&status->wait.lock, flags);
	status->generation = generation;
	change_locked(status, PEERBUF_STATE_IN_USE);
	spin_unlock_irqrestore(&status->wait.lock, flags);
}

static struct peerbuf_event read_version(struct peerbuf_status *status,
					 u64 *version)
{
	struct peerbuf_event event = {};
	unsigned long flags;

	spin_lock_irqsave(&status->wait.lock, flags);
	event.generation = status->generation;
	event.state = status->state;
	*version = status->version;
	spin_unlock_irqrestore(&status->wait.lock, flags);

	return event;
}

/**
 * peerbuf_status_read - how a buffer is
 * @status: its status
 *
 * Context: any.
 *
 * Return: generation and state, of one moment.
 */
struct peerbuf_event peerbuf_status_read(struct peerbuf_status *status)
{
	u64 version;

	return read_version(status, &version);
}

/* Whether a read has something to say: an event, or that there will be none. */
static bool is_ready(struct watch *watch)
{
	struct peerbuf_event event;
	u64 version;

	event = read_version(watch->status, &version);
	return version != READ_ONCE(watch->seen) ||
	       event.state == PEERBUF_STATE_REVOKED;
}

static ssize_t read_event(struct watch *watch, char __user *buf)
{
	struct peerbuf_event event;
	ssize_t ret = 0;
	u64 version;

	mutex_lock(&watch->lock);
	event = read_version(watch->status, &version);
	if (version == watch->seen) {
		/* somebody else has read it, or it was the last */
		if (event.state != PEERBUF_STATE_REVOKED)
			ret = -EAGAIN;
	} else if (copy_to_user(buf, &event, sizeof(event))) {
		ret = -EFAULT;
	} else {
		WRITE_ONCE(watch->seen, version);
		ret = sizeof(event);
	}
	mutex_unlock(&watch->lock);

	return ret;
}

static ssize_t watch_read(struct file *file, char __user *buf, size_t size,
			  loff_t *offset)
{
	struct watch *watch = file->private_data;
	ssize_t ret;

	if (size < sizeof(struct peerbuf_event))
		return -EINVAL;

	for (;;) {
		ret = read_event(watch, buf);
		if (ret != -EAGAIN || file->f_flags & O_NONBLOCK)
			return ret;
		ret = wait_event_interruptible(watch->status->wait,
					       is_ready(watch));
		if (ret)
			return ret;
	}
}

static __poll_t watch_poll(struct file *file, poll_table *table)
{
	struct watch *watch = file->private_data;
	struct peerbuf_event event;
	__poll_t events = 0;
	u64 version;

	poll_wait(file, &watch->status->wait, table);
	event = read_version(watch->status, &version);

	if (version != READ_ONCE(watch->seen))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLPRI;
	if (event.state == PEERBUF_STATE_REVOKED)
		events |= EPOLLHUP;

	return events;
}

static const char *state_name(u32 state)
{
	switch (state) {
	case PEERBUF_STATE_IN_USE:
		return "in use";
	case PEERBUF_STATE_STOPPED:
		return "stopped";
	default:
		return "revoked";
	}
}

static void watch_show_fdinfo(struct seq_file *seq, struct file *file)
{
	const struct watch *watch = file->private_data;
	const struct peerbuf_status *status = watch->status;
	struct peerbuf_event event = peerbuf_status_read(watch->status);

	seq_printf(seq, "peerbuf-provider:\t%04x:%02x:%02x.%x\n",
		   status->provider.domain, status->provider.bus,
		   PCI_SLOT(status->provider.devfn),
		   PCI_FUNC(status->provider.devfn));
	seq_printf(seq, "peerbuf-buffer:\t%llu\n", status->id);
	seq_printf(seq, "peerbuf-generation:\t%llu\n", event.generation);
	seq_printf(seq, "peerbuf-state:\t%s\n", state_name(event.state));
}

static void watch_free(struct watch *watch)
{
	peerbuf_status_put(watch->status);
	mutex_destroy(&watch->lock);
	kfree(watch);
}

static int watch_release(struct inode *inode, struct file *file)
{
	watch_free(file->private_data);
	return 0;
}

/* The owner keeps the module, and so the wait queue's users, until release. */
static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.read = watch_read,
	.poll = watch_poll,
	.show_fdinfo = watch_show_fdinfo,
	.release = watch_release,
	.llseek = noop_llseek,
};

static struct watch *watch_create(struct peerbuf_status *status,
				  struct peerbuf_watch *arg)
{
	struct peerbuf_event event;
	struct watch *watch;

	watch = kzalloc_obj(*watch, GFP_KERNEL_ACCOUNT);
	if (!watch)
		return NULL;

	kref_get(&status->ref);
	watch->status = status;
	mutex_init(&watch->lock);

	event = read_version(status, &watch->seen);
	arg->state = event.state;
	arg->generation = event.generation;
	return watch;
}

static int open_watch(struct peerbuf_call *call, struct peerbuf_status *status)
{
	struct peerbuf_watch *arg = call->arg;
	struct watch *watch;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(arg->open_flags & O_CLOEXEC);
	if (fd < 0)
		return fd;

	watch = watch_create(status, arg);
	if (!watch) {
		put_unused_fd(fd);
		return -ENOMEM;
	}

	file = anon_inode_getfile("[peerbuf-watch]", &watch_fops, watch,
				  O_RDONLY | (arg->open_flags & O_NONBLOCK));
	if (IS_ERR(file)) {
		watch_free(watch);
		put_unused_fd(fd);
		return PTR_ERR(file);
	}

	arg->watch = fd;
	call->new_fd = fd;
	call->new_file = file;
	return 0;
}

/**
 * peerbuf_watch_call - PEERBUF_IOC_WATCH: tell of changes to a buffer
 * @call: the call
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 with a descriptor to be installed, or a negative errno.
 */
int peerbuf_watch_call(struct peerbuf_call *call)
{
	const struct peerbuf_watch *arg = call->arg;
	struct peerbuf_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	if (arg->open_flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;

	dmabuf = dma_buf_get(arg->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	buffer = peerbuf_buffer_of_dmabuf(dmabuf);
	ret = buffer ? open_watch(call, buffer->status) : -EINVAL;
	dma_buf_put(dmabuf);
	return ret;
}
