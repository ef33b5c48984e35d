// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of an NVMe drive, to and from dma-bufs of every kind: all that arrives
 * is compared, and nothing else may have changed.
 *
 * The drive of this test is QEMU's nvme0, with three namespaces: 1 has blocks of
 * 512 bytes, 2 of 4096, and what is behind 3 cannot be written.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define READ		PEERBUF_NVME_READ
#define WRITE		PEERBUF_NVME_WRITE
#define FLUSH		PEERBUF_NVME_FLUSH
#define BOTH		PEERBUF_NVME_BOTH
#define LENGTH		KIB(768)	/* six times what one command moves */
#define DRIVE_LENGTH	MIB(64)
#define TIMEOUT		100

enum exporter { BAR, POOL, RANGES, HEAP, UDMABUF };

/* A dma-buf that the controller and we can get at */
struct memory {
	int dmabuf;
	char *cpu;
	unsigned int handle;
};

static int export_ranges(int node)
{
	/* In an order that makes no two of them contiguous. */
	const struct peerbuf_range ranges[] = {
		{ MIB(8) + KIB(512), KIB(256) },
		{ MIB(8), KIB(64) },
		{ MIB(8) + KIB(128), KIB(4) },
		{ MIB(9), KIB(444) },
	};

	return pb_export_ranges(node, 0, ranges, ARRAY_SIZE(ranges), 0, NULL);
}

static int make_dmabuf(enum exporter exporter, int node, int pool)
{
	switch (exporter) {
	case BAR:
		return must(pb_export_at(node, 0, MIB(4), LENGTH, NULL));
	case POOL:
		return must(pb_alloc(pool, LENGTH, NULL));
	case RANGES:
		return must(export_ranges(node));
	case HEAP:
		return pb_heap(LENGTH);
	default:
		return pb_udmabuf(LENGTH);
	}
}

static void make_memory(struct memory *memory, int nvme,
			enum exporter exporter, int node, int pool)
{
	memory->dmabuf = make_dmabuf(exporter, node, pool);
	memory->cpu = pb_map(memory->dmabuf, 0, LENGTH, RW);
	must(pb_nvme_import(nvme, memory->dmabuf, BOTH, &memory->handle));
}

static void drop_memory(struct memory *memory)
{
	munmap(memory->cpu, LENGTH);
	close(memory->dmabuf);
}

FIXTURE(nvme) {
	struct pb_device drive;
	struct pb_device provider;
	int node;
	int pool;
	int nvme;
};

FIXTURE_SETUP(nvme)
{
	self->drive = pb_drive(0);
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, 0, MIB(2)));
	self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
}

FIXTURE_TEARDOWN(nvme)
{
	close(self->nvme);
	close(self->pool);
	close(self->node);
}

TEST_F(nvme, identity)
{
	const struct { unsigned int size; __u64 length; } expected[] = {
		{ 512, DRIVE_LENGTH }, { 4096, DRIVE_LENGTH },
		{ 512, MIB(16) },
	};
	struct peerbuf_nvme_info info;
	unsigned int nsid = 0, i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		ASSERT_EQ(0, pb_nvme_info(self->nvme, nsid, &info));
		EXPECT_EQ(i + 1, info.nsid);
		EXPECT_EQ(expected[i].size, info.block_size);
		EXPECT_EQ(expected[i].length, info.blocks * info.block_size);
		EXPECT_EQ(KIB(128), info.max_transfer);
		EXPECT_EQ(sysconf(_SC_NPROCESSORS_ONLN), info.queues);
		EXPECT_EQ(255, info.depth);
		EXPECT_TRUE(info.flags & PEERBUF_NVME_SGL);
		EXPECT_EQ(0, strcmp("QEMU NVMe Ctrl", info.model));
		EXPECT_EQ(0, strcmp("peerbuf0", info.serial));
		EXPECT_LT(0, strnlen(info.firmware, sizeof(info.firmware)));
		nsid = info.next;
	}
	EXPECT_EQ(0, nsid);
	EXPECT_EQ(-ENXIO, pb_nvme_info(self->nvme, 4, &info));
	EXPECT_EQ(-ENXIO, pb_nvme_info(self->nvme, ~0U, &info));
}

