// SPDX-License-Identifier: MIT
/* The calls of <linux/peerbuf.h>, one function each. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

/* A larger struct than this has an unset size, not a future one. */
#define MAX_STRUCT 4096

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * Clear all of the caller's struct but its size, which may be that of another
 * version of the header than ours. @least is how far the library writes itself.
 */
static int prepare(void *arg, size_t least)
{
	__u32 size;

	memcpy(&size, arg, sizeof(size));
	if (size < least)
		return -EINVAL;
	if (size > MAX_STRUCT)
		return -E2BIG;
	memset((char *)arg + sizeof(size), 0, size - sizeof(size));
	return 0;
}

int peerbuf_open_control(void)
{
	return open_file(PEERBUF_CONTROL_PATH, O_RDONLY);
}

int peerbuf_open_node(const struct peerbuf_function *provider, int flags)
{
	char path[sizeof(PEERBUF_DEV_DIR) + PEERBUF_FUNCTION_LEN] = PEERBUF_DEV_DIR "/";

	peerbuf_format_function(provider, path + sizeof(PEERBUF_DEV_DIR),
				PEERBUF_FUNCTION_LEN);
	return open_file(path, flags);
}

int peerbuf_get_version(int control, struct peerbuf_version *version)
{
	int err = prepare(version, sizeof(version->size));

	return err ? err : call(control, PEERBUF_IOC_VERSION, version);
}

int peerbuf_get_provider(int control, const struct peerbuf_function *provider,
			 struct peerbuf_provider_info *info)
{
	int err = prepare(info, offsetof(struct peerbuf_provider_info, nr_windows));

	if (err)
		return err;
	info->provider = *provider;
	return call(control, PEERBUF_IOC_PROVIDER, info);
}

int peerbuf_get_window(int control, const struct peerbuf_function *provider,
		       __u32 index, struct peerbuf_window_info *info)
{
	int err = prepare(info, offsetof(struct peerbuf_window_info, flags));

	if (err)
		return err;
	info->index = index;
	info->provider = *provider;
	return call(control, PEERBUF_IOC_WINDOW, info);
}

int peerbuf_query_route(int control, const struct peerbuf_function *provider,
			const struct peerbuf_function *importer,
			struct peerbuf_route_query *query)
{
	int err = prepare(query, offsetof(struct peerbuf_route_query, verdict));

	if (err)
		return err;
	query->provider = *provider;
	query->importer = *importer;
	return call(control, PEERBUF_IOC_ROUTE, query);
}

int peerbuf_query_routes(int control, const struct peerbuf_function *provider,
			 struct peerbuf_routes_query *query,
			 struct peerbuf_route_entry *routes, __u32 nr_routes)
{
	int err = prepare(query, offsetof(struct peerbuf_routes_query, reserved));

	if (err)
		return err;
	query->provider = *provider;
	query->routes = (uintptr_t)routes;
	query->nr_routes = nr_routes;
	return call(control, PEERBUF_IOC_ROUTES, query);
}

int peerbuf_path(int control, const struct peerbuf_function *function,
		 struct peerbuf_path_query *query,
		 struct peerbuf_port_info *ports, __u32 nr_ports)
{
	int err = prepare(query, offsetof(struct peerbuf_path_query, host));

	if (err)
		return err;
	query->function = *function;
	query->ports = (uintptr_t)ports;
	query->nr_ports = nr_ports;
	return call(control, PEERBUF_IOC_PATH, query);
}

int peerbuf_get_buffer(int control, int dmabuf, struct peerbuf_buffer_info *info,
		       struct peerbuf_range *ranges, __u32 nr_ranges)
{
	int err = prepare(info, offsetof(struct peerbuf_buffer_info, reserved));

	if (err)
		return err;
	info->fd = dmabuf;
	info->ranges = (uintptr_t)ranges;
	info->nr_ranges = ranges ? nr_ranges : 0;
	return call(control, PEERBUF_IOC_BUFFER, info);
}

int peerbuf_watch_buffer(int control, int dmabuf, int open_flags,
			 struct peerbuf_watch *watch)
{
	int err = prepare(watch, offsetof(struct peerbuf_watch, generation) +
				 sizeof(watch->generation));

	if (err)
		return err;
	watch->fd = dmabuf;
	watch->open_flags = open_flags;
	err = call(control, PEERBUF_IOC_WATCH, watch);
	return err ? err : watch->watch;
}

int peerbuf_read_watch(int watch, struct peerbuf_event *event)
{
	ssize_t got = read(watch, event, sizeof(*event));

	if (got < 0)
		return -errno;
	return got == sizeof(*event);
}

