// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revoke: take access back from every importer and CPU mapping, and wait until
 * it is so. The one path for all reasons, also for those that pass: a stop does
 * the same to every buffer of a provider, but leaves them their memory, and does
 * not wait for ever.
 *
 * Begin is quick: nothing new can be mapped from then on. Finish waits for what
 * was mapped before: first for fences, until which an importer may go on as if
 * nothing had happened, then for the unmaps (dma_buf_invalidate_mappings()).
 */
#include <linux/completion.h>
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>

#include "account.h"
#include "buffer.h"
#include "cpu_access.h"
#include "export.h"
#include "pool.h"
#include "provider.h"
#include "revoke.h"
#include "trace.h"
#include "watch.h"

/* How often a wait without end says whom it waits for. */
#define COMPLAIN_EVERY	(10 * HZ)

/*
 * How long a stop waits, all buffers together: a reset cannot be refused, and
 * who asks for one has locks that others wait for.
 */
#define STOP_WAIT		(10 * HZ)

/* Return: whether this call has taken it away, and not another before. */
static bool take_away(struct peerbuf_buffer *buffer, enum peerbuf_state state)
{
	struct dma_buf *dmabuf = buffer->dmabuf;
	bool first;

	dma_resv_lock(dmabuf->resv, NULL);
	first = buffer->state < state;
	if (first) {
		WRITE_ONCE(buffer->state, state);
		if (state == PEERBUF_STATE_REVOKED)
			peerbuf_account_revoke(buffer);
		peerbuf_export_allow_vmap(buffer, false);
		dma_buf_invalidate_mappings(dmabuf);
	}
	dma_resv_unlock(dmabuf->resv);

	peerbuf_cpu_zap(buffer);
	/* last, as who reads it may try; and again, as the first may not be there yet */
	peerbuf_status_set_state(buffer->status, state);
	return first;
}

/**
 * peerbuf_revoke_begin - stop new use of a buffer
 * @buffer: held by peerbuf_buffer_hold()
 *
 * On return no map, fault or kernel mapping succeeds any more, importers have
 * been told, and no process has the memory in its page tables.
 *
 * Context: process, may sleep; takes the dma-buf's dma_resv.
 */
void peerbuf_revoke_begin(struct peerbuf_buffer *buffer)
{
	if (take_away(buffer, PEERBUF_STATE_REVOKED))
		trace_peerbuf_revoke(buffer);
}

static long wait_idle(struct peerbuf_buffer *buffer, bool interruptible,
		      long timeout)
{
	if (interruptible)
		return wait_event_interruptible_timeout(buffer->idle,
							!READ_ONCE(buffer->users),
							timeout);

	return wait_event_timeout(buffer->idle, !READ_ONCE(buffer->users),
				  timeout);
}

/**
 * peerbuf_revoke_finish - wait until a revoked buffer is out of use
 * @buffer: held by peerbuf_buffer_hold(), peerbuf_revoke_begin() was called
 * @interruptible: signals end the wait
 * @timeout: jiffies; MAX_SCHEDULE_TIMEOUT for no limit, 0 to look only
 *
 * On success the memory has been given back, even where somebody still has the
 * dma-buf open.
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0; -EINPROGRESS when the time is up; -EINTR on a signal.
 */
int peerbuf_revoke_finish(struct peerbuf_buffer *buffer, bool interruptible,
			  long timeout)
{
	long left;

	left = dma_resv_wait_timeout(buffer->dmabuf->resv,
				     DMA_RESV_USAGE_BOOKKEEP, interruptible,
				     timeout);
	if (left > 0)
		left = wait_idle(buffer, interruptible, left);
	if (left < 0)
		return -EINTR;
	if (!left)
		return -EINPROGRESS;

	peerbuf_account_revoked(buffer);
	peerbuf_buffer_reclaim(buffer);
	trace_peerbuf_revoked(buffer);
	return 0;
}

/* Stop all first, wait afterwards: one slow importer must not keep others going. */
static void begin_all(struct peerbuf_provider *provider,
		      struct peerbuf_pool *only)
{
	struct peerbuf_buffer *buffer;
	unsigned long id;

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		if (!only || buffer->pool == only)
			peerbuf_revoke_begin(buffer);
		peerbuf_buffer_unhold(buffer);
	}
}

static long time_left(unsigned long deadline, long timeout)
{
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		return timeout;

	return max((long)(deadline - jiffies), 0L);
}

/* Buffers that are in use too long do not keep others from being finished. */
static int finish_pool(struct peerbuf_pool *pool, bool interruptible,
		       unsigned long deadline, long timeout)
{
	struct peerbuf_buffer *buffer;
	int one, ret = 0;
	unsigned long id;

	for (id = 0; ret != -EINTR &&
	     (buffer = peerbuf_buffer_hold_next(pool->provider, &id)); id++) {
		if (buffer->pool == pool) {
			one = peerbuf_revoke_finish(buffer, interruptible,
						    time_left(deadline,
							      timeout));
			ret = one ?: ret;
		}
		peerbuf_buffer_unhold(buffer);
	}

	return ret;
}