/* To write blocks is to read the memory. */
TEST_F(nvme, read_only_memory)
{
	const unsigned int shared = PEERBUF_EXPORT_SHARED;
	int writable, dmabuf, nvme = self->nvme;
	unsigned int from, to;

	writable = must(pb_export_at(self->node, shared, MIB(16), PAGE, NULL));
	dmabuf = must(pb_export_read_only(self->node, shared, MIB(16), PAGE,
					  NULL));
	pb_write_buffer(writable, 0, PAGE, 31);
	EXPECT_EQ(-EACCES, pb_nvme_import(nvme, dmabuf, BOTH, &from));
	EXPECT_EQ(-EACCES, pb_nvme_import(nvme, dmabuf,
					  PEERBUF_NVME_FROM_DRIVE, &from));
	must(pb_nvme_import(nvme, dmabuf, PEERBUF_NVME_TO_DRIVE, &from));
	must(pb_nvme_import(nvme, writable, BOTH, &to));
	EXPECT_EQ(0, pb_nvme_io(nvme, WRITE, 1, from, 0, 64, PAGE / 512));
	pb_write_buffer(writable, 0, PAGE, 32);
	EXPECT_EQ(-EACCES, pb_nvme_io(nvme, READ, 1, from, 0, 64, PAGE / 512));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 32));
	EXPECT_EQ(0, pb_nvme_io(nvme, READ, 1, to, 0, 64, PAGE / 512));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 31));
	must(pb_nvme_release(nvme, to));
	must(pb_nvme_release(nvme, from));
	close(dmabuf);
	close(writable);
}

/* Each exporter's memory, each size of blocks, PRP and SGL. */
FIXTURE(data) {
	struct pb_device drive;
	struct pb_device provider;
	int node;
	int pool;
	int nvme;
	struct memory memory;	/* what is tested */
	struct memory other;	/* from the heap: another way to the blocks */
	size_t block;
};

FIXTURE_VARIANT(data) {
	enum exporter exporter;
	unsigned int nsid;
	bool sgl;
};

FIXTURE_VARIANT_ADD(data, bar_512_prp) { BAR, 1, false };
FIXTURE_VARIANT_ADD(data, bar_512_sgl) { BAR, 1, true };
FIXTURE_VARIANT_ADD(data, bar_4096_prp) { BAR, 2, false };
FIXTURE_VARIANT_ADD(data, bar_4096_sgl) { BAR, 2, true };
FIXTURE_VARIANT_ADD(data, pool_512_sgl) { POOL, 1, true };
FIXTURE_VARIANT_ADD(data, ranges_512_prp) { RANGES, 1, false };
FIXTURE_VARIANT_ADD(data, ranges_512_sgl) { RANGES, 1, true };
FIXTURE_VARIANT_ADD(data, ranges_4096_sgl) { RANGES, 2, true };
FIXTURE_VARIANT_ADD(data, heap_512_prp) { HEAP, 1, false };
FIXTURE_VARIANT_ADD(data, heap_4096_sgl) { HEAP, 2, true };
FIXTURE_VARIANT_ADD(data, udmabuf_512_prp) { UDMABUF, 1, false };
FIXTURE_VARIANT_ADD(data, udmabuf_512_sgl) { UDMABUF, 1, true };

FIXTURE_SETUP(data)
{
	struct peerbuf_nvme_info info;

	self->drive = pb_drive(0);
	must(pb_nvme_parameter("sgl", variant->sgl));
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, 0, MIB(2)));
	self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
	make_memory(&self->memory, self->nvme, variant->exporter, self->node,
		    self->pool);
	make_memory(&self->other, self->nvme, HEAP, -1, -1);
	must(pb_nvme_info(self->nvme, variant->nsid, &info));
	self->block = info.block_size;
}

