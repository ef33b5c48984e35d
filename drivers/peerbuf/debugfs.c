// SPDX-License-Identifier: GPL-2.0-only
/*
 * The holders in debugfs: /sys/kernel/debug/peerbuf/<function>/buffers, a
 * paragraph for each buffer. For people; programs ask the node. Nothing here can
 * fail for the rest: debugfs takes its own errors.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "buffer.h"
#include "debugfs.h"
#include "holders.h"
#include "provider.h"
#include "route.h"

static struct dentry *root;

static const char *class_name(u32 class)
{
	switch (class) {
	case PEERBUF_CLASS_REVOCABLE:
		return "revocable";
	case PEERBUF_CLASS_PINNED:
		return "pinned";
	default:
		return "static";
	}
}

static const char *access_name(u32 access)
{
	static const char * const names[] = {
		"none", "read", "write", "read-write",
	};

	return names[access & (PEERBUF_ACCESS_READ | PEERBUF_ACCESS_WRITE)];
}

/* Since @when, which is boot time, in seconds. */
static void show_age(struct seq_file *m, const char *name, u64 when)
{
	u64 seconds;
	u32 ms;

	if (!when)
		return;
	seconds = div_u64_rem(div_u64(ktime_get_boottime_ns() - when,
				      NSEC_PER_MSEC), MSEC_PER_SEC, &ms);
	seq_printf(m, " %s=%llu.%03us", name, seconds, ms);
}

static void show_entry(struct seq_file *m,
		       const struct peerbuf_buffer_entry *entry)
{
	seq_printf(m, "\nbuffer %llu\n", entry->id);
	seq_printf(m, "  window=%u length=%llu ranges=%u export-flags=%#x %s%s%s generation=%llu",
		   entry->window, entry->length, entry->nr_ranges,
		   entry->export_flags,
		   entry->flags & PEERBUF_BUFFER_POOLED ? "pooled" : "fixed",
		   entry->flags & PEERBUF_BUFFER_STOPPED ? " stopped" : "",
		   entry->flags & PEERBUF_BUFFER_REVOKED ? " revoked" : "",
		   entry->generation);
	show_age(m, "age", entry->created);
	seq_printf(m, "\n  by pid=%d uid=%u comm=", entry->pid, entry->uid);
	seq_escape(m, entry->comm, " \t\n\\");
	seq_printf(m, "\n  importers=%u maps=%u mapped=%llu cpu-maps=%u cpu-mapped=%llu kernel-maps=%u\n",
		   entry->nr_importers, entry->nr_maps, entry->mapped,
		   entry->nr_cpu_maps, entry->cpu_mapped,
		   entry->nr_kernel_maps);
	if (!entry->revoked)
		return;

	seq_puts(m, "  revoke");
	show_age(m, "began", entry->revoked);
	if (entry->revoke_ns)
		seq_printf(m, " took=%lluns\n", entry->revoke_ns);
	else
		seq_puts(m, " waits\n");
}

static void show_holder(struct seq_file *m,
			const struct peerbuf_holder_entry *entry)
{
	const char *route = entry->verdict.route == PEERBUF_ROUTE_BUS ?
				    "bus" : "host";

	seq_printf(m, "  importer %s class=%s route=%s distance=%d access=%s maps=%u mapped=%llu",
		   entry->device, class_name(entry->importer_class), route,
		   entry->verdict.distance, access_name(entry->access),
		   entry->nr_maps, entry->mapped);
	show_age(m, "since", entry->since);
	seq_printf(m, " (%s)\n", peerbuf_reason_text(entry->verdict.reason));
}

static int show_buffer(struct seq_file *m, struct peerbuf_buffer *buffer)
{
	struct peerbuf_buffer_entry entry = {};
	struct peerbuf_holder_entry *holders;
	u32 i, nr;
	int ret;

	ret = peerbuf_describe_buffer(buffer, &entry);
	if (ret)
		return ret;
	/* who attaches in between is in the next reading */
	holders = peerbuf_describe_holders(buffer, entry.nr_importers, &nr);
	if (IS_ERR(holders))
		return PTR_ERR(holders);

	show_entry(m, &entry);
	for (i = 0; i < min(nr, entry.nr_importers); i++)
		show_holder(m, &holders[i]);
	kvfree(holders);
	return 0;
}

static int buffers_show(struct seq_file *m, void *unused)
{
	struct peerbuf_provider *provider = m->private;
	struct peerbuf_buffer *buffer;
	unsigned long id;
	int ret = 0;

	mutex_lock(&provider->lock);
	seq_printf(m, "buffers=%u longest-revoke=%lluns\n",
		   provider->nr_buffers, provider->longest_revoke_ns);
	mutex_unlock(&provider->lock);

	for (id = 0; !ret &&
	     (buffer = peerbuf_buffer_hold_next(provider, &id)); id++) {
		ret = show_buffer(m, buffer);
		peerbuf_buffer_unhold(buffer);
		if (seq_has_overflowed(m))
			break;
	}

	return ret;
}
DEFINE_SHOW_ATTRIBUTE(buffers);

/**
 * peerbuf_debugfs_add - show a provider
 * @provider: registered
 *
 * Context: process, may sleep.
 */
void peerbuf_debugfs_add(struct peerbuf_provider *provider)
{
	provider->debugfs = debugfs_create_dir(dev_name(&provider->dev), root);
	debugfs_create_file("buffers", 0400, provider->debugfs, provider,
			    &buffers_fops);
}

/**
 * peerbuf_debugfs_remove - undo peerbuf_debugfs_add()
 * @provider: nothing of it is lent any more
 *
 * Waits for readers.
 *
 * Context: process, may sleep; no lock held.
 */
void peerbuf_debugfs_remove(struct peerbuf_provider *provider)
{
	debugfs_remove(provider->debugfs);
}

/**
 * peerbuf_debugfs_init - make the directory
 *
 * Context: module init.
 */
void peerbuf_debugfs_init(void)
{
	root = debugfs_create_dir("peerbuf", NULL);
}

/**
 * peerbuf_debugfs_exit - undo peerbuf_debugfs_init()
 *
 * Context: module exit; no provider exists.
 */
void peerbuf_debugfs_exit(void)
{
	debugfs_remove(root);
}
