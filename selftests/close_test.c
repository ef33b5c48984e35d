// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four things keep a buffer, or its owner's rights, alive: the file that it was
 * exported from, its dma-buf, a mapping, and an import. They end in every order,
 * and after each end, what must still work works, and what must not does not.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		(4 * PAGE)
#define POOL_LENGTH	MIB(1)
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE

enum thing {
	FILE_OF_OWNER,
	DMABUF,
	MAPPING,
	IMPORT,
	NR_THINGS,
};

static const char * const thing_names[NR_THINGS] = {
	"file", "dma-buf", "mapping", "import",
};

FIXTURE(close) {
	struct pb_device provider;
	struct pb_device importer;
	int edu;
	int test;
	struct pb_state start;
	/* of one run */
	bool open[NR_THINGS];
	int file;
	int dmabuf;
	char *memory;
	unsigned int handle;
};

FIXTURE_VARIANT(close) {
	bool pooled;
	bool used;		/* data is moved before, and in between */
};

FIXTURE_VARIANT_ADD(close, node) { .pooled = false, .used = false };
FIXTURE_VARIANT_ADD(close, node_used) { .pooled = false, .used = true };
FIXTURE_VARIANT_ADD(close, pool) { .pooled = true, .used = false };
FIXTURE_VARIANT_ADD(close, pool_used) { .pooled = true, .used = true };

FIXTURE_SETUP(close)
{
	struct pb_device engine = pb_importer(0);

	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->edu = must(pb_open_edu(&engine));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
}

FIXTURE_TEARDOWN(close)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->test);
	close(self->edu);
}

/* The engine moves data where there is a route; else any importer maps. */
static bool by_engine(const FIXTURE_VARIANT(close) *variant)
{
	return variant->used && pb_expect()->data;
}

static void make_things(FIXTURE_DATA(close) *self,
			const FIXTURE_VARIANT(close) *variant)
{
	int node = must(pb_open_node(&self->provider, O_RDWR));

	self->file = node;
	if (variant->pooled) {
		self->file = must(pb_pool(node, MIB(8), POOL_LENGTH));
		close(node);
	}
	self->dmabuf = must(pb_export_at(self->file, 0, 0, LENGTH, NULL));
	self->memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	if (by_engine(variant)) {
		must(pb_import(self->edu, self->dmabuf, &self->handle));
	} else {
		must(pb_test_attach(self->test, self->dmabuf, &self->importer,
				    PEERBUF_TEST_REVOCABLE, 0, &self->handle));
		must(pb_test_call(self->test, PEERBUF_TEST_MAP, self->handle));
	}
	if (variant->used)
		pb_fill(self->memory, LENGTH, 1);
	memset(self->open, true, sizeof(self->open));
}

static void end_import(FIXTURE_DATA(close) *self,
		       const FIXTURE_VARIANT(close) *variant)
{
	if (by_engine(variant))
		must(pb_release(self->edu, self->handle));
	else
		must(pb_test_call(self->test, PEERBUF_TEST_DETACH,
				  self->handle));
}

static void end_thing(FIXTURE_DATA(close) *self,
		      const FIXTURE_VARIANT(close) *variant, enum thing thing)
{
	switch (thing) {
	case FILE_OF_OWNER:
		close(self->file);
		break;
	case DMABUF:
		close(self->dmabuf);
		break;
	case MAPPING:
		munmap(self->memory, LENGTH);
		break;
	default:
		end_import(self, variant);
	}
	self->open[thing] = false;
}

/* Whether the import can move data, or at least has its mapping. */
static int use_import(const FIXTURE_DATA(close) *self,
		      const FIXTURE_VARIANT(close) *variant)
{
	if (by_engine(variant))
		return pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0,
			       64);
	return pb_test_mapped(self->test, self->handle) ? 0 : -ENODEV;
}

