// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holders: what a provider has lent, to whom, and how it is used. Collects under
 * the locks and tells without any of them.
 */
#include <linux/cred.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/minmax.h>
#include <linux/peerbuf.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "buffer.h"
#include "cpu_access.h"
#include "export.h"
#include "holders.h"
#include "provider.h"
#include "watch.h"

static_assert(PEERBUF_COMM_LEN == TASK_COMM_LEN);

/* What does not change. */
static void describe_origin(const struct peerbuf_buffer *buffer,
			    struct peerbuf_buffer_entry *entry)
{
	const struct peerbuf_account *account = &buffer->account;

	entry->id = buffer->id;
	entry->length = buffer->length;
	entry->window = buffer->window->index;
	entry->export_flags = buffer->flags;
	entry->nr_ranges = buffer->nr_extents;
	entry->created = ktime_to_ns(account->created);
	entry->pid = pid_vnr(account->pid);
	entry->uid = from_kuid_munged(current_user_ns(), account->uid);
	strscpy_pad(entry->comm, account->comm);
	if (buffer->pool)
		entry->flags |= PEERBUF_BUFFER_POOLED;
	if (buffer->flags & PEERBUF_EXPORT_READ_ONLY)
		entry->flags |= PEERBUF_BUFFER_READ_ONLY;
}

/* What the dma-buf's dma_resv protects. */
static void describe_use(struct peerbuf_buffer *buffer,
			 struct peerbuf_buffer_entry *entry)
{
	if (buffer->state == PEERBUF_STATE_REVOKED)
		entry->flags |= PEERBUF_BUFFER_REVOKED;
	if (buffer->state == PEERBUF_STATE_STOPPED)
		entry->flags |= PEERBUF_BUFFER_STOPPED;
	entry->generation = peerbuf_status_read(buffer->status).generation;
	entry->revoked = ktime_to_ns(buffer->account.revoked);
	entry->nr_kernel_maps = buffer->dmabuf->vmapping_counter;
	peerbuf_export_count(buffer, entry);
}

/**
 * peerbuf_describe_buffer - all there is to know about a buffer
 * @buffer: held by peerbuf_buffer_hold()
 * @entry: zeroed, filled in for the caller's namespaces
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv, and
 * &peerbuf_provider.lock.
 *
 * Return: 0, or -EINTR on a signal.
 */
int peerbuf_describe_buffer(struct peerbuf_buffer *buffer,
			    struct peerbuf_buffer_entry *entry)
{
	if (dma_resv_lock_interruptible(buffer->dmabuf->resv, NULL))
		return -EINTR;
	describe_use(buffer, entry);
	dma_resv_unlock(buffer->dmabuf->resv);

	describe_origin(buffer, entry);
	peerbuf_cpu_count(buffer, &entry->nr_cpu_maps, &entry->cpu_mapped);

	mutex_lock(&buffer->provider->lock);
	entry->revoke_ns = buffer->account.revoke_ns;
	mutex_unlock(&buffer->provider->lock);
	return 0;
}

/* Sets @nr to how many there are, of which at most @room are described. */
static int fill_holders(struct peerbuf_buffer *buffer,
			struct peerbuf_holder_entry *entries, u32 room, u32 *nr)
{
	struct dma_buf_attachment *attach;

	if (dma_resv_lock_interruptible(buffer->dmabuf->resv, NULL))
		return -EINTR;

	/* the last one that came is the first of the list */
	*nr = 0;
	list_for_each_entry_reverse(attach, &buffer->dmabuf->attachments,
				    node) {
		if (*nr < room)
			peerbuf_export_describe(attach, &entries[*nr]);
		(*nr)++;
	}
	dma_resv_unlock(buffer->dmabuf->resv);
	return 0;
}

/**
 * peerbuf_describe_holders - who is attached to a buffer
 * @buffer: held by peerbuf_buffer_hold()
 * @room: how many the caller has use for
 * @nr: set to how many there are
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv.
 *
 * Return: an array of *@nr, or @room if that is less, for kvfree(), NULL for
 * none; or an ERR_PTR of -ENOMEM, -EINTR (a signal).
 */
