// SPDX-License-Identifier: GPL-2.0-only
/* The buffer in a process: what can be mapped, how, and until when. */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW	(PROT_READ | PROT_WRITE)
#define LENGTH	KIB(64)

FIXTURE(mmap) {
	struct pb_device provider;
	int node;
	int dmabuf;
	__u64 id;
	struct pb_state start;
};

FIXTURE_SETUP(mmap)
{
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
	self->dmabuf = must(pb_export_at(self->node, 0, MIB(4), LENGTH,
					 &self->id));
}

FIXTURE_TEARDOWN(mmap)
{
	if (self->dmabuf >= 0)
		close(self->dmabuf);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->node);
}

TEST_F(mmap, mappings_show_one_memory)
{
	char *first = pb_map(self->dmabuf, 0, LENGTH, RW);
	char *second = pb_map(self->dmabuf, 0, LENGTH, RW);

	pb_fill(first, LENGTH, 1);
	EXPECT_TRUE(pb_holds(second, LENGTH, 1));
	pb_fill(second, LENGTH, 2);
	EXPECT_TRUE(pb_holds(first, LENGTH, 2));
	munmap(first, LENGTH);
	EXPECT_TRUE(pb_holds(second, LENGTH, 2));
	munmap(second, LENGTH);
}

TEST_F(mmap, parts_are_where_they_should_be)
{
	char *whole = pb_map(self->dmabuf, 0, LENGTH, RW);
	size_t offset, length;
	char *part;

	pb_fill(whole, LENGTH, 3);
	for (offset = 0; offset < LENGTH; offset += 3 * PAGE) {
		length = LENGTH - offset < 2 * PAGE ? PAGE : 2 * PAGE;
		part = pb_map(self->dmabuf, offset, length, RW);
		EXPECT_EQ(0, memcmp(part, whole + offset, length));
		part[5] ^= 0x5a;
		EXPECT_EQ(whole[offset + 5], part[5]);
		munmap(part, length);
	}
	munmap(whole, LENGTH);
}

TEST_F(mmap, only_what_is_there)
{
	const int shared = MAP_SHARED;
	int fd = self->dmabuf;

	EXPECT_EQ(-EINVAL, pb_try_map(fd, 0, LENGTH + PAGE, RW, shared));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, LENGTH, PAGE, RW, shared));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, LENGTH - PAGE, 2 * PAGE, RW, shared));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, 1ULL << 40, PAGE, RW, shared));
	EXPECT_EQ(0, pb_try_map(fd, LENGTH - PAGE, PAGE, RW, shared));
}

