// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of peerbuf and peerbuf_edu, one short function each. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "peerbuf_lib.h"

/* pb_ioctl() - ioctl(2). Return: what it returns, or a negative errno. */
int pb_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int open_path(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* pb_open_control() - Return: a descriptor or a negative errno. */
int pb_open_control(void)
{
	return open_path("/dev/peerbuf/control", O_RDWR);
}

/* pb_open_node() - Return: a descriptor or a negative errno. */
int pb_open_node(const struct pb_device *provider, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/peerbuf/%s", provider->name);
	return open_path(path, flags);
}

/* pb_open_edu() - Return: a descriptor or a negative errno. */
int pb_open_edu(const struct pb_device *importer)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/peerbuf/edu-%s", importer->name);
	return open_path(path, O_RDWR);
}

static int control_call(unsigned long cmd, void *arg)
{
	static int control = -1;

	if (control < 0)
		control = must(pb_open_control());
	return pb_ioctl(control, cmd, arg);
}

/* pb_window() - PEERBUF_IOC_WINDOW. Return: 0 or a negative errno. */
int pb_window(const struct pb_device *provider, unsigned int index,
	      struct peerbuf_window_info *info)
{
	*info = (struct peerbuf_window_info){
		.size = sizeof(*info),
		.index = index,
		.provider = provider->function,
	};
	return control_call(PEERBUF_IOC_WINDOW, info);
}

/* pb_provider_info() - PEERBUF_IOC_PROVIDER. Return: 0 or a negative errno. */
int pb_provider_info(const struct pb_device *provider,
		     struct peerbuf_provider_info *info)
{
	*info = (struct peerbuf_provider_info){
		.size = sizeof(*info),
		.provider = provider->function,
	};
	return control_call(PEERBUF_IOC_PROVIDER, info);
}

/* pb_route() - PEERBUF_IOC_ROUTE. Return: 0 or a negative errno. */
int pb_route(const struct peerbuf_function *provider,
	     const struct peerbuf_function *importer,
	     struct peerbuf_verdict *verdict)
{
	struct peerbuf_route_query query = {
		.size = sizeof(query),
		.provider = *provider,
		.importer = *importer,
	};
	int ret = control_call(PEERBUF_IOC_ROUTE, &query);

	*verdict = query.verdict;
	return ret;
}

/**
 * pb_routes() - PEERBUF_IOC_ROUTES
 * @provider: whose memory
 * @entries: room for @room of them
 * @room: entries
 *
 * Return: how many functions there are, or a negative errno.
 */
int pb_routes(const struct peerbuf_function *provider,
	      struct peerbuf_route_entry *entries, unsigned int room)
{
	struct peerbuf_routes_query query = {
		.size = sizeof(query),
		.provider = *provider,
		.routes = (uintptr_t)entries,
		.nr_routes = room,
	};
	int ret = control_call(PEERBUF_IOC_ROUTES, &query);

	return ret ? ret : (int)query.nr_routes;
}

/**
 * pb_buffer() - PEERBUF_IOC_BUFFER
 * @dmabuf: what is asked about
 * @info: the answer
 * @ranges: room for @nr ranges, or NULL
 * @nr: room
 *
 * Return: 0 or a negative errno.
 */
int pb_buffer(int dmabuf, struct peerbuf_buffer_info *info,
	      struct peerbuf_range *ranges, unsigned int nr)
{
	*info = (struct peerbuf_buffer_info){
		.size = sizeof(*info),
		.fd = dmabuf,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = nr,
	};
	return control_call(PEERBUF_IOC_BUFFER, info);
}

static int export(int fd, struct peerbuf_export *arg, __u64 *id)
{
	int ret;

	arg->size = sizeof(*arg);
	ret = pb_ioctl(fd, PEERBUF_IOC_EXPORT, arg);
	if (ret)
		return ret;
	if (id)
		*id = arg->id;
	return arg->fd;
}