FIXTURE_TEARDOWN(data)
{
	drop_memory(&self->memory);
	drop_memory(&self->other);
	close(self->nvme);
	close(self->pool);
	close(self->node);
	must(pb_nvme_parameter("sgl", 1));
}

/* In blocks: around pages, the second PRP, a command's and the list's end */
static const unsigned int counts[] = {
	1, 2, 7, 8, 9, 15, 16, 17, 31, 64, 127, 255, 256, 257,
};

static const unsigned int offsets[] = { 0, 1, 7, 8, 13 };

/* The same from the drive; the bytes around stay as they are. */
static void expect_read(struct __test_metadata *_metadata,
			FIXTURE_DATA(data) *self, unsigned int nsid,
			size_t offset, size_t length, __u64 lba, __u64 seed)
{
	char *to = self->memory.cpu;

	pb_fill(to, offset + length + self->block, seed + 1);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, nsid, self->memory.handle,
				offset, lba, length / self->block));
	EXPECT_TRUE(pb_holds(to + offset, length, seed));
	EXPECT_TRUE(pb_holds(to, offset, seed + 1));
	/* The pattern after it goes on where that before it would be. */
	pb_fill(to, offset + length, seed + 1);
	EXPECT_TRUE(pb_holds(to, offset + length + self->block, seed + 1));
}

TEST_F_TIMEOUT(data, every_shape, TIMEOUT)
{
	unsigned int i, j, case_nr = 0;

	for (i = 0; i < ARRAY_SIZE(counts); i++)
		for (j = 0; j < ARRAY_SIZE(offsets); j++) {
			size_t offset = offsets[j] * self->block;
			size_t length = counts[i] * self->block;
			__u64 seed = 1000 + 2 * case_nr;
			__u64 lba = case_nr * 3;

			if (offset + length + self->block > LENGTH)
				continue;
			case_nr++;
			pb_fill(self->memory.cpu + offset, length, seed);
			ASSERT_EQ(0, pb_nvme_io(self->nvme, WRITE,
						variant->nsid,
						self->memory.handle, offset,
						lba, counts[i]));
			memset(self->other.cpu, 0x5a, length);
			ASSERT_EQ(0, pb_nvme_io(self->nvme, READ,
						variant->nsid,
						self->other.handle, 0, lba,
						counts[i]));
			ASSERT_TRUE(pb_holds(self->other.cpu, length, seed))
				TH_LOG("%u blocks at %u", counts[i],
				       offsets[j]);
			expect_read(_metadata, self, variant->nsid, offset,
				    length, lba, seed);
		}
	EXPECT_LE(50, case_nr);
}

/* All of the buffer, in as many commands as it takes, at odd places. */
TEST_F_TIMEOUT(data, long_transfers, TIMEOUT)
{
	size_t length = LENGTH - self->block;
	unsigned int blocks = length / self->block;
	__u64 lba = DRIVE_LENGTH / self->block - blocks;

	pb_fill(self->other.cpu, length, 11);
	ASSERT_EQ(0, pb_nvme_io(self->nvme, WRITE, variant->nsid,
				self->other.handle, 0, lba, blocks));
	ASSERT_EQ(0, pb_nvme_io(self->nvme, READ, variant->nsid,
				self->memory.handle, self->block, lba, blocks));
	EXPECT_TRUE(pb_holds(self->memory.cpu + self->block, length, 11));

	pb_fill(self->memory.cpu, length, 12);
	ASSERT_EQ(0, pb_nvme_io(self->nvme, WRITE, variant->nsid,
				self->memory.handle, 0, lba, blocks));
	ASSERT_EQ(0, pb_nvme_io(self->nvme, READ, variant->nsid,
				self->other.handle, 0, lba, blocks));
	EXPECT_TRUE(pb_holds(self->other.cpu, length, 12));
}

