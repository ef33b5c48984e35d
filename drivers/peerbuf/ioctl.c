// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch of calls: sizes, copies, and the one place where descriptors become
 * visible. Knows nothing of what the calls mean.
 */
#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/peerbuf.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* The ABI is 64-bit clean: no holes, and the same on 32- and 64-bit machines. */
static_assert(sizeof(struct peerbuf_function) == 8);
static_assert(sizeof(struct peerbuf_range) == 16);
static_assert(sizeof(struct peerbuf_verdict) == 48);
static_assert(offsetof(struct peerbuf_verdict, bus_offset) == 32);
static_assert(sizeof(struct peerbuf_version) == 16);
static_assert(sizeof(struct peerbuf_provider_info) == 24);
static_assert(sizeof(struct peerbuf_window_info) == 64);
static_assert(offsetof(struct peerbuf_window_info, bar_offset) == 24);
static_assert(sizeof(struct peerbuf_route_query) == 72);
static_assert(offsetof(struct peerbuf_route_query, verdict) == 24);
static_assert(sizeof(struct peerbuf_buffer_info) == 64);
static_assert(offsetof(struct peerbuf_buffer_info, id) == 24);
static_assert(offsetof(struct peerbuf_buffer_info, nr_ranges) == 48);
static_assert(offsetof(struct peerbuf_buffer_info, generation) == 56);
static_assert(sizeof(struct peerbuf_event) == 16);
static_assert(sizeof(struct peerbuf_watch) == 32);
static_assert(offsetof(struct peerbuf_watch, generation) == 24);
static_assert(sizeof(struct peerbuf_port_info) == 24);
static_assert(offsetof(struct peerbuf_port_info, acs_cap) == 14);
static_assert(sizeof(struct peerbuf_path_query) == 56);
static_assert(offsetof(struct peerbuf_path_query, host) == 32);
static_assert(sizeof(struct peerbuf_route_entry) == 56);
static_assert(offsetof(struct peerbuf_route_entry, verdict) == 8);
static_assert(sizeof(struct peerbuf_routes_query) == 32);
static_assert(offsetof(struct peerbuf_routes_query, routes) == 16);
static_assert(sizeof(struct peerbuf_export) == 48);
static_assert(offsetof(struct peerbuf_export, ranges) == 16);
static_assert(offsetof(struct peerbuf_export, id) == 40);
static_assert(sizeof(struct peerbuf_revoke) == 16);
static_assert(sizeof(struct peerbuf_pool_create) == 72);
static_assert(offsetof(struct peerbuf_pool_create, offset) == 16);
static_assert(offsetof(struct peerbuf_pool_create, quota) == 40);
static_assert(offsetof(struct peerbuf_pool_create, id) == 64);
static_assert(sizeof(struct peerbuf_pool_revoke) == 16);
static_assert(sizeof(struct peerbuf_buffer_entry) == 120);
static_assert(offsetof(struct peerbuf_buffer_entry, window) == 64);
static_assert(offsetof(struct peerbuf_buffer_entry, comm) == 104);
static_assert(sizeof(struct peerbuf_buffers_query) == 32);
static_assert(offsetof(struct peerbuf_buffers_query, nr_entries) == 16);
static_assert(sizeof(struct peerbuf_holder_entry) == 152);
static_assert(offsetof(struct peerbuf_holder_entry, since) == 120);
static_assert(offsetof(struct peerbuf_holder_entry, nr_maps) == 148);
static_assert(sizeof(struct peerbuf_holders_query) == 32);
static_assert(offsetof(struct peerbuf_holders_query, entries) == 16);
static_assert(sizeof(struct peerbuf_pool_info) == 88);
static_assert(offsetof(struct peerbuf_pool_info, offset) == 24);
static_assert(offsetof(struct peerbuf_pool_info, id) == 48);
static_assert(offsetof(struct peerbuf_pool_info, max_buffers) == 80);

static const struct peerbuf_ioctl *find_ioctl(const struct peerbuf_ioctl *table,
					      size_t nr, unsigned int cmd)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (table[i].cmd == cmd)
			return &table[i];

	return NULL;
}

static int read_arg(void *arg, const struct peerbuf_ioctl *op,
		    void __user *uarg, u32 *size)
{
	if (get_user(*size, (u32 __user *)uarg))
		return -EFAULT;
	if (*size < op->min_size)
		return -EINVAL;
	/* no point in scanning a tail that no future struct will have */
	if (*size > PAGE_SIZE)
		return -E2BIG;

	return copy_struct_from_user(arg, op->size, uarg, *size);
}

/* A descriptor exists once it is installed: nothing may fail after that. */
static void finish_call(const struct peerbuf_ioctl *op,
			struct peerbuf_call *call, bool success)
{
	if (!success && op->undo)
		op->undo(call);
	if (call->new_fd < 0)
		return;

	if (success) {
		fd_install(call->new_fd, call->new_file);
		return;
	}

	put_unused_fd(call->new_fd);
	fput(call->new_file);
}

/**
 * peerbuf_ioctl - answer a call by table
 * @file: where it came in
 * @cmd: the command
 * @arg: user address of the struct
 * @table: commands that this kind of file knows
 * @nr: entries of @table
 *
 * For every node of the house, those of importers too, so that all read their
 * arguments by the same rules: see the head of the UAPI header.
 *
 * Context: process, may sleep.
 *
 * Return: 0 or what the handler returns; -ENOTTY, -EACCES, -EINVAL, -E2BIG and
 * -EFAULT as the UAPI header describes.
 */
long peerbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		   const struct peerbuf_ioctl *table, size_t nr)
{
	const struct peerbuf_ioctl *op = find_ioctl(table, nr, cmd);
	u64 copy[PEERBUF_MAX_ARG / sizeof(u64)] = {};
	u64 given[PEERBUF_MAX_ARG / sizeof(u64)];
	void __user *uarg = (void __user *)arg;
	struct peerbuf_call call = {
		.file = file,
		.arg = copy,
		.uarg = uarg,
		.new_fd = -1,
	};
	u32 size;
	int ret;

	if (!op)
		return -ENOTTY;
	if (op->write && !(file->f_mode & FMODE_WRITE))
		return -EACCES;

	ret = read_arg(copy, op, uarg, &size);
	if (ret)
		return ret;

	/* it was read twice, and the user's memory may have changed in between */
	*(u32 *)call.arg = size;
	memcpy(given, copy, sizeof(given));

	ret = op->handler(&call);
	if (ret)
		return ret;

	/* what has no results cannot be undone, and so must not fail now */
	if (memcmp(copy, given, op->size) &&
	    copy_to_user(uarg, call.arg, min(size, op->size)))
		ret = -EFAULT;
	finish_call(op, &call, !ret);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(peerbuf_ioctl, "PEERBUF");