/**
 * pb_export_ranges() - PEERBUF_IOC_EXPORT
 * @fd: node or pool
 * @flags: PEERBUF_EXPORT_*
 * @ranges: of the buffer
 * @nr: number of @ranges
 * @align: of the bus address
 * @id: the buffer's number, or NULL
 *
 * Return: the dma-buf or a negative errno.
 */
int pb_export_ranges(int fd, unsigned int flags,
		     const struct peerbuf_range *ranges, unsigned int nr,
		     __u64 align, __u64 *id)
{
	struct peerbuf_export arg = {
		.flags = flags,
		.nr_ranges = nr,
		.ranges = (uintptr_t)ranges,
		.align = align,
		.open_flags = O_RDWR | O_CLOEXEC,
	};

	return export(fd, &arg, id);
}

/* pb_export_at() - one range of window 0. Return: dma-buf or negative errno. */
int pb_export_at(int node, unsigned int flags, __u64 offset,
		 __u64 length, __u64 *id)
{
	struct peerbuf_range range = { offset, length };

	return pb_export_ranges(node, flags, &range, 1, 0, id);
}

/* pb_alloc() - anywhere in a pool. Return: the dma-buf or a negative errno. */
int pb_alloc(int pool, __u64 length, __u64 *id)
{
	return pb_export_at(pool, 0, PEERBUF_OFFSET_ANY, length, id);
}

/* pb_export_mode() - with open flags. Return: dma-buf or a negative errno. */
int pb_export_mode(int node, unsigned int open_flags, __u64 offset,
		   __u64 length)
{
	struct peerbuf_range range = { offset, length };
	struct peerbuf_export arg = {
		.nr_ranges = 1,
		.ranges = (uintptr_t)&range,
		.open_flags = open_flags,
	};

	return export(node, &arg, NULL);
}

/* pb_export_read_only() - one range. Return: dma-buf or a negative errno. */
int pb_export_read_only(int fd, unsigned int flags, __u64 offset,
			__u64 length, __u64 *id)
{
	struct peerbuf_range range = { offset, length };
	struct peerbuf_export arg = {
		.flags = flags | PEERBUF_EXPORT_READ_ONLY,
		.nr_ranges = 1,
		.ranges = (uintptr_t)&range,
		.open_flags = O_RDONLY | O_CLOEXEC,
	};

	return export(fd, &arg, id);
}

/* pb_revoke() - PEERBUF_IOC_REVOKE. Return: 0 or a negative errno. */
int pb_revoke(int fd, __u64 id, unsigned int flags)
{
	struct peerbuf_revoke arg = {
		.size = sizeof(arg),
		.flags = flags,
		.id = id,
	};

	return pb_ioctl(fd, PEERBUF_IOC_REVOKE, &arg);
}

/* pb_pool() - part of window 0. Return: the pool or a negative errno. */
int pb_pool(int node, __u64 offset, __u64 length)
{
	struct peerbuf_pool_create arg = {
		.size = sizeof(arg),
		.open_flags = O_CLOEXEC,
		.offset = offset,
		.length = length,
	};
	int ret = pb_ioctl(node, PEERBUF_IOC_POOL_CREATE, &arg);

	return ret ?: arg.fd;
}

/**
 * pb_pool_limited() - PEERBUF_IOC_POOL_CREATE with limits
 * @node: of the provider
 * @arg: in: everything but the size; out: the number
 *
 * Return: the pool or a negative errno.
 */
int pb_pool_limited(int node, struct peerbuf_pool_create *arg)
{
	int ret;

	arg->size = sizeof(*arg);
	arg->open_flags = O_CLOEXEC;
	ret = pb_ioctl(node, PEERBUF_IOC_POOL_CREATE, arg);
	return ret ?: arg->fd;
}

/* pb_pool_revoke() - PEERBUF_IOC_POOL_REVOKE. Return: 0 or negative errno. */
int pb_pool_revoke(int node, __u64 id, unsigned int flags)
{
	struct peerbuf_pool_revoke arg = {
		.size = sizeof(arg),
		.flags = flags,
		.id = id,
	};

	return pb_ioctl(node, PEERBUF_IOC_POOL_REVOKE, &arg);
}