TEST_F(nvme, cannot_write)
{
	struct memory memory;

	make_memory(&memory, self->nvme, BAR, self->node, -1);
	memset(memory.cpu, 0x5a, PAGE);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 3, memory.handle, 0, 0, 8));
	EXPECT_TRUE(pb_is_zero(memory.cpu, PAGE));
	/* QEMU has no write protection; it lets the write fail. */
	EXPECT_EQ(-ENODATA, pb_nvme_io(self->nvme, WRITE, 3, memory.handle, 0,
				       0, 8));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, FLUSH, 3, 0, 0, 0, 0));
	drop_memory(&memory);
}

TEST_F(nvme, flush_and_fua)
{
	struct peerbuf_nvme_io io = {
		.size = sizeof(io),
		.flags = PEERBUF_NVME_FUA,
		.opcode = WRITE,
		.nsid = 1,
		.blocks = 16,
		.lba = 100,
	};
	struct memory memory;

	make_memory(&memory, self->nvme, BAR, self->node, -1);
	io.handle = memory.handle;
	pb_fill(memory.cpu, KIB(8), 21);
	EXPECT_EQ(0, pb_ioctl(self->nvme, PEERBUF_NVME_IOC_IO, &io));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, FLUSH, 1, 0, 0, 0, 0));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, FLUSH, 2, 0, 0, 0, 0));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, memory.handle, KIB(8),
				100, 16));
	EXPECT_TRUE(pb_holds(memory.cpu + KIB(8), KIB(8), 21));
	drop_memory(&memory);
}

/**
 * struct shape - of a dma-buf in pieces, and whether PRPs and SGLs can name it
 */
struct shape {
	/** @piece: bytes of a piece */
	unsigned int piece;
	/** @count: number of pieces */
	unsigned int count;
	/** @prp: what comes of it with PRPs only */
	int prp;
	/** @sgl: what comes of it where SGLs are allowed */
	int sgl;
};

static const struct shape shapes[] = {
	{ 4096, 32, 0, 0 },
	{ 2048, 32, 0, 0 },		/* commands of four blocks */
	{ 512, 96, 0, 0 },		/* and of one */
	{ 768, 64, -EXDEV, 0 },		/* blocks in two pieces */
	{ 1000, 512, -EXDEV, 0 },
	{ 36, 2048, -EXDEV, 0 },	/* segments of many */
	{ 65, 4096, -EXDEV, 0 },	/* bytes at odd addresses */
	{ 1, 4096, -EXDEV, -EXDEV },	/* more than a segment holds */
};

/* Put the bytes of @memory into the order of the dma-buf, or back. */
static void turn(char *to, const char *from, const struct shape *shape)
{
	unsigned int i;

	for (i = 0; i < shape->count; i++)
		memcpy(to + (shape->count - 1 - i) * shape->piece,
		       from + i * shape->piece, shape->piece);
}

static void move_pieces(struct __test_metadata *_metadata, int nvme,
			const struct memory *plain, const struct shape *shape,
			int expected)
{
	size_t length = shape->piece * shape->count;
	unsigned int blocks = length / 512, handle;
	int test = must(pb_open_test());
	int dmabuf = must(pb_test_pieces(test, shape->piece, shape->count));
	char *memory = pb_map(dmabuf, 0, length, RW);
	char *turned = malloc(length);

	length = blocks * 512;
	must(pb_nvme_import(nvme, dmabuf, BOTH, &handle));
	pb_fill(plain->cpu, length, 51);
	must(pb_nvme_io(nvme, WRITE, 1, plain->handle, 0, 3, blocks));
	EXPECT_EQ(expected, pb_nvme_io(nvme, READ, 1, handle, 0, 3, blocks))
		TH_LOG("pieces of %u", shape->piece);
	turn(turned, memory, shape);
	EXPECT_TRUE(expected || pb_holds(turned, length, 51));

	pb_fill(turned, shape->piece * shape->count, 52);
	turn(memory, turned, shape);
	EXPECT_EQ(expected, pb_nvme_io(nvme, WRITE, 1, handle, 0, 5, blocks));
	must(pb_nvme_io(nvme, READ, 1, plain->handle, 0, 5, blocks));
	EXPECT_TRUE(expected || pb_holds(plain->cpu, length, 52));

	must(pb_nvme_release(nvme, handle));
	munmap(memory, shape->piece * shape->count);
	free(turned);
	close(dmabuf);
	close(test);
}

