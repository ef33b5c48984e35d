// SPDX-License-Identifier: GPL-2.0-only
/*
 * The importer's own calls, linux/peerbuf_edu.h: bad inputs, and transfers with
 * a dma-buf of another exporter, which no topology refuses.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		(4 * PAGE)
#define TAIL		64
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE

union argument {
	__u32 size;
	struct peerbuf_edu_import import;
	struct peerbuf_edu_release release;
	struct peerbuf_edu_copy copy;
	struct peerbuf_edu_address address;
	char bytes[128];
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

struct command {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t flags;		/* offset, 0: none */
};

static const struct command commands[] = {
	{ "IMPORT", PEERBUF_EDU_IOC_IMPORT, 16,
	  offsetof(struct peerbuf_edu_import, flags) },
	{ "COPY", PEERBUF_EDU_IOC_COPY, 32,
	  offsetof(struct peerbuf_edu_copy, flags) },
	{ "ADDRESS", PEERBUF_EDU_IOC_ADDRESS, 32, 0 },
	{ "RELEASE", PEERBUF_EDU_IOC_RELEASE, 8, 0 },
};

#define LAST	(commands + ARRAY_SIZE(commands))

static void fill(const struct command *command, union argument *arg,
		 const FIXTURE_DATA(edu) *self)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = command->size;
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

static void refused(struct __test_metadata *_metadata,
		    const FIXTURE_DATA(edu) *self,
		    const struct command *command, void *arg, int error,
		    const char *why, unsigned long detail)
{
	unsigned int fds = pb_nr_fds();

	EXPECT_EQ(-error, pb_ioctl(self->edu, command->cmd, arg))
		TH_LOG("%s: %s %#lx", command->name, why, detail);
	EXPECT_EQ(fds, pb_nr_fds());
}

TEST_F(edu, sizes)
{
	const struct command *command;
	union argument arg;
	size_t size;

	for (command = commands; command < LAST; command++) {
		for (size = 0; size < command->size; size++) {
			fill(command, &arg, self);
			arg.size = size;
			refused(_metadata, self, command, &arg, EINVAL, "size",
				size);
		}
		fill(command, &arg, self);
		arg.size = command->size + TAIL;
		arg.bytes[command->size + TAIL - 1] = 1;
		refused(_metadata, self, command, &arg, E2BIG, "tail", TAIL);
		fill(command, &arg, self);
		arg.size = PAGE + 8;
		refused(_metadata, self, command, &arg, E2BIG, "size", PAGE);
	}
	for (command = commands; command < LAST; command++) {
		fill(command, &arg, self);
		arg.size = command->size + TAIL;
		EXPECT_EQ(0, pb_ioctl(self->edu, command->cmd, &arg))
			TH_LOG("%s with zero tail", command->name);
	}
}

TEST_F(edu, flags_and_pointers)
{
	const struct command *command;
	union argument arg;
	unsigned int bit;
	__u32 flag;

	for (command = commands; command < LAST; command++) {
		for (bit = 0; bit < 32 && command->flags; bit++) {
			flag = 1U << bit;
			fill(command, &arg, self);
			memcpy(arg.bytes + command->flags, &flag, sizeof(flag));
			refused(_metadata, self, command, &arg, EOPNOTSUPP,
				"flag", flag);
		}
		refused(_metadata, self, command, NULL, EFAULT, "NULL", 0);
		refused(_metadata, self, command, (void *)(PAGE - 8), EFAULT,
			"argument at", PAGE - 8);
	}
}

TEST_F(edu, unknown_commands)
{
	struct command unknown = { .name = "unknown" };
	union argument arg = { .size = 16 };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		unknown.cmd = _IO(PEERBUF_IOC_TYPE, nr);
		if (nr < 0x40 || nr > 0x43)
			refused(_metadata, self, &unknown, &arg, ENOTTY, "nr",
				nr);
	}
}

/* A handle that user space never learnt of would be an import for ever. */
TEST_F(edu, import_that_cannot_be_reported)
{
	char *page = pb_map(-1, 0, PAGE, RW);
	unsigned int handle, round;

	fill(&commands[0], (union argument *)page, self);
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	for (round = 0; round < 100; round++)
		refused(_metadata, self, &commands[0], page, EFAULT,
			"read-only", round);
	EXPECT_EQ(0, pb_import(self->edu, self->dmabuf, &handle));
	munmap(page, PAGE);
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

TEST_F(edu, import_keeps_the_memory)
{
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, 16));
}

TEST_HARNESS_MAIN
