// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of peerbuf_nvme, linux/peerbuf_nvme.h: every bad input and its
 * error, rights, handles, and arguments made of noise.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mman.h>

#include "abi.h"

#define RW		(PROT_READ | PROT_WRITE)
#define READ		PEERBUF_NVME_READ
#define WRITE		PEERBUF_NVME_WRITE
#define FLUSH		PEERBUF_NVME_FLUSH
#define BOTH		PEERBUF_NVME_BOTH
#define LENGTH		KIB(64)
#define BLOCKS		(MIB(64) / 512)

union argument {
	struct peerbuf_nvme_import import;
	struct peerbuf_nvme_release release;
	struct peerbuf_nvme_info info;
	struct peerbuf_nvme_io io;
	struct peerbuf_nvme_reset reset;
	char bytes[PB_MAX_ARGUMENT];
};

FIXTURE(call) {
	struct pb_device drive;
	struct pb_device provider;
	int node;
	int nvme;
	int dmabuf;
	__u64 id;
	unsigned int handle;
};

FIXTURE_SETUP(call)
{
	self->drive = pb_drive(0);
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
	self->dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &self->id));
	must(pb_nvme_import(self->nvme, self->dmabuf, BOTH, &self->handle));
}

FIXTURE_TEARDOWN(call)
{
	close(self->dmabuf);
	close(self->nvme);
	close(self->node);
}

static const struct pb_command commands[] = {
	{
		.name = "IMPORT",
		.cmd = PEERBUF_NVME_IOC_IMPORT,
		.size = 24,
		.flags = offsetof(struct peerbuf_nvme_import, flags),
	}, {
		.name = "INFO",
		.cmd = PEERBUF_NVME_IOC_INFO,
		.size = 112,
		.flags = offsetof(struct peerbuf_nvme_info, flags),
	}, {
		.name = "IO",
		.cmd = PEERBUF_NVME_IOC_IO,
		.size = 40,
		.flags = offsetof(struct peerbuf_nvme_io, flags),
		.misplaced = PEERBUF_NVME_FUA,	/* in a read */
	}, {
		.name = "RESET",
		.cmd = PEERBUF_NVME_IOC_RESET,
		.size = 8,
		.flags = offsetof(struct peerbuf_nvme_reset, flags),
	}, {
		.name = "RELEASE",
		.cmd = PEERBUF_NVME_IOC_RELEASE,
		.size = 8,
	},
};

static void fill(const struct pb_command *command, void *to,
		 const void *fixture)
{
	const FIXTURE_DATA(call) *self = fixture;
	union argument *arg = to;

	switch (command->cmd) {
	case PEERBUF_NVME_IOC_IMPORT:
		arg->import.fd = self->dmabuf;
		break;
	case PEERBUF_NVME_IOC_IO:
		arg->io.nsid = 1;
		arg->io.handle = self->handle;
		arg->io.blocks = 1;
		break;
	case PEERBUF_NVME_IOC_RELEASE:
		arg->release.handle = self->handle;
		break;
	}
}

static struct pb_abi abi_of(const FIXTURE_DATA(call) *self)
{
	return (struct pb_abi) {
		.fd = self->nvme,
		.commands = commands,
		.nr_commands = ARRAY_SIZE(commands),
		.fill = fill,
		.fixture = self,
	};
}

TEST_F(call, sizes)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_short_structs_refused(&abi));
	EXPECT_TRUE(pb_unknown_tails_refused(&abi));
	EXPECT_TRUE(pb_absurd_sizes_refused(&abi));
	EXPECT_TRUE(pb_zero_tails_taken(&abi));
}

TEST_F(call, flags_and_pointers)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_flags_refused(&abi));
	EXPECT_TRUE(pb_bad_pointers_refused(&abi));
}

TEST_F(call, reserved_members)
{
	const struct pb_abi abi = abi_of(self);
	union argument arg;

	pb_argument(&abi, &commands[0], &arg);
	arg.import.reserved = 1;
	EXPECT_TRUE(pb_refused(&abi, &commands[0], &arg, EINVAL, "reserved",
			       1));
	pb_argument(&abi, &commands[0], &arg);
	arg.import.direction = 3;
	EXPECT_TRUE(pb_refused(&abi, &commands[0], &arg, EINVAL, "direction",
			       3));
	pb_argument(&abi, &commands[1], &arg);
	arg.info.reserved = 1;
	EXPECT_TRUE(pb_refused(&abi, &commands[1], &arg, EINVAL, "reserved",
			       1));
}

TEST_F(call, unknown_commands)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_commands_refused(&abi));
}