TEST_F_TIMEOUT(nvme, pieces, TIMEOUT)
{
	struct memory plain;
	unsigned int i;

	make_memory(&plain, self->nvme, HEAP, -1, -1);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		must(pb_nvme_parameter("sgl", 0));
		move_pieces(_metadata, self->nvme, &plain, &shapes[i],
			    shapes[i].prp);
		must(pb_nvme_parameter("sgl", 1));
		move_pieces(_metadata, self->nvme, &plain, &shapes[i],
			    shapes[i].sgl);
	}
	drop_memory(&plain);
}

/* Two drives and one buffer: from one to the other, by way of the BAR. */
TEST_F(nvme, drive_to_drive)
{
	struct memory memory;
	unsigned int handle;
	struct pb_device drive = pb_drive(1);
	int second;

	second = must(pb_open_nvme(&drive, O_RDWR));
	make_memory(&memory, self->nvme, BAR, self->node, -1);
	must(pb_nvme_import(second, memory.dmabuf, BOTH, &handle));
	pb_fill(memory.cpu, LENGTH, 31);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, WRITE, 1, memory.handle, 0, 0,
				LENGTH / 512));
	memset(memory.cpu, 0, LENGTH);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, memory.handle, 0, 0,
				LENGTH / 512));
	EXPECT_EQ(0, pb_nvme_io(second, WRITE, 1, handle, 0, 7, LENGTH / 512));
	memset(memory.cpu, 0, LENGTH);
	EXPECT_EQ(0, pb_nvme_io(second, READ, 1, handle, 0, 7, LENGTH / 512));
	EXPECT_TRUE(pb_holds(memory.cpu, LENGTH, 31));
	drop_memory(&memory);
	close(second);
}

#define THREADS		8
#define ROUNDS		40
#define SHARE		(LENGTH / THREADS)

/* What a thread does, in its part of buffer and drive */
struct job {
	pthread_t thread;
	int nvme;
	const struct memory *memory;
	unsigned int nr;
	int error;
	bool wrong;
};

static void *write_and_read(void *arg)
{
	struct job *job = arg;
	size_t start = job->nr * SHARE, half = SHARE / 2;
	char *cpu = job->memory->cpu + start;
	unsigned int i, blocks = half / 512;
	__u64 lba = job->nr * 1000;

	for (i = 0; i < ROUNDS && !job->error && !job->wrong; i++) {
		__u64 seed = job->nr * ROUNDS + i;

		pb_fill(cpu, half, seed);
		job->error = pb_nvme_io(job->nvme, WRITE, 1,
					job->memory->handle, start, lba + i,
					blocks);
		if (!job->error)
			job->error = pb_nvme_io(job->nvme, READ, 1,
						job->memory->handle,
						start + half, lba + i, blocks);
		job->wrong = !pb_holds(cpu + half, half, seed);
	}
	return NULL;
}

