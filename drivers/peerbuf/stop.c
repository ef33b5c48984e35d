// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stop and start: the memory of a provider stops answering for a while, and all
 * that is lent is taken away for as long; or for good, when it fails. What is
 * done to a buffer is a revoke's, in revoke.c; here is when, and for how long.
 *
 * Several causes can be at work at once: a bus is reset to recover from an error
 * while somebody has switched memory decoding off. The memory is in use again
 * when the last of them has ended.
 */
#include <kunit/visibility.h>
#include <linux/bits.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/peerbuf.h>

#include "presence.h"
#include "provider.h"
#include "revoke.h"
#include "stop.h"
#include "trace.h"

/**
 * peerbuf_stop_is_lossy - may contents have been lost
 * @stops: mask of &enum peerbuf_stop
 *
 * Even where the memory itself lives on, as it does without decoding: whatever
 * importers and processes wrote at that time is lost.
 *
 * Context: any.
 *
 * Return: whether a stop with these causes makes a new generation.
 */
bool peerbuf_stop_is_lossy(unsigned int stops)
{
	return stops & ~BIT(PEERBUF_STOP_QUIESCE);
}
EXPORT_SYMBOL_IF_KUNIT(peerbuf_stop_is_lossy);

/* Under both locks: either is enough to read it. */
static void set_stops(struct peerbuf_provider *provider, unsigned int stops)
{
	lockdep_assert_held(&provider->lifecycle);

	mutex_lock(&provider->lock);
	WRITE_ONCE(provider->stops, stops);
	mutex_unlock(&provider->lock);
}

/* Whoever began to touch the memory before is through with it on return. */
static void wait_for_accesses(struct peerbuf_provider *provider)
{
	down_write(&provider->hardware);
	up_write(&provider->hardware);
}

static s64 stop_us(const struct peerbuf_provider *provider)
{
	return ktime_us_delta(ktime_get_boottime(), provider->stopped_at);
}

static void begin_stop(struct peerbuf_provider *provider)
{
	provider->stopped_at = ktime_get_boottime();
	wait_for_accesses(provider);
	peerbuf_revoke_stop(provider);
	trace_peerbuf_stop(provider, provider->stops, stop_us(provider));
}

/**
 * peerbuf_provider_stop - the memory is about to stop answering
 * @provider: registered
 * @why: the cause, which peerbuf_provider_start() ends
 *
 * On return nothing new uses the memory: no map, no fault, no export. What was
 * mapped has been taken away, as far as it can be: importers that give mappings
 * back have done so, or have been waited for ten seconds, whoever they are and
 * however many, and are named in the kernel log. A reset does not wait for ever.
 * Importers that cannot give back (pinned and static ones, kernel mappings) keep
 * their addresses, which stay theirs; their fences are waited for.
 *
 * Causes nest in any order; stopping again for the same cause does nothing. A
 * call that returns after another has stopped the memory already has waited for
 * that one's end.
 *
 * Context: process, may sleep. No lock that an importer needs to end a job or to
 * unmap; the provider's own device lock may be held. Not from the runtime PM
 * callbacks of the provider, which is awake while there is a buffer.
 */
void peerbuf_provider_stop(struct peerbuf_provider *provider,
			   enum peerbuf_stop why)
{
	unsigned int before;

	mutex_lock(&provider->lifecycle);
	before = provider->stops;
	if (!provider->gone) {
		set_stops(provider, before | BIT(why));
		provider->lossy |= peerbuf_stop_is_lossy(BIT(why));
		if (!before)
			begin_stop(provider);
	}
	mutex_unlock(&provider->lifecycle);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_stop, "PEERBUF");

/* A reset restores the config space as it was, be that without decoding. */
static unsigned int remaining_stops(struct peerbuf_provider *provider,
				    enum peerbuf_stop why)
{
	unsigned int stops = provider->stops & ~BIT(why);

	stops &= ~BIT(PEERBUF_STOP_LOST);
	if (READ_ONCE(provider->nr_held) &&
	    !peerbuf_presence_check(provider))
		stops |= BIT(PEERBUF_STOP_LOST);

	return stops;
}

static void end_stop(struct peerbuf_provider *provider, enum peerbuf_stop why)
{
	down_write(&provider->hardware);
	provider->generation += provider->lossy;
	provider->lossy = false;
	set_stops(provider, 0);
	up_write(&provider->hardware);

	peerbuf_revoke_start(provider);
	trace_peerbuf_start(provider, BIT(why), stop_us(provider));
}

/**
 * peerbuf_provider_start - the memory answers again
 * @provider: stopped for @why; else this does nothing
 * @why: the cause that has ended
 *
 * When it was the last cause, buffers can be used again, with a new generation
 * if contents may have been lost, and watches say so. Where the memory does not
 * answer after all, it stays stopped until it does.
 *
 * Context: process, may sleep; as for peerbuf_provider_stop().
 */
void peerbuf_provider_start(struct peerbuf_provider *provider,
			    enum peerbuf_stop why)
{
	unsigned int stops;

	mutex_lock(&provider->lifecycle);
	if (!provider->gone && provider->stops & BIT(why)) {
		stops = remaining_stops(provider, why);
		provider->lossy |= peerbuf_stop_is_lossy(stops);
		if (stops)
			set_stops(provider, stops);
		else
			end_stop(provider, why);
		/* also ends pools that have waited for this */
		peerbuf_presence_look(provider);
	}
	mutex_unlock(&provider->lifecycle);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_start, "PEERBUF");

/**
 * peerbuf_provider_fail - the memory will not answer again
 * @provider: registered; stopped or not
 *
 * Everything is revoked, and calls fail with -ENODEV from now on, as after
 * peerbuf_provider_unregister(), which remains to be called and does the
 * waiting.
 *
 * Context: process, may sleep; as for peerbuf_provider_stop().
 */
void peerbuf_provider_fail(struct peerbuf_provider *provider)
{
	mutex_lock(&provider->lifecycle);
	down_write(&provider->hardware);
	WRITE_ONCE(provider->gone, true);
	up_write(&provider->hardware);

	peerbuf_revoke_begin_all(provider);
	mutex_unlock(&provider->lifecycle);
}
EXPORT_SYMBOL_NS_GPL(peerbuf_provider_fail, "PEERBUF");
