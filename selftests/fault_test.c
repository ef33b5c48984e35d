// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure (lib/sweep.h) of every call of peerbuf, and of every operation of
 * a dma-buf. Those of the importers are in fault_importers_test.c.
 *
 * A kernel mapping (vmap) is not among the operations: dma_buf_vmap() of 7.3
 * warns of every error of an exporter.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sys/mman.h>

#include "sweep.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		(4 * PAGE)
#define POOL_OFFSET	MIB(8)
#define POOL_LENGTH	MIB(1)
#define NEW_POOL	MIB(32)
#define PATIENCE_MS	10000	/* a second, on a busy machine */
#define TIMEOUT		300

/* What operations work on, made anew for each run of one. */
struct scene {
	struct pb_device provider;
	struct pb_device importer;
	int control;
	int node;
	int pool;
	int new_pool;
	int test;
	int dmabuf;
	__u64 id;
	unsigned int handle;
	int fence;
	char *memory;
};

static void close_fd(struct scene *scene, int fd)
{
	(void)scene;
	close(fd);
}

/* Before and after */

static void buffer_of_node(struct scene *scene)
{
	scene->dmabuf = must(pb_export_at(scene->node,
					  PEERBUF_EXPORT_ALLOW_PINNED, MIB(4),
					  LENGTH, &scene->id));
}

static void buffer_of_pool(struct scene *scene)
{
	scene->dmabuf = must(pb_alloc(scene->pool, LENGTH, &scene->id));
}

static void close_buffer(struct scene *scene)
{
	close(scene->dmabuf);
}

static void attach(struct scene *scene)
{
	scene->test = must(pb_open_test());
	must(pb_test_attach(scene->test, scene->dmabuf, &scene->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &scene->handle));
}

static void buffer_attached(struct scene *scene)
{
	buffer_of_node(scene);
	attach(scene);
}

static void map_both(struct scene *scene)
{
	attach(scene);
	must(pb_test_call(scene->test, PEERBUF_TEST_MAP, scene->handle));
	scene->memory = pb_map(scene->dmabuf, 0, LENGTH, RW);
	if (pb_touch(scene->memory, true))
		fail("the mapping cannot be used");
}

static void buffer_in_use(struct scene *scene)
{
	buffer_of_node(scene);
	map_both(scene);
}

static void pool_in_use(struct scene *scene)
{
	buffer_of_pool(scene);
	map_both(scene);
}

static void detach(struct scene *scene)
{
	close(scene->test);
	close(scene->dmabuf);
}

static void end_use(struct scene *scene)
{
	munmap(scene->memory, LENGTH);
	detach(scene);
}

static void buffer_with_file(struct scene *scene)
{
	buffer_of_node(scene);
	scene->test = must(pb_open_test());
}

static void buffer_mapped(struct scene *scene)
{
	buffer_of_node(scene);
	scene->memory = pb_map(scene->dmabuf, 0, LENGTH, RW);
}

static void unmap_buffer(struct scene *scene)
{
	munmap(scene->memory, LENGTH);
	close(scene->dmabuf);
}

/* Calls on control */

static int open_control(struct scene *scene)
{
	(void)scene;
	return pb_open_control();
}

static int version(struct scene *scene)
{
	struct peerbuf_version arg = { .size = sizeof(arg) };

	return pb_ioctl(scene->control, PEERBUF_IOC_VERSION, &arg);
}

static int provider(struct scene *scene)
{
	struct peerbuf_provider_info info;

	return pb_provider_info(&scene->provider, &info);
}

static int window(struct scene *scene)
{
	struct peerbuf_window_info info;

	return pb_window(&scene->provider, 0, &info);
}

static int route(struct scene *scene)
{
	struct peerbuf_verdict verdict;

	return pb_route(&scene->provider.function, &scene->importer.function,
			&verdict);
}

static int buffer(struct scene *scene)
{
	struct peerbuf_buffer_info info;
	struct peerbuf_range range;

	return pb_buffer(scene->dmabuf, &info, &range, 1);
}

static int path(struct scene *scene)
{
	struct peerbuf_port_info ports[8];
	struct peerbuf_path_query arg = {
		.size = sizeof(arg),
		.function = scene->provider.function,
		.ports = (uintptr_t)ports,
		.nr_ports = ARRAY_SIZE(ports),
	};

	return pb_ioctl(scene->control, PEERBUF_IOC_PATH, &arg);
}

