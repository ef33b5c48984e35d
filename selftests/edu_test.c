// SPDX-License-Identifier: GPL-2.0-only
/*
 * The importer's own calls, linux/peerbuf_edu.h: bad inputs, and transfers with
 * a dma-buf of another exporter, which no topology refuses.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "abi.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		(4 * PAGE)
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE
#define TRACING		"/sys/kernel/tracing/"
#define FENCE_INIT	TRACING "events/dma_fence/dma_fence_init/enable"

union argument {
	struct peerbuf_edu_import import;
	struct peerbuf_edu_release release;
	struct peerbuf_edu_copy copy;
	struct peerbuf_edu_address address;
};

FIXTURE(edu) {
	struct pb_device importer;
	int edu;
	int dmabuf;			/* udmabuf */
	unsigned int handle;
};

FIXTURE_SETUP(edu)
{
	self->importer = pb_importer(0);
	self->edu = must(pb_open_edu(&self->importer));
	self->dmabuf = pb_udmabuf(LENGTH);
	must(pb_import(self->edu, self->dmabuf, &self->handle));
}

FIXTURE_TEARDOWN(edu)
{
	close(self->dmabuf);
	close(self->edu);
}

static const struct pb_command commands[] = {
	{
		.name = "IMPORT",
		.cmd = PEERBUF_EDU_IOC_IMPORT,
		.size = 16,
		.flags = offsetof(struct peerbuf_edu_import, flags),
		.known = PEERBUF_EDU_IMPORT_READ,
	}, {
		.name = "COPY",
		.cmd = PEERBUF_EDU_IOC_COPY,
		.size = 32,
		.flags = offsetof(struct peerbuf_edu_copy, flags),
	}, {
		.name = "ADDRESS",
		.cmd = PEERBUF_EDU_IOC_ADDRESS,
		.size = 32,
	}, {
		.name = "RELEASE",
		.cmd = PEERBUF_EDU_IOC_RELEASE,
		.size = 8,
	},
};

static void fill(const struct pb_command *command, void *to,
		 const void *fixture)
{
	const FIXTURE_DATA(edu) *self = fixture;
	union argument *arg = to;

	switch (command->cmd) {
	case PEERBUF_EDU_IOC_IMPORT:
		arg->import.fd = self->dmabuf;
		break;
	case PEERBUF_EDU_IOC_COPY:
		arg->copy.handle = self->handle;
		arg->copy.length = 16;
		break;
	case PEERBUF_EDU_IOC_ADDRESS:
		arg->address.handle = self->handle;
		break;
	default:
		arg->release.handle = self->handle;
	}
}

static struct pb_abi abi_of(const FIXTURE_DATA(edu) *self)
{
	return (struct pb_abi) {
		.fd = self->edu,
		.commands = commands,
		.nr_commands = ARRAY_SIZE(commands),
		.fill = fill,
		.fixture = self,
	};
}

TEST_F(edu, sizes)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_short_structs_refused(&abi));
	EXPECT_TRUE(pb_unknown_tails_refused(&abi));
	EXPECT_TRUE(pb_absurd_sizes_refused(&abi));
	EXPECT_TRUE(pb_zero_tails_taken(&abi));
}

TEST_F(edu, flags_and_pointers)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_flags_refused(&abi));
	EXPECT_TRUE(pb_bad_pointers_refused(&abi));
}

TEST_F(edu, unknown_commands)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_commands_refused(&abi));
}

/* A handle that user space never learnt of would be an import for ever. */
TEST_F(edu, import_that_cannot_be_reported)
{
	const struct pb_abi abi = abi_of(self);
	unsigned int handle;

	EXPECT_TRUE(pb_unwritable_refused(&abi, &commands[0]));
	EXPECT_EQ(0, pb_import(self->edu, self->dmabuf, &handle));
}

TEST_F(edu, descriptors)
{
	unsigned int handle;

	EXPECT_EQ(-EBADF, pb_import(self->edu, -1, &handle));
	EXPECT_EQ(-EBADF, pb_import(self->edu, 1000000, &handle));
	EXPECT_EQ(-EINVAL, pb_import(self->edu, self->edu, &handle));
	EXPECT_EQ(-EINVAL, pb_import(self->edu, STDIN_FILENO, &handle));
}

