// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad inputs that no call takes. Each function returns whether its rule holds
 * for every command, and says for which it does not.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "abi.h"

#define TAIL	64	/* bytes that a later version may have added */
#define ROUNDS	100	/* more than there are handles */

union argument {
	__u32 size;
	__u64 aligned;
	char bytes[PB_MAX_ARGUMENT];
};

static const struct pb_command *end_of(const struct pb_abi *abi)
{
	return abi->commands + abi->nr_commands;
}

/**
 * pb_argument() - make an argument that succeeds
 * @abi: the node
 * @command: the command
 * @arg: room for %PB_MAX_ARGUMENT bytes
 */
void pb_argument(const struct pb_abi *abi, const struct pb_command *command,
		 void *arg)
{
	__u32 size = command->size;

	memset(arg, 0, PB_MAX_ARGUMENT);
	memcpy(arg, &size, sizeof(size));
	abi->fill(command, arg, abi->fixture);
}

/**
 * pb_refused() - make a call that must fail, and leave no descriptor
 * @abi: the node
 * @command: the command
 * @arg: its argument
 * @error: errno to expect
 * @why: what is wrong with the call, for messages
 * @detail: number to go with @why
 *
 * Return: whether it was so.
 */
bool pb_refused(const struct pb_abi *abi, const struct pb_command *command,
		void *arg, int error, const char *why, unsigned long detail)
{
	unsigned int before = pb_nr_fds(), after;
	int ret = pb_ioctl(abi->fd, command->cmd, arg);

	after = pb_nr_fds();
	if (ret == -error && after == before)
		return true;
	fprintf(stderr, "# %s: %s %#lx: %d, not %d; %u descriptors, before %u\n",
		command->name, why, detail, ret, -error, after, before);
	return false;
}

/* pb_short_structs_refused() - Return: whether all are. */
bool pb_short_structs_refused(const struct pb_abi *abi)
{
	const struct pb_command *command;
	union argument arg;
	bool good = true;
	size_t size;

	for (command = abi->commands; command < end_of(abi); command++) {
		for (size = 0; size < command->size; size++) {
			pb_argument(abi, command, &arg);
			arg.size = size;
			good &= pb_refused(abi, command, &arg, EINVAL, "size",
					   size);
		}
	}
	return good;
}

/* pb_unknown_tails_refused() - Return: whether all are. */
bool pb_unknown_tails_refused(const struct pb_abi *abi)
{
	const struct pb_command *command;
	union argument arg;
	bool good = true;

	for (command = abi->commands; command < end_of(abi); command++) {
		pb_argument(abi, command, &arg);
		arg.size = command->size + TAIL;
		arg.bytes[command->size + TAIL - 1] = 1;
		good &= pb_refused(abi, command, &arg, E2BIG, "tail", TAIL);
	}
	return good;
}

/* pb_absurd_sizes_refused() - Return: whether all are. */
bool pb_absurd_sizes_refused(const struct pb_abi *abi)
{
	const struct pb_command *command;
	union argument arg;
	bool good = true;

	for (command = abi->commands; command < end_of(abi); command++) {
		pb_argument(abi, command, &arg);
		arg.size = PAGE + 8;
		good &= pb_refused(abi, command, &arg, E2BIG, "size",
				   arg.size);
	}
	return good;
}

/* pb_zero_tails_taken() - Return: whether all are. */
bool pb_zero_tails_taken(const struct pb_abi *abi)
{
	const struct pb_command *command;
	union argument arg;
	bool good = true;
	int ret;

	for (command = abi->commands; command < end_of(abi); command++) {
		pb_argument(abi, command, &arg);
		arg.size = command->size + TAIL;
		ret = pb_ioctl(abi->fd, command->cmd, &arg);
		if (ret)
			fprintf(stderr, "# %s: zero tail: %d, not 0\n",
				command->name, ret);
		good &= !ret;
	}
	return good;
}

static bool unknown_flags_refused(const struct pb_abi *abi,
				  const struct pb_command *command)
{
	union argument arg;
	unsigned int bit;
	bool good = true;

	for (bit = 0; bit < 32; bit++) {
		__u32 flag = 1U << bit;

		if (command->known & flag)
			continue;
		pb_argument(abi, command, &arg);
		memcpy(arg.bytes + command->flags, &flag, sizeof(flag));
		good &= pb_refused(abi, command, &arg,
				   command->misplaced & flag ? EINVAL :
							       EOPNOTSUPP,
				   "flag", flag);
	}
	return good;
}

/* pb_unknown_flags_refused() - Return: whether all are, and misplaced ones. */
bool pb_unknown_flags_refused(const struct pb_abi *abi)
{
	const struct pb_command *command;
	bool good = true;

	for (command = abi->commands; command < end_of(abi); command++)
		if (command->flags)
			good &= unknown_flags_refused(abi, command);
	return good;
}

/* pb_bad_pointers_refused() - Return: whether all are. */
bool pb_bad_pointers_refused(const struct pb_abi *abi)
{
	const struct pb_command *command;
	bool good = true;

	for (command = abi->commands; command < end_of(abi); command++) {
		good &= pb_refused(abi, command, NULL, EFAULT, "NULL", 0);
		good &= pb_refused(abi, command, (void *)(PAGE - 8), EFAULT,
				   "argument at", PAGE - 8);
	}
	return good;
}

static bool is_known(const struct pb_abi *abi, unsigned long cmd)
{
	const struct pb_command *command;

	for (command = abi->commands; command < end_of(abi); command++)
		if (command->cmd == cmd)
			return true;
	return false;
}

/* pb_unknown_commands_refused() - Return: whether all that are not listed are. */
bool pb_unknown_commands_refused(const struct pb_abi *abi)
{
	struct pb_command unknown = { .name = "unknown" };
	union argument arg = { .size = 16 };
	bool good = true;
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		unknown.cmd = _IO(PEERBUF_IOC_TYPE, nr);
		if (!is_known(abi, unknown.cmd))
			good &= pb_refused(abi, &unknown, &arg, ENOTTY, "nr",
					   nr);
	}
	return good;
}

/**
 * pb_unwritable_refused() - call with an argument that takes no results
 * @abi: the node
 * @command: a command that hands out one of a limited number
 *
 * So often that there would be none left, if a call that fails took one.
 *
 * Return: whether all calls failed.
 */
bool pb_unwritable_refused(const struct pb_abi *abi,
			   const struct pb_command *command)
{
	void *page = pb_map(-1, 0, PAGE, PROT_READ | PROT_WRITE);
	bool good = true;
	unsigned int i;

	pb_argument(abi, command, page);
	if (mprotect(page, PAGE, PROT_READ))
		fail("cannot make a page read-only");
	for (i = 0; i < ROUNDS; i++)
		good &= pb_refused(abi, command, page, EFAULT, "read-only", i);
	munmap(page, PAGE);
	return good;
}