struct peerbuf_holder_entry *
peerbuf_describe_holders(struct peerbuf_buffer *buffer, u32 room, u32 *nr)
{
	struct peerbuf_holder_entry *entries = NULL;
	u32 size = 0;
	int ret;

	for (;;) {
		ret = fill_holders(buffer, entries, size, nr);
		if (ret || min(room, *nr) <= size)
			break;

		/* no allocation under the lock; more may have come after it */
		kvfree(entries);
		size = min(room, *nr);
		entries = kvcalloc(size, sizeof(*entries), GFP_KERNEL_ACCOUNT);
		if (!entries)
			return ERR_PTR(-ENOMEM);
	}
	if (!ret)
		return entries;

	kvfree(entries);
	return ERR_PTR(ret);
}

/* Arrays grow like structs do: by the end of their entries. */
static int check_entry_size(u32 size, u32 min_size)
{
	if (size < min_size)
		return -EINVAL;

	return size > PAGE_SIZE ? -E2BIG : 0;
}

static int copy_entry(u64 array, u32 index, u32 size, const void *entry,
		      size_t known)
{
	void __user *place = u64_to_user_ptr(array + (u64)index * size);

	return copy_struct_to_user(place, size, entry, known, NULL);
}

/* The user's memory is written with no hold: a page fault may take for ever. */
static int answer_buffers(struct peerbuf_provider *provider,
			  struct peerbuf_buffers_query *arg, u32 room)
{
	struct peerbuf_buffer_entry entry;
	struct peerbuf_buffer *buffer;
	unsigned long id;
	int ret = 0;

	arg->nr_entries = 0;
	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		memset(&entry, 0, sizeof(entry));
		if (arg->nr_entries < room)
			ret = peerbuf_describe_buffer(buffer, &entry);
		peerbuf_buffer_unhold(buffer);

		if (!ret && arg->nr_entries < room)
			ret = copy_entry(arg->entries, arg->nr_entries,
					 arg->entry_size, &entry,
					 sizeof(entry));
		if (!ret && fatal_signal_pending(current))
			ret = -EINTR;
		if (ret)
			return ret;
		arg->nr_entries++;
		cond_resched();
	}

	return 0;
}

/**
 * peerbuf_buffers_call - PEERBUF_IOC_BUFFERS: what a provider has lent
 * @call: the call, on a node
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_buffers_call(struct peerbuf_call *call)
{
	struct peerbuf_provider *provider = call->file->private_data;
	struct peerbuf_buffers_query *arg = call->arg;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	ret = check_entry_size(arg->entry_size,
			       offsetofend(struct peerbuf_buffer_entry, comm));
	if (ret)
		return ret;

	ret = answer_buffers(provider, arg, arg->nr_entries);
	if (ret)
		return ret;

	mutex_lock(&provider->lock);
	arg->longest_revoke_ns = provider->longest_revoke_ns;
	mutex_unlock(&provider->lock);
	return 0;
}

static int answer_holders(struct peerbuf_holders_query *arg,
			  const struct peerbuf_holder_entry *entries, u32 nr)
{
	u32 i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = copy_entry(arg->entries, i, arg->entry_size, &entries[i],
				 sizeof(entries[i]));
		if (ret)
			return ret;
	}

	return 0;
}

/**
 * peerbuf_holders_call - PEERBUF_IOC_HOLDERS: the importers of a buffer
 * @call: the call, on a node
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_holders_call(struct peerbuf_call *call)
{
	struct peerbuf_holders_query *arg = call->arg;
	struct peerbuf_holder_entry *entries;
	struct peerbuf_buffer *buffer;
	u32 room = arg->nr_entries;
	int ret;

	if (arg->flags)
		return -EOPNOTSUPP;
	ret = check_entry_size(arg->entry_size,
			       offsetofend(struct peerbuf_holder_entry,
					   nr_maps));
	if (ret)
		return ret;

	buffer = peerbuf_buffer_hold(call->file->private_data, arg->id);
	if (!buffer)
		return -ENOENT;
	entries = peerbuf_describe_holders(buffer, room, &arg->nr_entries);
	peerbuf_buffer_unhold(buffer);
	if (IS_ERR(entries))
		return PTR_ERR(entries);

	ret = answer_holders(arg, entries, min(room, arg->nr_entries));
	kvfree(entries);
	return ret;
}