/* A handle that user space never learnt of would be an import for ever. */
TEST_F(call, import_that_cannot_be_reported)
{
	const struct pb_abi abi = abi_of(self);
	unsigned int handle;

	EXPECT_TRUE(pb_unwritable_refused(&abi, &commands[0]));
	EXPECT_EQ(0, pb_nvme_import(self->nvme, self->dmabuf, BOTH, &handle));
}

TEST_F(call, descriptors)
{
	unsigned int handle;

	EXPECT_EQ(-EBADF, pb_nvme_import(self->nvme, -1, BOTH, &handle));
	EXPECT_EQ(-EBADF, pb_nvme_import(self->nvme, 1000000, BOTH, &handle));
	EXPECT_EQ(-EINVAL, pb_nvme_import(self->nvme, self->nvme, BOTH,
					  &handle));
	EXPECT_EQ(-EINVAL, pb_nvme_import(self->nvme, STDIN_FILENO, BOTH,
					  &handle));
	must(pb_revoke(self->node, self->id, 0));
	EXPECT_EQ(-ECANCELED, pb_nvme_import(self->nvme, self->dmabuf, BOTH,
					     &handle));
	EXPECT_EQ(-ECANCELED, pb_nvme_io(self->nvme, READ, 1, self->handle, 0,
					 0, 1));
}

TEST_F(call, handles)
{
	int other = must(pb_open_nvme(&self->drive, O_RDWR));
	unsigned int handles[128], count = 0, i;
	int ret, dmabuf;

	EXPECT_EQ(-ENOENT, pb_nvme_release(self->nvme, self->handle + 1000));
	EXPECT_EQ(-ENOENT, pb_nvme_release(self->nvme, 0));
	EXPECT_EQ(-ENOENT, pb_nvme_release(other, self->handle));
	EXPECT_EQ(-ENOENT, pb_nvme_io(other, READ, 1, self->handle, 0, 0, 1));

	do {
		dmabuf = pb_heap(PAGE);
		ret = pb_nvme_import(other, dmabuf, BOTH, &handles[count]);
		close(dmabuf);
	} while (!ret && ++count < ARRAY_SIZE(handles));
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(PEERBUF_NVME_MAX_IMPORTS, count);
	for (i = 0; i < count; i++)
		EXPECT_EQ(0, pb_nvme_release(other, handles[i]));
	EXPECT_EQ(-ENOENT, pb_nvme_release(other, handles[0]));
	EXPECT_EQ(0, pb_nvme_import(other, self->dmabuf, BOTH, &handles[0]));
	EXPECT_EQ(1, handles[0]);
	close(other);

	EXPECT_EQ(0, pb_nvme_release(self->nvme, self->handle));
	EXPECT_EQ(-ENOENT, pb_nvme_release(self->nvme, self->handle));
	EXPECT_EQ(-ENOENT, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0,
				      1));
}

TEST_F(call, import_keeps_the_memory)
{
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 8));
}

struct bad_io {
	unsigned int opcode;
	unsigned int nsid;
	__u64 offset;
	__u64 lba;
	unsigned int blocks;
	int error;
};

static const struct bad_io bad_ios[] = {
	{ 3, 1, 0, 0, 1, EINVAL },
	{ ~0U, 1, 0, 0, 1, EINVAL },
	{ READ, 0, 0, 0, 1, ENXIO },
	{ READ, 4, 0, 0, 1, ENXIO },
	{ READ, ~0U, 0, 0, 1, ENXIO },
	{ READ, 1, 0, 0, 0, EINVAL },
	{ WRITE, 1, 0, 0, 0, EINVAL },
	{ READ, 1, 1, 0, 1, EINVAL },
	{ READ, 1, 511, 0, 1, EINVAL },
	{ READ, 2, 512, 0, 1, EINVAL },
	{ READ, 1, 0, BLOCKS, 1, ERANGE },
	{ READ, 1, 0, BLOCKS - 1, 2, ERANGE },
	{ WRITE, 1, 0, BLOCKS - 1, 2, ERANGE },
	{ READ, 1, 0, 1ULL << 63, 1, ERANGE },
	{ READ, 1, 0, -1ULL, 1, EOVERFLOW },
	{ WRITE, 1, 0, -8ULL, 9, EOVERFLOW },
	{ READ, 1, LENGTH, 0, 1, ERANGE },
	{ READ, 1, LENGTH - 512, 0, 2, ERANGE },
	{ READ, 1, 0, 0, LENGTH / 512 + 1, ERANGE },
	{ READ, 1, -512ULL, 0, 1, EOVERFLOW },
	{ READ, 2, 0, 0, ~0U, ERANGE },
};