int peerbuf_export_ranges(int fd, struct peerbuf_export *args,
			  const struct peerbuf_range *ranges, __u32 nr_ranges)
{
	int err;

	if (args->size < offsetof(struct peerbuf_export, id) + sizeof(args->id))
		return -EINVAL;
	args->ranges = (uintptr_t)ranges;
	args->nr_ranges = nr_ranges;
	err = call(fd, PEERBUF_IOC_EXPORT, args);
	return err ? err : args->fd;
}

static int export_one(int fd, struct peerbuf_export *export, __u64 offset,
		      __u64 length, __u64 *id)
{
	struct peerbuf_range range = { .offset = offset, .length = length };
	int dmabuf;

	export->size = sizeof(*export);
	export->open_flags = O_CLOEXEC;
	export->open_flags |= export->flags & PEERBUF_EXPORT_READ_ONLY ? O_RDONLY : O_RDWR;
	dmabuf = peerbuf_export_ranges(fd, export, &range, 1);
	if (dmabuf >= 0 && id)
		*id = export->id;
	return dmabuf;
}

int peerbuf_export_fixed(int node, __u32 window, __u64 offset, __u64 length,
			 __u32 flags, __u64 *id)
{
	struct peerbuf_export export = { .flags = flags, .window = window };

	return export_one(node, &export, offset, length, id);
}

int peerbuf_export_pooled(int pool, __u64 length, __u64 align, __u32 flags,
			  __u64 *id)
{
	struct peerbuf_export export = { .flags = flags, .align = align };

	return export_one(pool, &export, PEERBUF_OFFSET_ANY, length, id);
}

int peerbuf_revoke_buffer(int fd, __u64 id, __u32 flags)
{
	struct peerbuf_revoke revoke = {
		.size = sizeof(revoke),
		.flags = flags,
		.id = id,
	};

	return call(fd, PEERBUF_IOC_REVOKE, &revoke);
}

int peerbuf_create_limited_pool(int node, struct peerbuf_pool_create *args)
{
	int err;

	if (args->size < offsetof(struct peerbuf_pool_create, reserved))
		return -EINVAL;
	err = call(node, PEERBUF_IOC_POOL_CREATE, args);
	return err ? err : args->fd;
}

/* The first version of the struct will do, for kernels that know no other. */
int peerbuf_create_pool(int node, __u32 window, __u64 offset, __u64 length)
{
	struct peerbuf_pool_create pool = {
		.size = offsetof(struct peerbuf_pool_create, quota),
		.window = window,
		.open_flags = O_CLOEXEC,
		.offset = offset,
		.length = length,
	};

	return peerbuf_create_limited_pool(node, &pool);
}

int peerbuf_revoke_pool(int node, __u64 id, __u32 flags)
{
	struct peerbuf_pool_revoke revoke = {
		.size = sizeof(revoke),
		.flags = flags,
		.id = id,
	};

	return call(node, PEERBUF_IOC_POOL_REVOKE, &revoke);
}

int peerbuf_get_pool(int pool, struct peerbuf_pool_info *info)
{
	int err = prepare(info, sizeof(info->size));

	return err ? err : call(pool, PEERBUF_IOC_POOL_INFO, info);
}

int peerbuf_list_buffers(int node, struct peerbuf_buffers_query *query,
			 struct peerbuf_buffer_entry *entries, __u32 nr_entries)
{
	__u32 entry_size;
	int err;

	if (query->size < offsetof(struct peerbuf_buffers_query, longest_revoke_ns))
		return -EINVAL;
	entry_size = query->entry_size;
	err = prepare(query, sizeof(query->size));
	if (err)
		return err;
	query->entries = (uintptr_t)entries;
	query->nr_entries = nr_entries;
	query->entry_size = entry_size;
	return call(node, PEERBUF_IOC_BUFFERS, query);
}

int peerbuf_list_holders(int node, __u64 id, struct peerbuf_holders_query *query,
			 struct peerbuf_holder_entry *entries, __u32 nr_entries)
{
	__u32 entry_size;
	int err;

	if (query->size < sizeof(*query))
		return -EINVAL;
	entry_size = query->entry_size;
	err = prepare(query, sizeof(query->size));
	if (err)
		return err;
	query->id = id;
	query->entries = (uintptr_t)entries;
	query->nr_entries = nr_entries;
	query->entry_size = entry_size;
	return call(node, PEERBUF_IOC_HOLDERS, query);
}
