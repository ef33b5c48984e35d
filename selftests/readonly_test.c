// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read-only exports: every door to the memory, from a device, a process and the
 * kernel. Behind each the memory must be as it was.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define OFFSET		MIB(4)
#define LENGTH		KIB(64)
#define SHARED		PEERBUF_EXPORT_SHARED
#define ANY_IMPORTER	(PEERBUF_EXPORT_ALLOW_PINNED | \
			 PEERBUF_EXPORT_ALLOW_STATIC)
#define BEFORE		1U		/* what is in the memory */
#define AFTER		2U		/* what nobody may get there */
#define RATELIMIT_MS	5500		/* DEFAULT_RATELIMIT_INTERVAL, and more */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif

FIXTURE(read_only) {
	struct pb_device provider;
	struct pb_device importer;	/* with a route in every topology */
	int node;
	int test;
	int writable;			/* of the same memory, by its owner */
	int dmabuf;
	__u64 id;
	struct pb_state start;
};

FIXTURE_SETUP(read_only)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
	self->writable = must(pb_export_at(self->node, SHARED, OFFSET, LENGTH,
					   NULL));
	pb_write_buffer(self->writable, 0, LENGTH, BEFORE);
	self->dmabuf = must(pb_export_read_only(self->node,
						SHARED | ANY_IMPORTER, OFFSET,
						LENGTH, &self->id));
	must(pb_allow_static(&self->provider, 0, 1));
}

FIXTURE_TEARDOWN(read_only)
{
	must(pb_allow_static(&self->provider, 0, 0));
	EXPECT_TRUE(pb_buffer_holds(self->writable, 0, LENGTH, BEFORE))
		TH_LOG("the memory has changed");
	close(self->dmabuf);
	close(self->writable);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
		TH_LOG("the test has left traces");
	close(self->test);
	close(self->node);
}

/* Nothing that is done to it may make this mapping writable. */
static void stays_closed(struct __test_metadata *_metadata, char *memory,
			 const char *why)
{
	EXPECT_EQ(0, pb_touch(memory, false)) TH_LOG("%s", why);
	EXPECT_EQ(SIGSEGV, pb_touch(memory, true)) TH_LOG("%s", why);
	EXPECT_EQ(-1, mprotect(memory, PAGE, RW)) TH_LOG("%s", why);
	EXPECT_EQ(EACCES, errno) TH_LOG("%s", why);
	EXPECT_EQ(-1, mprotect(memory, PAGE, PROT_WRITE)) TH_LOG("%s", why);
	EXPECT_EQ(SIGSEGV, pb_touch(memory, true)) TH_LOG("%s", why);
}

TEST_F(read_only, needs_a_descriptor_for_reading)
{
	static const unsigned int modes[] = { O_RDWR, O_WRONLY };
	struct peerbuf_range range = { MIB(16), PAGE };
	struct peerbuf_export arg = {
		.size = sizeof(arg),
		.flags = PEERBUF_EXPORT_READ_ONLY,
		.nr_ranges = 1,
		.ranges = (uintptr_t)&range,
	};
	struct pb_state before = pb_state(&self->provider, -1);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		arg.open_flags = modes[i] | O_CLOEXEC;
		EXPECT_EQ(-EINVAL, pb_ioctl(self->node, PEERBUF_IOC_EXPORT,
					    &arg));
	}
	EXPECT_TRUE(pb_unchanged(&before, &self->provider, -1));
}

TEST_F(read_only, says_so)
{
	struct peerbuf_buffer_info info;
	int pool, pooled;

	EXPECT_EQ(O_RDONLY, fcntl(self->dmabuf, F_GETFL) & O_ACCMODE);
	must(pb_buffer(self->dmabuf, &info, NULL, 0));
	EXPECT_EQ(PEERBUF_BUFFER_READ_ONLY, info.flags);
	must(pb_buffer(self->writable, &info, NULL, 0));
	EXPECT_EQ(0, info.flags);

	pool = must(pb_pool(self->node, MIB(16), MIB(1)));
	pooled = must(pb_export_read_only(pool, 0, PEERBUF_OFFSET_ANY, PAGE,
					  NULL));
	must(pb_buffer(pooled, &info, NULL, 0));
	EXPECT_EQ(PEERBUF_BUFFER_READ_ONLY | PEERBUF_BUFFER_POOLED, info.flags);
	close(pooled);
	close(pool);
}

/* Devices, by way of their drivers */

