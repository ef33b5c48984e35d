// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lending, as users ask for it: the calls that a node and a pool have in common.
 * Checks what users pass; what it means is for buffers.
 */
#include <linux/dma-buf.h>
#include <linux/file.h>
#include <linux/fcntl.h>
#include <linux/peerbuf.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "buffer.h"
#include "lend.h"
#include "pool.h"
#include "presence.h"
#include "provider.h"
#include "revoke.h"

#define EXPORT_FLAGS	(PEERBUF_EXPORT_SHARED | PEERBUF_EXPORT_ALLOW_PINNED | \
			 PEERBUF_EXPORT_ALLOW_STATIC | PEERBUF_EXPORT_DIRECT | \
			 PEERBUF_EXPORT_READ_ONLY)

static int check_export(const struct peerbuf_export *arg)
{
	if (arg->flags & ~EXPORT_FLAGS)
		return -EOPNOTSUPP;
	if (arg->open_flags & ~(O_ACCMODE | O_CLOEXEC) ||
	    (arg->open_flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	/* a descriptor for writing would promise what no call keeps */
	if (arg->flags & PEERBUF_EXPORT_READ_ONLY &&
	    (arg->open_flags & O_ACCMODE) != O_RDONLY)
		return -EINVAL;
	if (!arg->nr_ranges)
		return -EINVAL;

	return arg->nr_ranges > PEERBUF_MAX_RANGES ? -E2BIG : 0;
}

static int export_live(struct peerbuf_call *call,
		       const struct peerbuf_source *source,
		       const struct peerbuf_range *ranges)
{
	struct peerbuf_export *arg = call->arg;
	struct peerbuf_buffer *buffer;
	int fd;

	fd = get_unused_fd_flags(arg->open_flags & O_CLOEXEC);
	if (fd < 0)
		return fd;

	buffer = peerbuf_buffer_create(source, ranges, arg->nr_ranges);
	if (IS_ERR(buffer)) {
		put_unused_fd(fd);
		return PTR_ERR(buffer);
	}

	arg->fd = fd;
	arg->id = buffer->id;
	call->new_fd = fd;
	call->new_file = buffer->dmabuf->file;
	return 0;
}

static int export_ranges(struct peerbuf_call *call,
			 const struct peerbuf_source *source,
			 const struct peerbuf_range *ranges)
{
	struct peerbuf_provider *provider = source->window->provider;
	int ret;

	/* a clear that goes nowhere would hand out what was there before */
	ret = peerbuf_provider_access(provider);
	if (ret)
		return ret;

	if (peerbuf_presence_check(provider)) {
		ret = export_live(call, source, ranges);
	} else {
		peerbuf_presence_look(provider);
		ret = -EAGAIN;
	}
	peerbuf_provider_access_end(provider);

	/* what failed may have held the last of a pool that was revoked */
	if (ret && source->pool)
		peerbuf_pool_settle(source->pool);
	return ret;
}

/**
 * peerbuf_export_call - PEERBUF_IOC_EXPORT, wherever it came in
 * @call: the call
 * @source: window and pool, set by the caller; the rest is filled in
 *
 * User memory is read before the provider is entered: a page fault can take
 * forever, and must not keep a device from being unbound.
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 with a descriptor to be installed, or a negative errno.
 */
int peerbuf_export_call(struct peerbuf_call *call,
			struct peerbuf_source *source)
{
	const struct peerbuf_export *arg = call->arg;
	struct peerbuf_range *ranges;
	int ret;

	ret = check_export(arg);
	if (!ret && source->pool)
		ret = peerbuf_pool_permits(source->pool, arg->flags);
	if (ret)
		return ret;

	ranges = memdup_array_user(u64_to_user_ptr(arg->ranges),
				   arg->nr_ranges, sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);

	source->align = arg->align;
	source->flags = arg->flags;
	source->open_flags = arg->open_flags;
	ret = export_ranges(call, source, ranges);
	kfree(ranges);
	return ret;
}

static long revoke_timeout(u32 flags)
{
	return flags & PEERBUF_REVOKE_NOWAIT ? 0 : MAX_SCHEDULE_TIMEOUT;
}

static int revoke_held(struct peerbuf_buffer *buffer, u32 flags)
{
	peerbuf_revoke_begin(buffer);
	return peerbuf_revoke_finish(buffer, true, revoke_timeout(flags));
}

/* What a provider lent is revoked before it is gone. */
static bool is_gone(struct peerbuf_provider *provider)
{
	if (!peerbuf_provider_enter(provider))
		return true;

	peerbuf_provider_leave(provider);
	return false;
}

/**
 * peerbuf_revoke_call - PEERBUF_IOC_REVOKE, wherever it came in
 * @call: the call
 * @provider: whose buffer
 * @pool: only its buffers may be revoked; NULL for the node, whose owner may
 *	revoke everything
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_revoke_call(struct peerbuf_call *call,
			struct peerbuf_provider *provider,
			const struct peerbuf_pool *pool)
{
	const struct peerbuf_revoke *arg = call->arg;
	struct peerbuf_buffer *buffer;
	int ret;

	if (arg->flags & ~PEERBUF_REVOKE_NOWAIT)
		return -EOPNOTSUPP;

	if (is_gone(provider))
		return -ENODEV;

	buffer = peerbuf_buffer_hold(provider, arg->id);
	if (!buffer)
		return -ENOENT;

	ret = pool && buffer->pool != pool ? -ENOENT :
					     revoke_held(buffer, arg->flags);
	peerbuf_buffer_unhold(buffer);
	return ret;
}

/**
 * peerbuf_pool_revoke_call - PEERBUF_IOC_POOL_REVOKE
 * @call: the call
 * @provider: whose pool
 *
 * Context: process, may sleep; no lock held.
 *
 * Return: 0 or a negative errno.
 */
int peerbuf_pool_revoke_call(struct peerbuf_call *call,
			     struct peerbuf_provider *provider)
{
	const struct peerbuf_pool_revoke *arg = call->arg;
	struct peerbuf_pool *pool;
	int ret;

	if (arg->flags & ~PEERBUF_REVOKE_NOWAIT)
		return -EOPNOTSUPP;
	if (is_gone(provider))
		return -ENODEV;

	pool = peerbuf_pool_find(provider, arg->id);
	if (!pool)
		return -ENOENT;

	ret = peerbuf_revoke_pool(pool, true, revoke_timeout(arg->flags));
	peerbuf_pool_put(pool);
	return ret;
}
