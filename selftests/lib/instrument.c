// SPDX-License-Identifier: GPL-2.0-only
/* /dev/peerbuf_test: importers of every class, the oracle, page tables. */
#include <errno.h>
#include <fcntl.h>

#include "peerbuf_lib.h"

/* pb_open_test() - Return: a descriptor or a negative errno. */
int pb_open_test(void)
{
	int fd = open("/dev/peerbuf_test", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int attach(int test, struct peerbuf_test_attach *arg,
		  unsigned int *handle)
{
	int ret = pb_ioctl(test, PEERBUF_TEST_ATTACH, arg);

	*handle = arg->handle;
	return ret;
}

/**
 * pb_test_attach() - attach a function to a dma-buf
 * @test: from pb_open_test()
 * @dmabuf: what to attach to
 * @importer: on whose behalf
 * @kind: &enum peerbuf_test_kind
 * @delay_ms: for %PEERBUF_TEST_SLOW
 * @handle: names the attachment
 *
 * Return: 0 or a negative errno.
 */
int pb_test_attach(int test, int dmabuf, const struct pb_device *importer,
		   unsigned int kind, unsigned int delay_ms,
		   unsigned int *handle)
{
	struct peerbuf_test_attach arg = {
		.kind = kind,
		.fd = dmabuf,
		.importer = importer->function,
		.delay_ms = delay_ms,
	};

	return attach(test, &arg, handle);
}

/**
 * pb_test_attach_for() - attach a function to a dma-buf, for one direction
 * @test: from pb_open_test()
 * @dmabuf: what to attach to
 * @importer: on whose behalf
 * @kind: &enum peerbuf_test_kind
 * @direction: &enum peerbuf_test_direction
 * @handle: names the attachment
 *
 * Return: 0 or a negative errno.
 */
int pb_test_attach_for(int test, int dmabuf, const struct pb_device *importer,
		       unsigned int kind, unsigned int direction,
		       unsigned int *handle)
{
	struct peerbuf_test_attach arg = {
		.kind = kind,
		.fd = dmabuf,
		.importer = importer->function,
		.direction = direction,
	};

	return attach(test, &arg, handle);
}

/* pb_test_call() - a call that takes a handle. Return: 0 or negative errno. */
int pb_test_call(int test, unsigned long cmd, unsigned int handle)
{
	struct peerbuf_test_handle arg = { .handle = handle };

	return pb_ioctl(test, cmd, &arg);
}

/* pb_test_map_info() - PEERBUF_TEST_MAP_INFO. Return: 0 or negative errno. */
int pb_test_map_info(int test, unsigned int handle,
		     struct peerbuf_test_map_info *info,
		     struct peerbuf_test_segment *segments, unsigned int nr)
{
	*info = (struct peerbuf_test_map_info){
		.handle = handle,
		.segments = (uintptr_t)segments,
		.nr_segments = nr,
	};
	return pb_ioctl(test, PEERBUF_TEST_MAP_INFO, info);
}

/* pb_test_mapped() - Return: whether the attachment holds a mapping. */
bool pb_test_mapped(int test, unsigned int handle)
{
	struct peerbuf_test_segment segments[64];
	struct peerbuf_test_map_info info;

	must(pb_test_map_info(test, handle, &info, segments,
			      ARRAY_SIZE(segments)));
	return info.mapped;
}

/* pb_test_vmap() - PEERBUF_TEST_VMAP. Return: 0 or a negative errno. */
int pb_test_vmap(int test, int dmabuf, unsigned int *handle)
{
	struct peerbuf_test_vmap arg = { .fd = dmabuf };
	int ret = pb_ioctl(test, PEERBUF_TEST_VMAP, &arg);

	*handle = arg.handle;
	return ret;
}

/* pb_test_access() - PEERBUF_TEST_ACCESS. Return: 0 or a negative errno. */
int pb_test_access(int test, unsigned int handle, bool write, __u64 offset,
		   void *data, unsigned int length, bool *is_iomem)
{
	struct peerbuf_test_access arg = {
		.handle = handle,
		.write = write,
		.offset = offset,
		.data = (uintptr_t)data,
		.length = length,
	};
	int ret = pb_ioctl(test, PEERBUF_TEST_ACCESS, &arg);

	*is_iomem = arg.is_iomem;
	return ret;
}

/**
 * pb_test_oracle() - PEERBUF_TEST_ORACLE
 * @test: from pb_open_test()
 * @provider: whose BAR
 * @bar: its number
 * @importer: for whom
 * @ranges: of the BAR
 * @nr_ranges: number of @ranges
 * @fresh: have it look at the topology anew, not into its cache
 * @segments: the kernel's own addresses
 * @nr: in: room at @segments; out: used
 *
 * Return: 0 or a negative errno.
 */
int pb_test_oracle(int test, const struct pb_device *provider, int bar,
		   const struct pb_device *importer,
		   const struct peerbuf_range *ranges, unsigned int nr_ranges,
		   bool fresh, struct peerbuf_test_segment *segments,
		   unsigned int *nr)
{
	struct peerbuf_test_oracle arg = {
		.provider = provider->function,
		.importer = importer->function,
		.bar = bar,
		.nr_ranges = nr_ranges,
		.ranges = (uintptr_t)ranges,
		.segments = (uintptr_t)segments,
		.nr_segments = *nr,
		.fresh = fresh,
	};
	int ret = pb_ioctl(test, PEERBUF_TEST_ORACLE, &arg);

	*nr = arg.nr_segments;
	return ret;
}

/* pb_test_page() - PEERBUF_TEST_PAGE. Return: 0 or a negative errno. */
int pb_test_page(int test, const void *address, struct peerbuf_test_page *page)
{
	*page = (struct peerbuf_test_page){ .address = (uintptr_t)address };
	return pb_ioctl(test, PEERBUF_TEST_PAGE, page);
}

/**
 * pb_usable_importer() - a function that a provider's buffers can be mapped for
 * @provider: whose buffers
 *
 * The first edu, or, in a topology without a route to it, the provider itself:
 * that what happens after a mapping is tested everywhere.
 *
 * Return: the function.
 */
struct pb_device pb_usable_importer(const struct pb_device *provider)
{
	return pb_expect()->route == PEERBUF_ROUTE_NONE ? *provider :
							  pb_importer(0);
}

/* pb_test_forward() - PEERBUF_TEST_FORWARD. Return: 0 or a negative errno. */
int pb_test_forward(int test, int dmabuf)
{
	struct peerbuf_test_forward arg = { .fd = dmabuf };

	return pb_ioctl(test, PEERBUF_TEST_FORWARD, &arg);
}

/* pb_test_stray() - PEERBUF_TEST_STRAY. Return: 0 or a negative errno. */
int pb_test_stray(int test, const struct pb_device *engine, __u64 address,
		  unsigned int length, bool write)
{
	struct peerbuf_test_stray arg = {
		.engine = engine->function,
		.address = address,
		.length = length,
		.write = write,
	};

	return pb_ioctl(test, PEERBUF_TEST_STRAY, &arg);
}

/* pb_test_pieces() - PEERBUF_TEST_PIECES. Return: dma-buf or negative errno. */
int pb_test_pieces(int test, unsigned int piece, unsigned int count)
{
	struct peerbuf_test_pieces arg = { .piece = piece, .count = count };
	int ret = pb_ioctl(test, PEERBUF_TEST_PIECES, &arg);

	return ret ?: arg.fd;
}