static void run_threads(struct __test_metadata *_metadata, int nvme,
			const struct memory *memory)
{
	struct job jobs[THREADS] = {};
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		jobs[i].nvme = nvme;
		jobs[i].memory = memory;
		jobs[i].nr = i;
		ASSERT_EQ(0, pthread_create(&jobs[i].thread, NULL,
					    write_and_read, &jobs[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(jobs[i].thread, NULL);
		EXPECT_EQ(0, jobs[i].error);
		EXPECT_FALSE(jobs[i].wrong);
	}
}

/* One file, one import, many threads. */
TEST_F_TIMEOUT(nvme, threads, TIMEOUT)
{
	struct memory memory;

	make_memory(&memory, self->nvme, BAR, self->node, -1);
	run_threads(_metadata, self->nvme, &memory);
	drop_memory(&memory);
}

static void rebind(const FIXTURE_DATA(nvme) *self, unsigned int depth)
{
	must(pb_nvme_parameter("queue_depth", depth));
	must(pb_unbind(&self->drive));
	must(pb_bind(&self->drive, "peerbuf_nvme"));
}

/* Down to a single command at a time: who has a place passes it on. */
TEST_F_TIMEOUT(nvme, shallow_queues, TIMEOUT)
{
	const unsigned int depths[] = { 2, 3, 5 };
	struct peerbuf_nvme_info info;
	struct memory memory;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(depths); i++) {
		rebind(self, depths[i]);
		close(self->nvme);
		self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
		must(pb_nvme_info(self->nvme, 1, &info));
		EXPECT_EQ(depths[i] - 1, info.depth);
		make_memory(&memory, self->nvme, BAR, self->node, -1);
		run_threads(_metadata, self->nvme, &memory);
		pb_fill(memory.cpu, LENGTH, depths[i]);
		EXPECT_EQ(0, pb_nvme_io(self->nvme, WRITE, 1, memory.handle, 0,
					9, LENGTH / 512));
		memset(memory.cpu, 0, LENGTH);
		EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, memory.handle, 0,
					9, LENGTH / 512));
		EXPECT_TRUE(pb_holds(memory.cpu, LENGTH, depths[i]));
		drop_memory(&memory);
	}
	rebind(self, 256);
}

#define DEPTH		1024	/* more than both queues hold */
#define PIECE		KIB(4)

static void queue_io(struct pb_uring *ring, int nvme, unsigned int opcode,
		     unsigned int handle, __u64 offset, __u64 lba,
		     unsigned int blocks, __u64 tag)
{
	struct peerbuf_nvme_io io = {
		.size = sizeof(io),
		.opcode = opcode,
		.nsid = 1,
		.handle = handle,
		.blocks = blocks,
		.lba = lba,
		.offset = offset,
	};

	pb_uring_queue(ring, nvme, PEERBUF_NVME_IOC_IO, &io, sizeof(io), tag);
}

/* Submit all, and count those that end with @expected. */
static unsigned int complete_all(struct pb_uring *ring, unsigned int nr,
				 int expected)
{
	unsigned int seen = 0, good = 0;
	int result;
	__u64 tag;

	while (seen < nr) {
		must(pb_uring_submit(ring, 1));
		while (pb_uring_reap(ring, &tag, &result)) {
			seen++;
			good += result == expected;
		}
	}
	return good;
}

/* All of the buffer in small pieces, all at once, each to its own place. */
TEST_F_TIMEOUT(nvme, uring_full_depth, TIMEOUT)
{
	const unsigned int pieces = LENGTH / PIECE;
	struct memory memory, back;
	struct pb_uring ring;
	unsigned int i, n;

	must(pb_uring_open(&ring, DEPTH, true));
	make_memory(&memory, self->nvme, BAR, self->node, -1);
	make_memory(&back, self->nvme, HEAP, -1, -1);
	pb_fill(memory.cpu, LENGTH, 41);
	/* Over and over, backwards, so that the queues are full. */
	for (i = 0; i < DEPTH; i++) {
		n = (DEPTH - 1 - i) % pieces;
		queue_io(&ring, self->nvme, WRITE, memory.handle, n * PIECE,
			 n * (PIECE / 512), PIECE / 512, i);
	}
	EXPECT_EQ(DEPTH, complete_all(&ring, DEPTH, 0));
	for (i = 0; i < pieces; i++)
		queue_io(&ring, self->nvme, READ, back.handle, i * PIECE,
			 i * (PIECE / 512), PIECE / 512, i);
	EXPECT_EQ(pieces, complete_all(&ring, pieces, 0));
	EXPECT_TRUE(pb_holds(back.cpu, LENGTH, 41));

	/* Long ones that are split, at the same time. */
	memset(memory.cpu, 0, LENGTH);
	for (i = 0; i < 3; i++)
		queue_io(&ring, self->nvme, READ, memory.handle,
			 i * (LENGTH / 3), i * (LENGTH / 3 / 512),
			 LENGTH / 3 / 512, i);
	queue_io(&ring, self->nvme, FLUSH, 0, 0, 0, 0, 3);
	EXPECT_EQ(4, complete_all(&ring, 4, 0));
	EXPECT_TRUE(pb_holds(memory.cpu, LENGTH, 41));
	drop_memory(&back);
	drop_memory(&memory);
	pb_uring_close(&ring);
}