static int routes(struct scene *scene)
{
	struct peerbuf_route_entry entries[3];
	int ret = pb_routes(&scene->provider.function, entries,
			    ARRAY_SIZE(entries));

	return ret < 0 ? ret : 0;
}

static int watch(struct scene *scene)
{
	struct peerbuf_watch arg;

	return pb_watch_buffer(scene->dmabuf, O_CLOEXEC, &arg);
}

/* Calls on node and pool */

static int open_node(struct scene *scene)
{
	return pb_open_node(&scene->provider, O_RDWR);
}

static int export_from_node(struct scene *scene)
{
	const struct peerbuf_range ranges[] = {
		{ MIB(16), PAGE }, { MIB(17), 2 * PAGE }, { MIB(18), PAGE },
	};

	return pb_export_ranges(scene->node, 0, ranges, ARRAY_SIZE(ranges), 0,
				NULL);
}

static int export_from_pool(struct scene *scene)
{
	const struct peerbuf_range ranges[] = {
		{ PEERBUF_OFFSET_ANY, PAGE }, { KIB(512), 2 * PAGE },
		{ PEERBUF_OFFSET_ANY, PAGE },
	};

	return pb_export_ranges(scene->pool, 0, ranges, ARRAY_SIZE(ranges),
				2 * PAGE, NULL);
}

static int revoke_by_node(struct scene *scene)
{
	return pb_revoke(scene->node, scene->id, 0);
}

static int revoke_by_pool(struct scene *scene)
{
	return pb_revoke(scene->pool, scene->id, 0);
}

static int create_pool(struct scene *scene)
{
	return pb_pool(scene->node, NEW_POOL, POOL_LENGTH);
}

static int pool_info(struct scene *scene)
{
	struct peerbuf_pool_info info;

	return pb_pool_info(scene->pool, &info);
}

/* A pool of its own, whose only buffer is in use when it closes. */
static void new_pool_in_use(struct scene *scene)
{
	scene->new_pool = must(create_pool(scene));
	scene->dmabuf = must(pb_alloc(scene->new_pool, LENGTH, &scene->id));
	map_both(scene);
}

static int close_pool(struct scene *scene)
{
	return close(scene->new_pool) ? -errno : 0;
}

static int revoke_new_pool(struct scene *scene)
{
	return pb_pool_revoke(scene->node, scene->id, 0);
}

/* Likewise, known by its number. */
static void new_pool_to_revoke(struct scene *scene)
{
	struct peerbuf_pool_info info;

	new_pool_in_use(scene);
	must(pb_pool_info(scene->new_pool, &info));
	scene->id = info.id;
}

static void end_new_pool(struct scene *scene)
{
	close(scene->new_pool);
	end_use(scene);
}

static int list_buffers(struct scene *scene)
{
	struct peerbuf_buffer_entry entries[4];
	int ret = pb_buffers(scene->node, entries, ARRAY_SIZE(entries));

	return ret < 0 ? ret : 0;
}

static int list_holders(struct scene *scene)
{
	struct peerbuf_holder_entry entries[4];
	int ret = pb_holders(scene->node, scene->id, entries,
			     ARRAY_SIZE(entries));

	return ret < 0 ? ret : 0;
}

/* A pool of its own, in which something was written. */
static void new_pool_used(struct scene *scene)
{
	int dmabuf;

	scene->new_pool = must(create_pool(scene));
	dmabuf = must(pb_alloc(scene->new_pool, LENGTH, NULL));
	pb_write_buffer(dmabuf, 0, LENGTH, 1);
	close(dmabuf);
}

/*
 * What was in a pool is not for whoever exports its memory next, and where it
 * could not be cleared at once, nobody exports it before it is.
 */
static void expect_cleared(struct scene *scene)
{
	__u64 deadline = pb_now_ms() + PATIENCE_MS;
	char *memory;
	int dmabuf;

	do {
		dmabuf = pb_export_at(scene->node, 0, NEW_POOL, LENGTH, NULL);
	} while (dmabuf == -EBUSY && pb_now_ms() < deadline);
	must(dmabuf);
	memory = pb_map(dmabuf, 0, LENGTH, PROT_READ);
	if (!pb_is_zero(memory, LENGTH))
		fail("what a closed pool held can be seen");
	munmap(memory, LENGTH);
	close(dmabuf);
}