TEST_F(call, bad_transfers)
{
	const struct bad_io *bad;

	for (bad = bad_ios; bad < bad_ios + ARRAY_SIZE(bad_ios); bad++)
		EXPECT_EQ(-bad->error,
			  pb_nvme_io(self->nvme, bad->opcode, bad->nsid,
				     self->handle, bad->offset, bad->lba,
				     bad->blocks))
			TH_LOG("case %zu", bad - bad_ios);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, self->handle,
				LENGTH - 512, BLOCKS - 1, 1));
}

TEST_F(call, bad_flushes)
{
	EXPECT_EQ(-ENXIO, pb_nvme_io(self->nvme, FLUSH, 4, 0, 0, 0, 0));
	EXPECT_EQ(-ENXIO, pb_nvme_io(self->nvme, FLUSH, ~0U, 0, 0, 0, 0));
	EXPECT_EQ(-EINVAL, pb_nvme_io(self->nvme, FLUSH, 1, self->handle, 0, 0,
				      0));
	EXPECT_EQ(-EINVAL, pb_nvme_io(self->nvme, FLUSH, 1, 0, 512, 0, 0));
	EXPECT_EQ(-EINVAL, pb_nvme_io(self->nvme, FLUSH, 1, 0, 0, 1, 0));
	EXPECT_EQ(-EINVAL, pb_nvme_io(self->nvme, FLUSH, 1, 0, 0, 0, 1));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, FLUSH, 1, 0, 0, 0, 0));
}

TEST_F(call, rights)
{
	int reader = must(pb_open_nvme(&self->drive, O_RDONLY));
	unsigned int both, to, from;
	pid_t child;

	must(pb_nvme_import(reader, self->dmabuf, BOTH, &both));
	EXPECT_EQ(0, pb_nvme_io(reader, READ, 1, both, 0, 0, 1));
	EXPECT_EQ(-EACCES, pb_nvme_io(reader, WRITE, 1, both, 0, 0, 1));
	EXPECT_EQ(-EACCES, pb_nvme_reset(reader));
	close(reader);

	must(pb_nvme_import(self->nvme, self->dmabuf, PEERBUF_NVME_TO_DRIVE,
			    &to));
	must(pb_nvme_import(self->nvme, self->dmabuf, PEERBUF_NVME_FROM_DRIVE,
			    &from));
	EXPECT_EQ(-EACCES, pb_nvme_io(self->nvme, READ, 1, to, 0, 0, 1));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, WRITE, 1, to, 0, 0, 1));
	EXPECT_EQ(-EACCES, pb_nvme_io(self->nvme, WRITE, 1, from, 0, 0, 1));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, from, 0, 0, 1));

	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		/* The node is root's; what was opened is a right. */
		_exit(pb_open_nvme(&self->drive, O_RDONLY) != -EACCES ||
		      pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 1));
	}
	EXPECT_EQ(0, pb_join(child));
}

static __u64 noise(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Words near the edges of what is valid, or anywhere */
static __u32 noisy_word(__u64 *state)
{
	static const __u32 edges[] = {
		0, 1, 2, 3, 8, 40, 512, 4096, LENGTH, ~0U, 1U << 31,
	};
	__u64 random = noise(state);

	if (random & 3)
		return edges[(random >> 2) % ARRAY_SIZE(edges)];
	return random >> 32;
}

static bool is_documented(int ret)
{
	static const int errors[] = {
		0, EACCES, EBADF, E2BIG, EINVAL, ENOENT, ENOSPC, ENOTTY, ENXIO,
		EOPNOTSUPP, EOVERFLOW, ERANGE,
		ENODATA,	/* QEMU's third namespace cannot be written */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (ret == -errors[i])
			return true;
	return false;
}

/* Whatever comes in: a documented error or a success, and it still works. */
TEST_F_TIMEOUT(call, noise, 100)
{
	const struct pb_abi abi = abi_of(self);
	union argument arg;
	unsigned int round, i;
	__u64 state = 88172645463325252ULL;
	int ret;

	for (round = 0; round < 20000; round++) {
		const struct pb_command *command =
			&commands[noise(&state) % ARRAY_SIZE(commands)];
		__u32 *words = (__u32 *)&arg;

		if (command->cmd == PEERBUF_NVME_IOC_RESET && round % 64)
			continue;
		pb_argument(&abi, command, &arg);
		for (i = 0; i < command->size / 4; i++)
			if (!(noise(&state) % 4))
				words[i] = noisy_word(&state);
		ret = pb_ioctl(self->nvme, command->cmd, &arg);
		ASSERT_TRUE(is_documented(ret))
			TH_LOG("round %u: %s gave %d", round, command->name,
			       ret);
	}
	close(self->nvme);
	self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
	must(pb_nvme_import(self->nvme, self->dmabuf, BOTH, &self->handle));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 8));
}

TEST_HARNESS_MAIN
