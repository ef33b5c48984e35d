// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters of windows, and their files in sysfs: a number each, in the window's
 * directory, and refusals by reason in refused/ below it.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "counters.h"
#include "window.h"

/**
 * struct counter_attr - a counter as a file
 * @attr: the file
 * @offset: of the counter in &struct peerbuf_counters
 */
struct counter_attr {
	struct kobj_attribute attr;
	size_t offset;
};

static ssize_t counter_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *text)
{
	struct peerbuf_window *window;
	const atomic64_t *counter;
	size_t offset;

	window = container_of(kobj, struct peerbuf_window, kobj);
	offset = container_of(attr, struct counter_attr, attr)->offset;
	counter = (const void *)&window->counters + offset;

	return sysfs_emit(text, "%lld\n", atomic64_read(counter));
}

#define COUNTER(_variable, _name, _member)				\
	static struct counter_attr _variable = {			\
		.attr = {						\
			.attr = { .name = _name, .mode = 0444 },	\
			.show = counter_show,				\
		},							\
		.offset = offsetof(struct peerbuf_counters, _member),	\
	}

COUNTER(exports, "exports", exports);
COUNTER(maps, "maps", maps);
COUNTER(unmaps, "unmaps", unmaps);
COUNTER(refused_attaches, "refused_attaches", refused);
COUNTER(revokes, "revokes", revokes);
COUNTER(faults, "faults", faults);
COUNTER(bytes_lent, "bytes_lent", lent);

static struct attribute *counter_attrs[] = {
	&exports.attr.attr,
	&maps.attr.attr,
	&unmaps.attr.attr,
	&refused_attaches.attr.attr,
	&revokes.attr.attr,
	&faults.attr.attr,
	&bytes_lent.attr.attr,
	NULL
};

const struct attribute_group peerbuf_counters_group = {
	.attrs = counter_attrs,
};

#define REASON(_variable, _name, _reason)				\
	COUNTER(_variable, _name, reasons[PEERBUF_REASON_##_reason])

REASON(acs_redirect, "acs-redirect", ACS_REDIRECT);
REASON(host_untrusted, "host-untrusted", HOST_UNTRUSTED);
REASON(not_pci, "not-pci", NOT_PCI);
REASON(dma_mask, "dma-mask", DMA_MASK);
REASON(not_revocable, "not-revocable", NOT_REVOCABLE);
REASON(not_static, "static", STATIC);
REASON(direct_required, "direct-required", DIRECT_REQUIRED);
REASON(revoked, "revoked", REVOKED);
REASON(provider_gone, "provider-gone", PROVIDER_GONE);
REASON(stopped, "stopped", STOPPED);

static struct attribute *refused_attrs[] = {
	&acs_redirect.attr.attr,
	&host_untrusted.attr.attr,
	&not_pci.attr.attr,
	&dma_mask.attr.attr,
	&not_revocable.attr.attr,
	&not_static.attr.attr,
	&direct_required.attr.attr,
	&revoked.attr.attr,
	&provider_gone.attr.attr,
	&stopped.attr.attr,
	NULL
};

const struct attribute_group peerbuf_refused_group = {
	.name = "refused",
	.attrs = refused_attrs,
};

/**
 * peerbuf_count_refused - count an attach that was refused
 * @window: whose buffer
 * @reason: &enum peerbuf_reason
 *
 * Context: any.
 */
void peerbuf_count_refused(struct peerbuf_window *window, u32 reason)
{
	atomic64_inc(&window->counters.refused);
	if (!WARN_ON_ONCE(reason > PEERBUF_LAST_REASON))
		atomic64_inc(&window->counters.reasons[reason]);
}