static int close_dmabuf(struct scene *scene)
{
	return close(scene->dmabuf) ? -errno : 0;
}

/* Operations of a dma-buf, by the calls of a process and by an importer */

static int attach_importer(struct scene *scene)
{
	return pb_test_attach(scene->test, scene->dmabuf, &scene->importer,
			      PEERBUF_TEST_REVOCABLE, 0, &scene->handle);
}

/* Where the copy of the handle failed, only the file still knows it. */
static void close_test(struct scene *scene)
{
	detach(scene);
}

static int map_importer(struct scene *scene)
{
	return pb_test_call(scene->test, PEERBUF_TEST_MAP, scene->handle);
}

static void unmap_importer(struct scene *scene, int ret)
{
	(void)ret;
	must(pb_test_call(scene->test, PEERBUF_TEST_UNMAP, scene->handle));
}

static int pin_importer(struct scene *scene)
{
	return pb_test_call(scene->test, PEERBUF_TEST_PIN, scene->handle);
}

static void unpin_importer(struct scene *scene, int ret)
{
	(void)ret;
	must(pb_test_call(scene->test, PEERBUF_TEST_UNPIN, scene->handle));
}

static int map_cpu(struct scene *scene)
{
	scene->memory = mmap(NULL, LENGTH, RW, MAP_SHARED, scene->dmabuf, 0);
	return scene->memory == MAP_FAILED ? -errno : 0;
}

static void unmap_cpu(struct scene *scene, int ret)
{
	(void)ret;
	munmap(scene->memory, LENGTH);
}

/* The kernel tries a fault again that found no memory. */
static int fault(struct scene *scene)
{
	return pb_touch(scene->memory, true) ? -EFAULT : 0;
}

static int split_mapping(struct scene *scene)
{
	return mprotect(scene->memory + PAGE, PAGE, PROT_READ) ? -errno : 0;
}

static int sync_start(struct scene *scene)
{
	return pb_sync(scene->dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);
}

static int set_name(struct scene *scene)
{
	return pb_ioctl(scene->dmabuf, DMA_BUF_SET_NAME_B, "fault_test");
}