TEST_F(mmap, private_copies_are_refused)
{
	int fd = self->dmabuf;

	EXPECT_EQ(-EINVAL, pb_try_map(fd, 0, PAGE, RW, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, pb_try_map(fd, 0, PAGE, PROT_READ, MAP_PRIVATE));
}

TEST_F(mmap, cannot_grow)
{
	void *memory = pb_map(self->dmabuf, 0, PAGE, RW);

	EXPECT_EQ(MAP_FAILED, mremap(memory, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	munmap(memory, PAGE);
}

TEST_F(mmap, open_mode_is_honoured)
{
	int fd = must(pb_export_mode(self->node, O_RDONLY | O_CLOEXEC, MIB(5),
				     PAGE));
	void *memory;

	EXPECT_EQ(-EACCES, pb_try_map(fd, 0, PAGE, RW, MAP_SHARED));
	memory = pb_map(fd, 0, PAGE, PROT_READ);
	EXPECT_EQ(0, pb_touch(memory, false));
	EXPECT_EQ(SIGSEGV, pb_touch(memory, true));
	EXPECT_EQ(-1, mprotect(memory, PAGE, RW));
	munmap(memory, PAGE);
	close(fd);

	fd = must(pb_export_mode(self->node, O_WRONLY | O_CLOEXEC, MIB(5),
				 PAGE));
	EXPECT_EQ(-EACCES, pb_try_map(fd, 0, PAGE, PROT_READ, MAP_SHARED));
	close(fd);
}

TEST_F(mmap, read_only_mapping_of_a_writable_buffer)
{
	void *memory = pb_map(self->dmabuf, 0, PAGE, PROT_READ);

	EXPECT_EQ(0, pb_touch(memory, false));
	EXPECT_EQ(SIGSEGV, pb_touch(memory, true));
	EXPECT_EQ(0, mprotect(memory, PAGE, RW));
	EXPECT_EQ(0, pb_touch(memory, true));
	munmap(memory, PAGE);
}

/* ivshmem's BAR is prefetchable. */
TEST_F(mmap, write_combined_at_the_right_address)
{
	struct peerbuf_window_info window;
	struct peerbuf_test_page page;
	int test = must(pb_open_test());
	char *memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	size_t offset;

	must(pb_window(&self->provider, 0, &window));
	EXPECT_TRUE(window.flags & PEERBUF_WINDOW_PREFETCHABLE);
	EXPECT_GT(0, pb_test_page(test, memory, &page))
		TH_LOG("in the page table before it was touched");
	for (offset = 0; offset < LENGTH; offset += 5 * PAGE) {
		ASSERT_EQ(0, pb_touch(memory + offset, true));
		must(pb_test_page(test, memory + offset, &page));
		EXPECT_EQ(window.phys + MIB(4) + offset, page.phys);
		EXPECT_EQ(PEERBUF_TEST_WRITE_COMBINED, page.cache);
		EXPECT_EQ(1, page.writable);
	}
	munmap(memory, LENGTH);
	close(test);
}

/* The registers of edu, whose BAR is not prefetchable; the first says so. */
TEST_F(mmap, uncached_where_a_read_may_have_effects)
{
	struct pb_device edu = pb_importer(0);
	struct peerbuf_window_info window;
	struct peerbuf_test_page page;
	int test = must(pb_open_test());
	const __u32 *registers;
	int node, dmabuf;

	must(pb_unbind(&edu));
	must(pb_bind(&edu, "peerbuf_pci"));
	node = must(pb_open_node(&edu, O_RDWR));
	must(pb_window(&edu, 0, &window));
	EXPECT_EQ(0, window.flags & PEERBUF_WINDOW_PREFETCHABLE);

	dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	registers = pb_map(dmabuf, 0, PAGE, PROT_READ);
	/* the engine answers whole registers only, so it has to be one load of one */
	EXPECT_EQ(0xed, __atomic_load_n(registers, __ATOMIC_RELAXED) & 0xff);
	must(pb_test_page(test, (void *)registers, &page));
	EXPECT_EQ(window.phys, page.phys);
	EXPECT_EQ(PEERBUF_TEST_UNCACHED, page.cache);
	munmap((void *)registers, PAGE);

	close(dmabuf);
	close(node);
	close(test);
	must(pb_unbind(&edu));
	must(pb_bind(&edu, "peerbuf_edu"));
}

TEST_F(mmap, ranges_are_joined_in_the_mapping)
{
	const struct peerbuf_range ranges[] = {
		{ MIB(30), PAGE }, { MIB(10), 2 * PAGE }, { MIB(20), PAGE },
	};
	const __u64 expected[] = {
		MIB(30), MIB(10), MIB(10) + PAGE, MIB(20),
	};
	struct peerbuf_window_info window;
	struct peerbuf_test_page page;
	int test = must(pb_open_test());
	int dmabuf = must(pb_export_ranges(self->node, 0, ranges, 3, 0, NULL));
	char *memory = pb_map(dmabuf, 0, 4 * PAGE, RW);
	size_t i;

	must(pb_window(&self->provider, 0, &window));
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		ASSERT_EQ(0, pb_touch(memory + i * PAGE, true));
		must(pb_test_page(test, memory + i * PAGE, &page));
		EXPECT_EQ(window.phys + expected[i], page.phys);
	}
	munmap(memory, 4 * PAGE);
	close(dmabuf);
	close(test);
}

TEST_F(mmap, survives_the_descriptor)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	struct peerbuf_provider_info info;

	close(self->dmabuf);
	self->dmabuf = -1;
	pb_fill(memory, LENGTH, 5);
	EXPECT_TRUE(pb_holds(memory, LENGTH, 5));
	must(pb_provider_info(&self->provider, &info));
	EXPECT_EQ(self->start.nr_buffers + 1, info.nr_buffers);
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));

	munmap(memory, LENGTH / 2);
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	munmap(memory + LENGTH / 2, LENGTH / 2);
	close(must(pb_export_at(self->node, 0, MIB(4), PAGE, NULL)));
}

TEST_F(mmap, revoke_ends_every_mapping)
{
	char *touched = pb_map(self->dmabuf, 0, LENGTH, RW);
	char *untouched = pb_map(self->dmabuf, 0, LENGTH, RW);
	int test = must(pb_open_test());
	struct peerbuf_test_page page;

	ASSERT_EQ(0, pb_touch(touched, true));
	EXPECT_EQ(0, pb_revoke(self->node, self->id, 0));
	EXPECT_GT(0, pb_test_page(test, touched, &page))
		TH_LOG("still in the page table");
	EXPECT_EQ(SIGBUS, pb_touch(touched, false));
	EXPECT_EQ(SIGBUS, pb_touch(touched, true));
	EXPECT_EQ(SIGBUS, pb_touch(untouched + PAGE, false));
	EXPECT_EQ(-ENODEV, pb_try_map(self->dmabuf, 0, PAGE, RW, MAP_SHARED));
	munmap(touched, LENGTH);
	munmap(untouched, LENGTH);
	close(test);
}

