// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows in sysfs: /sys/class/peerbuf/<function>/window<n>/. What the
 * administrator decides for a window, as opposed to the owner of the node; and
 * what has happened to it (counters.c).
 */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "counters.h"
#include "window.h"

static struct peerbuf_window *to_window(struct kobject *kobj)
{
	return container_of(kobj, struct peerbuf_window, kobj);
}

static ssize_t allow_static_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buffer)
{
	return sysfs_emit(buffer, "%d\n",
			  READ_ONCE(to_window(kobj)->allow_static));
}

/* Counts for attaches that come; who is attached stays. */
static ssize_t allow_static_store(struct kobject *kobj,
				  struct kobj_attribute *attr,
				  const char *buffer, size_t count)
{
	bool allow;
	int ret;

	ret = kstrtobool(buffer, &allow);
	if (ret)
		return ret;

	WRITE_ONCE(to_window(kobj)->allow_static, allow);
	return count;
}

static struct kobj_attribute allow_static_attr =
	__ATTR(allow_static, 0644, allow_static_show, allow_static_store);

static struct attribute *window_attrs[] = {
	&allow_static_attr.attr,
	NULL
};

static const struct attribute_group window_group = {
	.attrs = window_attrs,
};

static const struct attribute_group *window_groups[] = {
	&window_group,
	&peerbuf_counters_group,
	&peerbuf_refused_group,
	NULL
};

static void window_release(struct kobject *kobj)
{
	kfree(to_window(kobj));
}

const struct kobj_type peerbuf_window_ktype = {
	.release = window_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = window_groups,
};