struct way {
	unsigned int kind;
	unsigned int direction;
	int error;
};

static const struct way ways[] = {
	{ PEERBUF_TEST_REVOCABLE, PEERBUF_TEST_BOTH, EACCES },
	{ PEERBUF_TEST_REVOCABLE, PEERBUF_TEST_FROM_DEVICE, EACCES },
	{ PEERBUF_TEST_REVOCABLE, PEERBUF_TEST_TO_DEVICE, 0 },
	{ PEERBUF_TEST_SLOW, PEERBUF_TEST_BOTH, EACCES },
	{ PEERBUF_TEST_SLOW, PEERBUF_TEST_TO_DEVICE, 0 },
	{ PEERBUF_TEST_PINNED, PEERBUF_TEST_BOTH, EACCES },
	{ PEERBUF_TEST_PINNED, PEERBUF_TEST_FROM_DEVICE, EACCES },
	{ PEERBUF_TEST_PINNED, PEERBUF_TEST_TO_DEVICE, 0 },
	{ PEERBUF_TEST_STATIC, PEERBUF_TEST_BOTH, EACCES },
	{ PEERBUF_TEST_STATIC, PEERBUF_TEST_FROM_DEVICE, EACCES },
	{ PEERBUF_TEST_STATIC, PEERBUF_TEST_TO_DEVICE, 0 },
};

TEST_F(read_only, maps_by_class_and_direction)
{
	const struct way *way;
	unsigned int handle;
	char reason[32];
	int error;

	for (way = ways; way < ways + ARRAY_SIZE(ways); way++) {
		must(pb_test_attach_for(self->test, self->dmabuf,
					&self->importer, way->kind,
					way->direction, &handle));
		must(pb_watch());
		EXPECT_EQ(-way->error, pb_test_call(self->test,
						    PEERBUF_TEST_MAP, handle))
			TH_LOG("class %u, direction %u", way->kind,
			       way->direction);
		EXPECT_EQ(!way->error, pb_test_mapped(self->test, handle));
		if (way->error) {
			must(pb_seen_refusal(self->importer.name, reason,
					     sizeof(reason), &error));
			EXPECT_STREQ("read-only", reason);
			EXPECT_EQ(-way->error, error);
		} else {
			EXPECT_EQ(0, pb_seen("peerbuf_map_refused",
					     self->importer.name));
		}
		must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	}
}