/* Revoke of one must not look like revoke of its neighbour, or of a sharer. */
TEST_F(mmap, revoke_ends_no_other_mapping)
{
	const unsigned int shared = PEERBUF_EXPORT_SHARED;
	__u64 id;
	int first = must(pb_export_at(self->node, shared, MIB(8), PAGE, &id));
	int second = must(pb_export_at(self->node, shared, MIB(8), PAGE, NULL));
	char *memory[2] = {
		pb_map(first, 0, PAGE, RW), pb_map(second, 0, PAGE, RW),
	};

	ASSERT_EQ(0, pb_touch(memory[0], true));
	ASSERT_EQ(0, pb_touch(memory[1], true));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	EXPECT_EQ(SIGBUS, pb_touch(memory[0], false));
	EXPECT_EQ(0, pb_touch(memory[1], true));
	munmap(memory[0], PAGE);
	munmap(memory[1], PAGE);
	close(first);
	close(second);
}

TEST_F(mmap, fork_inherits_it)
{
	char *memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	pid_t child;

	pb_fill(memory, LENGTH, 7);
	child = pb_fork();
	if (!child) {
		bool held = pb_holds(memory, LENGTH, 7);

		pb_fill(memory, LENGTH, 8);
		_exit(held ? 0 : 1);
	}
	EXPECT_EQ(0, pb_join(child));
	EXPECT_TRUE(pb_holds(memory, LENGTH, 8));
	munmap(memory, LENGTH);
}

TEST_F(mmap, revoke_reaches_other_processes)
{
	char *memory = pb_map(self->dmabuf, 0, PAGE, RW);
	int ready[2], go[2];
	char byte = 0;
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	ASSERT_EQ(0, pb_touch(memory, true));
	child = pb_fork();
	if (!child) {
		if (pb_touch(memory, true) || write(ready[1], &byte, 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(pb_touch(memory, true) == SIGBUS ? 0 : 1);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(0, pb_revoke(self->node, self->id, 0));
	ASSERT_EQ(1, write(go[1], &byte, 1));
	EXPECT_EQ(0, pb_join(child));
	munmap(memory, PAGE);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	close(go[1]);
}

TEST_F(mmap, sync)
{
	static const __u64 directions[] = {
		DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(directions); i++) {
		EXPECT_EQ(0, pb_sync(self->dmabuf,
				     DMA_BUF_SYNC_START | directions[i]));
		EXPECT_EQ(0, pb_sync(self->dmabuf,
				     DMA_BUF_SYNC_END | directions[i]));
	}
	EXPECT_EQ(-EINVAL, pb_sync(self->dmabuf, 0));
	EXPECT_EQ(-EINVAL, pb_sync(self->dmabuf, 1ULL << 32));
	EXPECT_EQ(0, pb_revoke(self->node, self->id, 0));
	EXPECT_EQ(-ENODEV, pb_sync(self->dmabuf,
				   DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
}

TEST_F(mmap, kernel_mapping)
{
	int test = must(pb_open_test());
	char data[PAGE], back[PAGE];
	unsigned int handle;
	bool is_iomem;
	int dmabuf;

	/* It cannot be revoked, so the export has to allow it. */
	EXPECT_GT(0, pb_test_vmap(test, self->dmabuf, &handle));

	dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_ALLOW_PINNED,
				   MIB(8), LENGTH, NULL));
	must(pb_test_vmap(test, dmabuf, &handle));
	pb_write_buffer(dmabuf, 3 * PAGE, PAGE, 21);
	must(pb_test_access(test, handle, false, 3 * PAGE, back, PAGE,
			    &is_iomem));
	EXPECT_TRUE(is_iomem);
	EXPECT_TRUE(pb_holds(back, PAGE, 21));

	pb_fill(data, PAGE, 22);
	must(pb_test_access(test, handle, true, LENGTH - PAGE, data, PAGE,
			    &is_iomem));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, LENGTH - PAGE, PAGE, 22));
	must(pb_test_call(test, PEERBUF_TEST_VUNMAP, handle));
	close(dmabuf);
	close(test);
}

/* Faults on one buffer and revokes of it, against each other. */
TEST_F(mmap, faults_race_revoke)
{
	unsigned int round;

	for (round = 0; round < 50; round++) {
		__u64 id;
		int dmabuf = must(pb_export_at(self->node, 0, MIB(8), LENGTH,
					       &id));
		char *memory = pb_map(dmabuf, 0, LENGTH, RW);
		pid_t child = pb_fork();
		int signal = 0;

		if (!child) {
			size_t i = 0;

			while (!signal)
				signal = pb_touch(memory + i++ % 16 * PAGE,
						  true);
			_exit(signal == SIGBUS ? 0 : 1);
		}
		if (round % 2)
			pb_sleep_ms(round % 5);
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		EXPECT_EQ(0, pb_join(child));
		munmap(memory, LENGTH);
		close(dmabuf);
	}
}

TEST_HARNESS_MAIN