/* Another may be at it, and a buffer that was being made may still be ending. */
static int wait_returned(struct peerbuf_pool *pool, bool interruptible,
			 long timeout)
{
	long left;

	if (interruptible)
		left = wait_for_completion_interruptible_timeout(&pool->returned,
								 timeout);
	else
		left = wait_for_completion_timeout(&pool->returned, timeout);
	if (left < 0)
		return -EINTR;

	return left ? 0 : -EINPROGRESS;
}

/**
 * peerbuf_revoke_pool - revoke a pool and what was allocated from it
 * @pool: with a reference
 * @interruptible: signals end the wait
 * @timeout: jiffies; MAX_SCHEDULE_TIMEOUT for no limit, 0 to look only
 *
 * On success the range is cleared and the window's again. If the time is up, or
 * on a signal, that happens when the last buffer in use ends.
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0; -EINPROGRESS when the time is up; -EINTR on a signal.
 */
int peerbuf_revoke_pool(struct peerbuf_pool *pool, bool interruptible,
			long timeout)
{
	unsigned long deadline = jiffies + timeout;
	int ret;

	peerbuf_pool_shut(pool);
	begin_all(pool->provider, pool);
	ret = finish_pool(pool, interruptible, deadline, timeout);
	peerbuf_pool_settle(pool);
	if (ret)
		return ret;

	return wait_returned(pool, interruptible, time_left(deadline, timeout));
}

/**
 * peerbuf_revoke_begin_all - stop new use of all that a provider lent
 * @provider: gone, so that nothing is added
 *
 * Context: process, may sleep; no lock held but &peerbuf_provider.lifecycle.
 */
void peerbuf_revoke_begin_all(struct peerbuf_provider *provider)
{
	begin_all(provider, NULL);
}

/**
 * peerbuf_revoke_provider - revoke all that a provider lent
 * @provider: gone, so that nothing is added
 *
 * Waits for as long as it takes, and says whom it waits for.
 *
 * Context: process, may sleep; no lock held.
 */
void peerbuf_revoke_provider(struct peerbuf_provider *provider)
{
	struct peerbuf_buffer *buffer;
	unsigned long id;

	begin_all(provider, NULL);

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		while (peerbuf_revoke_finish(buffer, false, COMPLAIN_EVERY))
			peerbuf_log_attachments(buffer, false);
		peerbuf_buffer_unhold(buffer);
	}
}

/* Fences of everybody; mappings of those only who can give them back. */
static void wait_stopped(struct peerbuf_buffer *buffer, unsigned long deadline)
{
	struct dma_resv *resv = buffer->dmabuf->resv;
	long left;

	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false,
				     time_left(deadline, STOP_WAIT));
	wait_event_timeout(buffer->idle, !READ_ONCE(buffer->revocable),
			   max(left, 0L));
	if (READ_ONCE(buffer->users))
		peerbuf_log_attachments(buffer, true);
}

/**
 * peerbuf_revoke_stop - take all that a provider lent away, for a while
 * @provider: stopped, so that nothing is added
 *
 * Waits at most STOP_WAIT for importers that can give back, and says who has not,
 * or cannot.
 *
 * Context: process, may sleep; &peerbuf_provider.lifecycle held.
 */
void peerbuf_revoke_stop(struct peerbuf_provider *provider)
{
	unsigned long deadline = jiffies + STOP_WAIT;
	struct peerbuf_buffer *buffer;
	unsigned long id;

	lockdep_assert_held(&provider->lifecycle);

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		take_away(buffer, PEERBUF_STATE_STOPPED);
		peerbuf_buffer_unhold(buffer);
	}

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		wait_stopped(buffer, deadline);
		peerbuf_buffer_unhold(buffer);
	}
}

static void give_again(struct peerbuf_buffer *buffer, u64 generation)
{
	struct dma_resv *resv = buffer->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	if (buffer->state == PEERBUF_STATE_STOPPED) {
		WRITE_ONCE(buffer->state, PEERBUF_STATE_IN_USE);
		peerbuf_export_allow_vmap(buffer, true);
		peerbuf_status_restart(buffer->status, generation);
	}
	dma_resv_unlock(resv);
}

/**
 * peerbuf_revoke_start - undo peerbuf_revoke_stop()
 * @provider: started, with its new generation
 *
 * Who wants a mapping again maps again.
 *
 * Context: process, may sleep; &peerbuf_provider.lifecycle held.
 */
void peerbuf_revoke_start(struct peerbuf_provider *provider)
{
	struct peerbuf_buffer *buffer;
	unsigned long id;

	lockdep_assert_held(&provider->lifecycle);

	for (id = 0; (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		give_again(buffer, provider->generation);
		peerbuf_buffer_unhold(buffer);
	}
}