TEST_F(edu, handles)
{
	int other = must(pb_open_edu(&self->importer));
	unsigned int handles[128], count = 0, i;
	int ret, dmabuf;

	EXPECT_EQ(-ENOENT, pb_release(self->edu, self->handle + 1000));
	EXPECT_EQ(-ENOENT, pb_release(self->edu, 0));
	EXPECT_EQ(-ENOENT, pb_release(other, self->handle));
	EXPECT_EQ(-ENOENT, pb_copy(other, self->handle, TO_ENGINE, 0, 0, 1));

	/* Memory of their own: DMA_API_DEBUG counts mappings of the same. */
	do {
		dmabuf = pb_udmabuf(LENGTH);
		ret = pb_import(other, dmabuf, &handles[count]);
		close(dmabuf);
	} while (!ret && ++count < ARRAY_SIZE(handles));
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_LE(16, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, pb_release(other, handles[i]));
	EXPECT_EQ(-ENOENT, pb_release(other, handles[0]));
	EXPECT_EQ(0, pb_import(other, self->dmabuf, &handles[0]));
	close(other);

	EXPECT_EQ(0, pb_release(self->edu, self->handle));
	EXPECT_EQ(-ENOENT, pb_release(self->edu, self->handle));
	EXPECT_EQ(-ENOENT, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				   1));
}

struct bad_copy {
	unsigned int direction;
	__u64 offset;
	unsigned int engine;
	unsigned int length;
	int error;
};

static const struct bad_copy bad_copies[] = {
	{ 2, 0, 0, 1, EINVAL },
	{ ~0U, 0, 0, 1, EINVAL },
	{ TO_ENGINE, 0, 0, 0, EINVAL },
	{ TO_ENGINE, 0, 0, PAGE + 1, ERANGE },
	{ TO_ENGINE, 0, 1, PAGE, ERANGE },
	{ TO_ENGINE, 0, PAGE, 1, ERANGE },
	{ TO_ENGINE, 0, ~0U, 1, ERANGE },
	{ TO_ENGINE, 0, 0, ~0U, ERANGE },
	{ TO_ENGINE, LENGTH, 0, 1, ERANGE },
	{ FROM_ENGINE, LENGTH - 1, 0, 2, ERANGE },
	{ FROM_ENGINE, 1ULL << 63, 0, 1, ERANGE },
	{ FROM_ENGINE, -1ULL, 0, 1, EOVERFLOW },
};

TEST_F(edu, bad_copies)
{
	const struct bad_copy *bad;

	for (bad = bad_copies; bad < bad_copies + ARRAY_SIZE(bad_copies); bad++)
		EXPECT_EQ(-bad->error,
			  pb_copy(self->edu, self->handle, bad->direction,
				  bad->offset, bad->engine, bad->length))
			TH_LOG("case %zu", bad - bad_copies);
}

TEST_F(edu, addresses_need_a_privilege)
{
	__u64 address, contiguous;
	pid_t child;

	EXPECT_EQ(0, pb_address(self->edu, self->handle, 0, &address,
				&contiguous));
	EXPECT_LE(PAGE, contiguous);
	EXPECT_EQ(-ERANGE, pb_address(self->edu, self->handle, LENGTH, &address,
				      &contiguous));
	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		_exit(pb_address(self->edu, self->handle, 0, &address,
				 &contiguous) != -EACCES);
	}
	EXPECT_EQ(0, pb_join(child));
}

TEST_F(edu, ordinary_memory)
{
	/* Without DMA_BUF_IOCTL_SYNC, in which udmabuf mixes up directions. */
	char *memory = pb_map(self->dmabuf, 0, LENGTH, RW);

	pb_fill(memory, PAGE, 61);
	pb_fill(memory + PAGE, PAGE, 62);
	must(pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, PAGE));
	must(pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0, PAGE));
	EXPECT_TRUE(pb_holds(memory + PAGE, PAGE, 61));
	EXPECT_TRUE(pb_holds(memory, PAGE, 61));
	munmap(memory, LENGTH);
}

static unsigned int count_traced(const char *words)
{
	FILE *trace = fopen(TRACING "trace", "re");
	unsigned int count = 0;
	char line[1024];

	if (!trace)
		fail("no trace");
	while (fgets(line, sizeof(line), trace))
		count += !!strstr(line, words);
	fclose(trace);
	return count;
}

/* Whoever looks into a stuck wait reads there whose job it is. */
TEST_F(edu, job_has_a_name)
{
	char words[96];

	must(pb_write_file(TRACING "trace", ""));
	must(pb_write_file(FENCE_INIT, "1"));
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, 16));
	must(pb_write_file(FENCE_INIT, "0"));

	snprintf(words, sizeof(words), "driver=peerbuf timeline=%s ",
		 self->importer.name);
	EXPECT_EQ(1, count_traced(words));
}

TEST_F(edu, import_keeps_the_memory)
{
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, 16));
}

TEST_HARNESS_MAIN