static int uring_result(struct pb_uring *ring, int nvme, unsigned int command,
			const void *arg, size_t size)
{
	int result = 1;
	__u64 tag = 0;

	pb_uring_queue(ring, nvme, command, arg, size, 77);
	must(pb_uring_submit(ring, 1));
	if (!pb_uring_reap(ring, &tag, &result) || tag != 77)
		fail("no completion");
	return result;
}

TEST_F(nvme, uring_errors)
{
	const unsigned int cmd = PEERBUF_NVME_IOC_IO;
	struct {
		struct peerbuf_nvme_io io;
		char tail[40];
	} arg = { .io = { .size = sizeof(arg.io), .nsid = 1, .blocks = 8 } };
	struct peerbuf_nvme_io *io = &arg.io;
	struct pb_uring ring, small;
	struct memory memory;

	must(pb_uring_open(&ring, 8, true));
	must(pb_uring_open(&small, 8, false));
	make_memory(&memory, self->nvme, BAR, self->node, -1);
	io->handle = memory.handle;

	EXPECT_EQ(0, uring_result(&ring, self->nvme, cmd, &arg, sizeof(arg)));
	EXPECT_EQ(-EINVAL, uring_result(&small, self->nvme, cmd, &arg, 16));
	EXPECT_EQ(-ENOTTY, uring_result(&ring, self->nvme,
					PEERBUF_NVME_IOC_RESET, &arg,
					sizeof(arg)));
	EXPECT_EQ(-EOPNOTSUPP, uring_result(&ring, self->node, cmd, &arg,
					    sizeof(arg)));
	for (io->size = 0; io->size < sizeof(*io); io->size++)
		EXPECT_EQ(-EINVAL, uring_result(&ring, self->nvme, cmd, &arg,
						sizeof(arg)));
	io->size = sizeof(arg);
	EXPECT_EQ(0, uring_result(&ring, self->nvme, cmd, &arg, sizeof(arg)));
	arg.tail[39] = 1;
	EXPECT_EQ(-E2BIG, uring_result(&ring, self->nvme, cmd, &arg,
				       sizeof(arg)));
	io->size = sizeof(arg) - 1;
	EXPECT_EQ(0, uring_result(&ring, self->nvme, cmd, &arg, sizeof(arg)));
	io->size = sizeof(arg) + 1;
	EXPECT_EQ(-E2BIG, uring_result(&ring, self->nvme, cmd, &arg,
				       sizeof(arg)));
	io->size = sizeof(*io);
	io->handle = 99;
	EXPECT_EQ(-ENOENT, uring_result(&ring, self->nvme, cmd, &arg,
					sizeof(arg)));
	io->handle = memory.handle;
	io->lba = DRIVE_LENGTH / 512 - 7;
	EXPECT_EQ(-ERANGE, uring_result(&ring, self->nvme, cmd, &arg,
					sizeof(arg)));
	io->nsid = 9;
	EXPECT_EQ(-ENXIO, uring_result(&ring, self->nvme, cmd, &arg,
				       sizeof(arg)));
	drop_memory(&memory);
	pb_uring_close(&small);
	pb_uring_close(&ring);
}

TEST_HARNESS_MAIN