/* The pin of dynamic importers gives nothing to write to. */
TEST_F(read_only, a_pin_opens_nothing)
{
	unsigned int handle;

	must(pb_test_attach(self->test, self->dmabuf, &self->importer,
			    PEERBUF_TEST_PINNED, 0, &handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_PIN, handle));
	EXPECT_EQ(-EACCES, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(0, pb_test_call(self->test, PEERBUF_TEST_UNPIN, handle));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

TEST_F(read_only, the_log_tells_why)
{
	const char *text = "refused: buffer is read-only";
	unsigned int before, handle;

	pb_sleep_ms(RATELIMIT_MS);
	before = pb_count_log(text);
	must(pb_test_attach(self->test, self->dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	EXPECT_EQ(before, pb_count_log(text)) TH_LOG("the attach is no map");
	EXPECT_EQ(-EACCES, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(before + 1, pb_count_log(text));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

/* peerbuf's own importers map when they attach, and so refuse at once. */
TEST_F(read_only, an_importer_reads_it)
{
	struct pb_device engine = pb_importer(0);
	int edu = must(pb_open_edu(&engine));
	int copy = must(pb_export_at(self->node, 0, MIB(8), PAGE, NULL));
	unsigned int handle, to;

	if (pb_expect()->route == PEERBUF_ROUTE_NONE) {
		EXPECT_EQ(-EOPNOTSUPP, pb_import_read(edu, self->dmabuf,
						      &handle));
		EXPECT_EQ(-EOPNOTSUPP, pb_import(edu, self->dmabuf, &handle));
	} else {
		EXPECT_EQ(-EACCES, pb_import(edu, self->dmabuf, &handle));
		must(pb_import_read(edu, self->dmabuf, &handle));
		must(pb_import(edu, copy, &to));
		EXPECT_EQ(0, pb_copy(edu, handle, PEERBUF_EDU_TO_ENGINE, 0, 0,
				     PAGE));
		EXPECT_EQ(0, pb_copy(edu, to, PEERBUF_EDU_FROM_ENGINE, 0, 0,
				     PAGE));
		if (pb_expect()->data)
			EXPECT_TRUE(pb_buffer_holds(copy, 0, PAGE, BEFORE));
		EXPECT_EQ(-EACCES, pb_copy(edu, handle, PEERBUF_EDU_FROM_ENGINE,
					   0, 0, PAGE));
		must(pb_release(edu, to));
		must(pb_release(edu, handle));
	}
	close(copy);
	close(edu);
}

/* Where the engine would find the read-only buffer. */
static __u64 map_to_read(int test, int dmabuf, const struct pb_device *engine,
			 unsigned int *handle)
{
	struct peerbuf_test_segment segments[64];
	struct peerbuf_test_map_info info;

	must(pb_test_attach_for(test, dmabuf, engine, PEERBUF_TEST_REVOCABLE,
				PEERBUF_TEST_TO_DEVICE, handle));
	must(pb_test_call(test, PEERBUF_TEST_MAP, *handle));
	must(pb_test_map_info(test, *handle, &info, segments,
			      ARRAY_SIZE(segments)));
	return segments[0].address;
}

/* Other bytes into the engine's own buffer, to be written where they must not. */
static void load_engine(int node, const struct pb_device *engine)
{
	int edu = must(pb_open_edu(engine));
	int source = must(pb_export_at(node, 0, MIB(8), PAGE, NULL));
	unsigned int handle;

	pb_write_buffer(source, 0, PAGE, AFTER);
	must(pb_import_read(edu, source, &handle));
	must(pb_copy(edu, handle, PEERBUF_EDU_TO_ENGINE, 0, 0, PAGE));
	must(pb_release(edu, handle));
	close(source);
	close(edu);
}

/*
 * A device that writes, although its driver has mapped for reading: an IOMMU stops
 * it, and says so. Nothing else does, as the documentation tells.
 */
TEST_F(read_only, a_device_that_does_not_keep_to_it)
{
	struct pb_device engine = pb_importer(0);
	unsigned int handle;
	char fault[128];
	__u64 address;

	if (pb_expect()->route == PEERBUF_ROUTE_NONE || !pb_expect()->data)
		return;
	load_engine(self->node, &engine);
	address = map_to_read(self->test, self->dmabuf, &engine, &handle);
	snprintf(fault, sizeof(fault),
		 "[DMA Write NO_PASID] Request device [%s] fault addr %#llx ",
		 engine.name, (unsigned long long)address);
	if (pb_expect()->iommu)
		must(pb_expect_log(fault));

	must(pb_test_stray(self->test, &engine, address, PAGE, true));
	if (pb_expect()->iommu) {
		/* one is what this test has announced */
		EXPECT_LT(1, pb_count_log(fault));
	} else {
		EXPECT_TRUE(pb_buffer_holds(self->writable, 0, PAGE, AFTER));
		pb_write_buffer(self->writable, 0, LENGTH, BEFORE);
	}
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

/* Processes */

TEST_F(read_only, mmap)
{
	struct peerbuf_test_page page;
	int fd = self->dmabuf;
	char *memory;

	EXPECT_EQ(-EACCES, pb_try_map(fd, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EACCES, pb_try_map(fd, 0, PAGE, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-EACCES, pb_try_map(fd, 0, PAGE, RW, MAP_SHARED_VALIDATE));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, 0, PAGE, RW, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, 0, PAGE, PROT_READ, MAP_PRIVATE));

	memory = pb_map(fd, 0, LENGTH, PROT_READ);
	EXPECT_TRUE(pb_holds(memory, LENGTH, BEFORE));
	must(pb_test_page(self->test, memory, &page));
	EXPECT_EQ(0, page.writable);
	stays_closed(_metadata, memory, "plain");
	munmap(memory, LENGTH);
}

/* A driver that imported it forwards mmap() on a file that is open for writing. */
TEST_F(read_only, mmap_through_an_importer)
{
	int drm = must(pb_open_test());
	char *memory;

	must(pb_test_forward(drm, self->dmabuf));
	EXPECT_EQ(-EACCES, pb_try_map(drm, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EACCES, pb_try_map(drm, 0, PAGE, PROT_WRITE, MAP_SHARED));
	EXPECT_EQ(-EINVAL, pb_try_map(drm, 0, PAGE, RW, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, pb_try_map(drm, 0, PAGE, PROT_READ, MAP_PRIVATE));
	memory = pb_map(drm, 0, LENGTH, PROT_READ);
	EXPECT_TRUE(pb_holds(memory, LENGTH, BEFORE));
	stays_closed(_metadata, memory, "forwarded");
	munmap(memory, LENGTH);
	close(drm);

	/* The way is one: a buffer that may be written can be, by it. */
	drm = must(pb_open_test());
	must(pb_test_forward(drm, self->writable));
	memory = pb_map(drm, 0, LENGTH, RW);
	EXPECT_EQ(0, pb_touch(memory, true));
	munmap(memory, LENGTH);
	close(drm);
}

TEST_F(read_only, changes_of_the_mapping)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	char *other = pb_map(-1, 0, PAGE, PROT_READ);
	bool keys;

	/* not every kernel has it */
	keys = !syscall(__NR_pkey_mprotect, other, PAGE, RW, -1);
	EXPECT_EQ(-1, syscall(__NR_pkey_mprotect, memory, PAGE, RW, -1));
	EXPECT_TRUE(!keys || errno == EACCES);
	munmap(other, PAGE);
	EXPECT_EQ(-1, madvise(memory, PAGE, MADV_POPULATE_WRITE));
	EXPECT_EQ(-1, mremap(memory, PAGE, 2 * PAGE, MREMAP_MAYMOVE));

	/* A length of zero duplicates what is shared. */
	other = mremap(memory, 0, PAGE, MREMAP_MAYMOVE);
	if (other != MAP_FAILED) {
		stays_closed(_metadata, other, "duplicated");
		munmap(other, PAGE);
	}
	other = mremap(memory, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (other != MAP_FAILED) {
		stays_closed(_metadata, other, "moved and kept");
		munmap(other, PAGE);
	}
	if (!syscall(__NR_remap_file_pages, memory + PAGE, PAGE, 0, 2, 0))
		stays_closed(_metadata, memory + PAGE, "rearranged");
	stays_closed(_metadata, memory, "afterwards");
	munmap(memory, LENGTH);
}

TEST_F(read_only, fork_inherits_no_more)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	int fd = self->dmabuf;
	pid_t child = pb_fork();

	if (!child) {
		bool closed = pb_touch(memory, true) == SIGSEGV &&
			      mprotect(memory, PAGE, RW) &&
			      pb_try_map(fd, 0, PAGE, RW, MAP_SHARED) ==
				      -EACCES &&
			      pb_holds(memory, LENGTH, BEFORE);

		_exit(closed ? 0 : 1);
	}
	EXPECT_EQ(0, pb_join(child));
	munmap(memory, LENGTH);
}

/* Those who write to the memory of processes, and need no right of the mapping */

TEST_F(read_only, proc_mem)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char bytes[16] = "xxxxxxxxxxxxxxx";

	ASSERT_LE(0, mem);
	EXPECT_EQ(0, pb_touch(memory, false));
	EXPECT_EQ(-1, pwrite(mem, bytes, sizeof(bytes), (off_t)memory));
	EXPECT_TRUE(pb_holds(memory, LENGTH, BEFORE));
	close(mem);
	munmap(memory, LENGTH);
}

TEST_F(read_only, process_vm_writev)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	char bytes[16] = "xxxxxxxxxxxxxxx";
	struct iovec from = { bytes, sizeof(bytes) };
	struct iovec to = { memory, sizeof(bytes) };
	char copy[sizeof(bytes)];
	struct iovec control = { copy, sizeof(copy) };
	bool works;

	/* not every kernel has it */
	works = process_vm_writev(getpid(), &from, 1, &control, 1, 0) > 0;
	EXPECT_EQ(-1, process_vm_writev(getpid(), &from, 1, &to, 1, 0));
	EXPECT_TRUE(!works || errno == EFAULT);
	EXPECT_TRUE(pb_holds(memory, LENGTH, BEFORE));
	munmap(memory, LENGTH);
}

TEST_F(read_only, ptrace)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	pid_t child = pb_fork();
	int status;

	if (!child) {
		pb_touch(memory, false);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(pb_holds(memory, LENGTH, BEFORE) ? 0 : 1);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(-1, ptrace(PTRACE_POKEDATA, child, memory, 0x7878787878UL));
	EXPECT_EQ(-1, ptrace(PTRACE_POKETEXT, child, memory, 0x7878787878UL));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child, NULL, NULL));
	EXPECT_EQ(0, pb_join(child));
	munmap(memory, LENGTH);
}

/* The kernel as a deputy: where a call stores its result. */
TEST_F(read_only, results_of_calls)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	struct iovec buffer = { memory, PAGE };
	struct pb_uring ring;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, zero);
	EXPECT_EQ(-1, read(zero, memory, PAGE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pipe((int *)memory));
	EXPECT_EQ(EFAULT, errno);
	must(pb_uring_open(&ring, 4, true));
	EXPECT_EQ(-1, syscall(__NR_io_uring_register, ring.fd, 0, &buffer, 1));
	EXPECT_EQ(EFAULT, errno);
	pb_uring_close(&ring);
	close(zero);
	munmap(memory, LENGTH);
}

TEST_F(read_only, userfaultfd)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register place = {
		.range = { (uintptr_t)memory, LENGTH },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	/* not every kernel has it */
	if (uffd >= 0) {
		must(pb_ioctl(uffd, UFFDIO_API, &api));
		EXPECT_GT(0, pb_ioctl(uffd, UFFDIO_REGISTER, &place));
		place.mode = UFFDIO_REGISTER_MODE_WP;
		EXPECT_GT(0, pb_ioctl(uffd, UFFDIO_REGISTER, &place));
		close(uffd);
	}
	stays_closed(_metadata, memory, "userfaultfd");
	munmap(memory, LENGTH);
}

/* The descriptor */

TEST_F(read_only, cannot_be_opened_again)
{
	static const int modes[] = { O_RDWR, O_WRONLY, O_RDONLY };
	char path[32];
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->dmabuf);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		EXPECT_EQ(-1, open(path, modes[i] | O_CLOEXEC));
		EXPECT_EQ(ENXIO, errno);
	}
	/* Linux ignores the access mode here. */
	EXPECT_EQ(0, fcntl(self->dmabuf, F_SETFL, O_RDWR));
	EXPECT_EQ(-EACCES, pb_try_map(self->dmabuf, 0, PAGE, RW, MAP_SHARED));
}

TEST_F(read_only, descriptor_calls)
{
	char byte = 'x';

	EXPECT_EQ(-1, write(self->dmabuf, &byte, 1));
	EXPECT_EQ(-1, pwrite(self->dmabuf, &byte, 1, 0));
	EXPECT_EQ(-1, ftruncate(self->dmabuf, 0));
	EXPECT_EQ(-1, fallocate(self->dmabuf, 0, 0, PAGE));
}

TEST_F(read_only, sync)
{
	static const __u64 phases[] = { DMA_BUF_SYNC_START, DMA_BUF_SYNC_END };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(phases); i++) {
		EXPECT_EQ(0, pb_sync(self->dmabuf,
				     phases[i] | DMA_BUF_SYNC_READ));
		EXPECT_EQ(-EACCES, pb_sync(self->dmabuf,
					   phases[i] | DMA_BUF_SYNC_WRITE));
		EXPECT_EQ(-EACCES, pb_sync(self->dmabuf,
					   phases[i] | DMA_BUF_SYNC_RW));
		EXPECT_EQ(0, pb_sync(self->writable,
				     phases[i] | DMA_BUF_SYNC_RW));
	}
}