static void check_things(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(close) *self,
			 const FIXTURE_VARIANT(close) *variant)
{
	bool exists = self->open[DMABUF] || self->open[MAPPING] ||
		      self->open[IMPORT];
	bool revoked = variant->pooled && !self->open[FILE_OF_OWNER];
	struct peerbuf_provider_info provider;
	struct peerbuf_buffer_info buffer;

	must(pb_provider_info(&self->provider, &provider));
	EXPECT_EQ(self->start.nr_buffers + exists, provider.nr_buffers);
	if (self->open[DMABUF]) {
		EXPECT_EQ(0, pb_buffer(self->dmabuf, &buffer, NULL, 0));
		EXPECT_EQ(revoked, !!(buffer.flags & PEERBUF_BUFFER_REVOKED));
	}
	if (self->open[MAPPING]) {
		EXPECT_EQ(revoked ? SIGBUS : 0, pb_touch(self->memory, true));
		EXPECT_TRUE(revoked || !variant->used ||
			    pb_holds(self->memory, PAGE, 1));
	}
	if (!self->open[IMPORT])
		return;
	EXPECT_EQ(revoked ? -ENODEV : 0, use_import(self, variant));
}

static void check_memory(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(close) *self,
			 const FIXTURE_VARIANT(close) *variant)
{
	bool exists = self->open[DMABUF] || self->open[MAPPING] ||
		      self->open[IMPORT];
	bool lends = variant->pooled ? self->open[FILE_OF_OWNER] : exists;
	struct peerbuf_window_info window;

	must(pb_window(&self->provider, 0, &window));
	/* A pool that is closed keeps nothing, whatever of its buffers is open. */
	EXPECT_EQ(!lends ? 0 : variant->pooled ? POOL_LENGTH : LENGTH,
		  self->start.available - window.available);
}

static void run_order(struct __test_metadata *_metadata,
		      FIXTURE_DATA(close) *self,
		      const FIXTURE_VARIANT(close) *variant,
		      const enum thing *order)
{
	unsigned int i;

	make_things(self, variant);
	check_things(_metadata, self, variant);
	for (i = 0; i < NR_THINGS; i++) {
		end_thing(self, variant, order[i]);
		check_things(_metadata, self, variant);
		check_memory(_metadata, self, variant);
		if (_metadata->exit_code)
			fail("%s, %s, %s, %s: after number %u",
			     thing_names[order[0]], thing_names[order[1]],
			     thing_names[order[2]], thing_names[order[3]],
			     i + 1);
	}
}

/* Order number @n of NR_THINGS!, by taking one after the other out of a list. */
static void nth_order(unsigned int n, enum thing *order)
{
	enum thing left[NR_THINGS] = { FILE_OF_OWNER, DMABUF, MAPPING, IMPORT };
	unsigned int count, pick;

	for (count = NR_THINGS; count; count--) {
		pick = n % count;
		n /= count;
		*order++ = left[pick];
		left[pick] = left[count - 1];
	}
}

TEST_F_TIMEOUT(close, every_order, 120)
{
	enum thing order[NR_THINGS];
	unsigned int n;

	for (n = 0; n < 24; n++) {
		nth_order(n, order);
		run_order(_metadata, self, variant, order);
	}
}

/* The same, but the kernel does it, when the process ends. */
TEST_F(close, by_exit)
{
	pid_t child;
	int i;

	for (i = 0; i < 5; i++) {
		child = pb_fork();
		if (!child) {
			int test = must(pb_open_test());
			struct pb_device engine = pb_importer(0);
			int edu = must(pb_open_edu(&engine));

			/* Files of its own, for the imports to end with it. */
			self->test = test;
			self->edu = edu;
			make_things(self, variant);
			check_things(_metadata, self, variant);
			if (i % 2)
				raise(SIGKILL);
			_exit(0);
		}
		EXPECT_EQ(i % 2 ? 128 + SIGKILL : 0, pb_join(child));
	}
}

/* A copy of every descriptor elsewhere: nothing ends before the last one. */
TEST_F(close, copies_elsewhere)
{
	int ready[2];
	struct peerbuf_provider_info info;
	char byte;
	pid_t child;

	ASSERT_EQ(0, pipe(ready));
	make_things(self, variant);
	child = pb_fork();
	if (!child) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) ? 1 : 0);
	}
	close(self->file);
	close(self->dmabuf);
	munmap(self->memory, LENGTH);
	EXPECT_EQ(0, use_import(self, variant));
	end_import(self, variant);
	must(pb_provider_info(&self->provider, &info));
	EXPECT_EQ(self->start.nr_buffers + 1, info.nr_buffers);
	close(ready[0]);
	close(ready[1]);
	EXPECT_EQ(0, pb_join(child));
}

TEST_HARNESS_MAIN
