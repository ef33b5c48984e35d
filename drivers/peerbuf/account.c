// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accounts: what a buffer remembers of those who made it and took it back. What
 * can be seen by looking, such as who is attached, is not kept: see holders.c.
 */
#include <linux/cred.h>
#include <linux/dma-resv.h>
#include <linux/pid.h>
#include <linux/sched.h>

#include "account.h"
#include "buffer.h"
#include "provider.h"

/**
 * peerbuf_account_begin - note who makes a buffer
 * @buffer: new; the caller's process makes it
 *
 * Context: process.
 */
void peerbuf_account_begin(struct peerbuf_buffer *buffer)
{
	struct peerbuf_account *account = &buffer->account;

	account->pid = get_pid(task_tgid(current));
	account->uid = current_uid();
	get_task_comm(account->comm, current);
	account->created = ktime_get_boottime();
}

/**
 * peerbuf_account_end - undo peerbuf_account_begin()
 * @buffer: at its end
 *
 * Context: any.
 */
void peerbuf_account_end(struct peerbuf_buffer *buffer)
{
	put_pid(buffer->account.pid);
}

/**
 * peerbuf_account_revoke - a revoke begins
 * @buffer: whose
 *
 * Context: the dma-buf's dma_resv held, importers not told yet.
 */
void peerbuf_account_revoke(struct peerbuf_buffer *buffer)
{
	dma_resv_assert_held(buffer->dmabuf->resv);

	buffer->account.revoked = ktime_get_boottime();
	atomic64_inc(&buffer->window->counters.revokes);
}

/**
 * peerbuf_account_drained - the last mapping has gone
 * @buffer: whose
 *
 * That it has is often seen later, by who polls or comes back.
 *
 * Context: the dma-buf's dma_resv held.
 */
void peerbuf_account_drained(struct peerbuf_buffer *buffer)
{
	dma_resv_assert_held(buffer->dmabuf->resv);

	if (buffer->account.revoked)
		buffer->account.drained = ktime_get_boottime();
}

/**
 * peerbuf_account_revoked - a revoke is complete
 * @buffer: revoked and drained, or at its end
 *
 * The first call for a buffer counts; without a revoke, none.
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv.
 */
void peerbuf_account_revoked(struct peerbuf_buffer *buffer)
{
	struct peerbuf_account *account = &buffer->account;
	struct peerbuf_provider *provider = buffer->provider;
	ktime_t begin, end;

	dma_resv_lock(buffer->dmabuf->resv, NULL);
	begin = account->revoked;
	end = account->drained ?: ktime_get_boottime();
	dma_resv_unlock(buffer->dmabuf->resv);

	mutex_lock(&provider->lock);
	if (begin && !account->revoke_ns) {
		/* a clock may be coarse, but zero means that it goes on */
		account->revoke_ns = max_t(s64, 1, end - begin);
		provider->longest_revoke_ns = max(provider->longest_revoke_ns,
						  account->revoke_ns);
	}
	mutex_unlock(&provider->lock);
}