/* pb_pool_info() - PEERBUF_IOC_POOL_INFO. Return: 0 or a negative errno. */
int pb_pool_info(int pool, struct peerbuf_pool_info *info)
{
	*info = (struct peerbuf_pool_info){ .size = sizeof(*info) };
	return pb_ioctl(pool, PEERBUF_IOC_POOL_INFO, info);
}

/**
 * pb_watch_buffer() - PEERBUF_IOC_WATCH
 * @dmabuf: what to watch
 * @open_flags: O_CLOEXEC and O_NONBLOCK, or 0
 * @watch: the whole answer, or NULL
 *
 * Return: the watch or a negative errno.
 */
int pb_watch_buffer(int dmabuf, unsigned int open_flags,
		    struct peerbuf_watch *watch)
{
	struct peerbuf_watch arg = {
		.size = sizeof(arg),
		.fd = dmabuf,
		.open_flags = open_flags,
	};
	int ret = control_call(PEERBUF_IOC_WATCH, &arg);

	if (watch)
		*watch = arg;
	return ret ?: arg.watch;
}

/* pb_watch_read() - read(2). Return: bytes or a negative errno. */
int pb_watch_read(int watch, struct peerbuf_event *event)
{
	int ret = read(watch, event, sizeof(*event));

	return ret < 0 ? -errno : ret;
}

/* pb_generation() - Return: the generation of a buffer. */
__u64 pb_generation(int dmabuf)
{
	struct peerbuf_buffer_info info;

	must(pb_buffer(dmabuf, &info, NULL, 0));
	return info.generation;
}

static int import(int edu, int dmabuf, unsigned int flags, unsigned int *handle)
{
	struct peerbuf_edu_import arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = dmabuf,
	};
	int ret = pb_ioctl(edu, PEERBUF_EDU_IOC_IMPORT, &arg);

	*handle = arg.handle;
	return ret;
}

/* pb_import() - PEERBUF_EDU_IOC_IMPORT. Return: 0 or a negative errno. */
int pb_import(int edu, int dmabuf, unsigned int *handle)
{
	return import(edu, dmabuf, 0, handle);
}

/* pb_import_read() - to read only. Return: 0 or a negative errno. */
int pb_import_read(int edu, int dmabuf, unsigned int *handle)
{
	return import(edu, dmabuf, PEERBUF_EDU_IMPORT_READ, handle);
}

/* pb_release() - PEERBUF_EDU_IOC_RELEASE. Return: 0 or a negative errno. */
int pb_release(int edu, unsigned int handle)
{
	struct peerbuf_edu_release arg = {
		.size = sizeof(arg),
		.handle = handle,
	};

	return pb_ioctl(edu, PEERBUF_EDU_IOC_RELEASE, &arg);
}

/* pb_copy() - PEERBUF_EDU_IOC_COPY. Return: 0 or a negative errno. */
int pb_copy(int edu, unsigned int handle, unsigned int direction,
	    __u64 offset, unsigned int engine_offset, unsigned int length)
{
	struct peerbuf_edu_copy arg = {
		.size = sizeof(arg),
		.handle = handle,
		.direction = direction,
		.length = length,
		.offset = offset,
		.engine_offset = engine_offset,
	};

	return pb_ioctl(edu, PEERBUF_EDU_IOC_COPY, &arg);
}

/* pb_address() - PEERBUF_EDU_IOC_ADDRESS. Return: 0 or a negative errno. */
int pb_address(int edu, unsigned int handle, __u64 offset,
	       __u64 *address, __u64 *contiguous)
{
	struct peerbuf_edu_address arg = {
		.size = sizeof(arg),
		.handle = handle,
		.offset = offset,
	};
	int ret = pb_ioctl(edu, PEERBUF_EDU_IOC_ADDRESS, &arg);

	*address = arg.address;
	*contiguous = arg.contiguous;
	return ret;
}