static int export_fence(struct scene *scene)
{
	struct dma_buf_export_sync_file arg = {
		.flags = DMA_BUF_SYNC_RW,
		.fd = -1,
	};
	int ret = pb_ioctl(scene->dmabuf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret ?: arg.fd;
}

static int import_fence(struct scene *scene)
{
	struct dma_buf_import_sync_file arg = {
		.flags = DMA_BUF_SYNC_WRITE,
		.fd = scene->fence,
	};

	return pb_ioctl(scene->dmabuf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

static void buffer_and_fence(struct scene *scene)
{
	buffer_of_node(scene);
	scene->fence = must(export_fence(scene));
}

static void close_both(struct scene *scene)
{
	close(scene->fence);
	close(scene->dmabuf);
}

static int wait_for_fences(struct scene *scene)
{
	struct pollfd pollfd = { .fd = scene->dmabuf, .events = POLLOUT };

	return poll(&pollfd, 1, 1000) < 0 ? -errno : 0;
}

static int read_fdinfo(struct scene *scene)
{
	char name[64], text[1024];
	int fd, ret = 0;

	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", scene->dmabuf);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static const struct pb_operation control_operations[] = {
	{ "open", .run = open_control, .undo = close_fd, .least = 2 },
	{ "VERSION", .run = version, .least = 2 },
	{ "PROVIDER", .run = provider, .least = 2 },
	{ "WINDOW", .run = window, .least = 2 },
	{ "ROUTE", .run = route, .least = 3 },
	{ "BUFFER", buffer_of_node, buffer, .clean = close_buffer, .least = 3 },
	{ "PATH", .run = path, .least = 4 },
	{ "ROUTES", .run = routes, .least = 5 },
	{ "WATCH", buffer_of_node, watch, close_fd, close_buffer, .least = 4 },
};

static const struct pb_operation node_operations[] = {
	{ "open", .run = open_node, .undo = close_fd, .least = 2 },
	{ "EXPORT", .run = export_from_node, .undo = close_fd, .least = 6 },
	{ "REVOKE", buffer_in_use, revoke_by_node, .clean = end_use,
	  .least = 1 },
	{ "POOL_CREATE", .run = create_pool, .undo = close_fd, .least = 6 },
	{ "POOL_REVOKE", new_pool_to_revoke, revoke_new_pool,
	  .clean = end_new_pool, .least = 1 },
	{ "BUFFERS", buffer_in_use, list_buffers, .clean = end_use, .least = 3 },
	{ "HOLDERS", buffer_in_use, list_holders, .clean = end_use, .least = 3 },
};

static const struct pb_operation pool_operations[] = {
	{ "EXPORT", .run = export_from_pool, .undo = close_fd, .least = 6 },
	{ "REVOKE", pool_in_use, revoke_by_pool, .clean = end_use, .least = 1 },
	{ "POOL_INFO", .run = pool_info, .least = 2 },
	{ "close in use", new_pool_in_use, close_pool, .clean = end_use,
	  .must = true },
	{ "close", new_pool_used, close_pool, .clean = expect_cleared,
	  .least = 1, .must = true },
};

static const struct pb_operation dmabuf_operations[] = {
	{ "attach", buffer_with_file, attach_importer, .clean = close_test,
	  .least = 5, .until_clean = true },
	{ "map", buffer_attached, map_importer, unmap_importer, detach,
	  .least = 3, .errors = { EIO } },
	{ "pin", buffer_attached, pin_importer, unpin_importer, detach,
	  .least = 1 },
	{ "mmap", buffer_of_node, map_cpu, unmap_cpu, close_buffer,
	  .least = 1 },
	{ "fault", buffer_mapped, fault, .clean = unmap_buffer, .least = 1,
	  .must = true },
	{ "mprotect", buffer_mapped, split_mapping, .clean = unmap_buffer,
	  .least = 1 },
	{ "SYNC", buffer_of_node, sync_start, .clean = close_buffer,
	  .least = 1 },
	{ "SET_NAME", buffer_of_node, set_name, .clean = close_buffer,
	  .least = 2 },
	{ "EXPORT_SYNC_FILE", buffer_of_node, export_fence, close_fd,
	  close_buffer, .least = 3 },
	{ "IMPORT_SYNC_FILE", buffer_and_fence, import_fence,
	  .clean = close_both, .least = 2 },
	{ "poll", buffer_of_node, wait_for_fences, .clean = close_buffer,
	  .least = 1 },
	{ "fdinfo", buffer_of_node, read_fdinfo, .clean = close_buffer,
	  .least = 3 },
	{ "close", buffer_of_pool, close_dmabuf, .must = true },
};

static const struct {
	const struct pb_operation *operations;
	size_t nr;
} tables[] = {
	{ control_operations, ARRAY_SIZE(control_operations) },
	{ node_operations, ARRAY_SIZE(node_operations) },
	{ pool_operations, ARRAY_SIZE(pool_operations) },
	{ dmabuf_operations, ARRAY_SIZE(dmabuf_operations) },
};

FIXTURE(fault) {
	struct scene scene;
	struct pb_sweep sweep;
};

FIXTURE_VARIANT(fault) {
	unsigned int table;
};

FIXTURE_VARIANT_ADD(fault, control) { .table = 0 };
FIXTURE_VARIANT_ADD(fault, node) { .table = 1 };
FIXTURE_VARIANT_ADD(fault, pool) { .table = 2 };
FIXTURE_VARIANT_ADD(fault, dmabuf) { .table = 3 };

FIXTURE_SETUP(fault)
{
	struct scene *scene = &self->scene;

	scene->provider = pb_provider(0);
	scene->importer = pb_usable_importer(&scene->provider);
	scene->control = must(pb_open_control());
	scene->node = must(pb_open_node(&scene->provider, O_RDWR));
	scene->pool = must(pb_pool(scene->node, POOL_OFFSET, POOL_LENGTH));
	pb_sweep_begin(&self->sweep, scene, &scene->provider, scene->pool);
}

FIXTURE_TEARDOWN(fault)
{
	pb_sweep_end(&self->sweep);
	close(self->scene.pool);
	close(self->scene.node);
	close(self->scene.control);
}

TEST_F_TIMEOUT(fault, every_failure, TIMEOUT)
{
	EXPECT_TRUE(pb_sweep_all(&self->sweep,
				 tables[variant->table].operations,
				 tables[variant->table].nr));
}

TEST_HARNESS_MAIN