/* The kernel's mapping is writable: there is none, whatever else is allowed. */
TEST_F(read_only, kernel_mapping)
{
	unsigned int handle;
	int pinned;

	EXPECT_EQ(-EINVAL, pb_test_vmap(self->test, self->dmabuf, &handle));
	pinned = must(pb_export_at(self->node, PEERBUF_EXPORT_ALLOW_PINNED,
				   MIB(8), LENGTH, NULL));
	EXPECT_EQ(0, pb_test_vmap(self->test, pinned, &handle))
		TH_LOG("it is this that makes the difference");
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, handle));
	close(pinned);
}

/* What the owner writes is what the readers see; a revoke ends only theirs. */
TEST_F(read_only, beside_a_writable_export)
{
	char *reader = pb_map(self->dmabuf, 0, LENGTH, PROT_READ);

	pb_write_buffer(self->writable, 0, LENGTH, 5);
	EXPECT_TRUE(pb_holds(reader, LENGTH, 5));
	pb_write_buffer(self->writable, 0, LENGTH, BEFORE);
	EXPECT_EQ(0, pb_revoke(self->node, self->id, 0));
	EXPECT_EQ(SIGBUS, pb_touch(reader, false));
	EXPECT_EQ(-1, mprotect(reader, PAGE, RW));
	munmap(reader, LENGTH);
}

TEST_HARNESS_MAIN
