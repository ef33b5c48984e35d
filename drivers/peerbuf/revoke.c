// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revoke: take access back from every importer and CPU mapping, and wait until
 * it is so. The one path for all reasons.
 *
 * Begin is quick: nothing new can be mapped from then on. Finish waits for what
 * was mapped before: first for fences, until which an importer may go on as if
 * nothing had happened, then for the unmaps (dma_buf_invalidate_mappings()).
 */
#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/sched/signal.h>

#include "buffer.h"
#include "cpu_access.h"
#include "export.h"
#include "pool.h"
#include "provider.h"
#include "revoke.h"
#include "trace.h"

/* How often a wait without end says whom it waits for. */
#define COMPLAIN_EVERY	(10 * HZ)

/* How long the close of a pool waits; what is late gives back when it ends. */
#define POOL_CLOSE_WAIT	(1 * HZ)

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
	struct dma_buf *dmabuf = buffer->dmabuf;
	bool first;

	dma_resv_lock(dmabuf->resv, NULL);
	first = !buffer->revoked;
	WRITE_ONCE(buffer->revoked, true);
	peerbuf_export_end_vmap(buffer);
	if (first)
		dma_buf_invalidate_mappings(dmabuf);
	dma_resv_unlock(dmabuf->resv);

	if (first)
		trace_peerbuf_revoke(buffer);
	peerbuf_cpu_zap(buffer);
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

/**
 * peerbuf_revoke_pool - revoke what was allocated from a pool
 * @pool: closed, so that nothing is added
 *
 * Waits a second at most, because it runs when a descriptor is closed, maybe by
 * a dying process. Memory that is in use longer goes back when its dma-buf ends.
 *
 * Context: process, may sleep; no lock held.
 */
void peerbuf_revoke_pool(struct peerbuf_pool *pool)
{
	unsigned long deadline = jiffies + POOL_CLOSE_WAIT;
	struct peerbuf_buffer *buffer;
	unsigned long id;
	long left;

	begin_all(pool->provider, pool);

	for (id = 0; (buffer = peerbuf_buffer_hold_next(pool->provider, &id));
	     id++) {
		left = (long)(deadline - jiffies);
		if (buffer->pool == pool)
			peerbuf_revoke_finish(buffer, false, max(left, 0L));
		peerbuf_buffer_unhold(buffer);
	}
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
			peerbuf_log_attachments(buffer);
		peerbuf_buffer_unhold(buffer);
	}
}
