/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every node of an importer refuses, whatever its calls do: structs of a
 * wrong size, unknown flags and commands, arguments that are no memory.
 */
#ifndef _PEERBUF_ABI_H
#define _PEERBUF_ABI_H

#include "peerbuf_lib.h"

#define PB_MAX_ARGUMENT	256	/* bytes, of a struct and what comes behind it */

/**
 * struct pb_command - a command, and the shape of its struct
 * @name: for messages
 * @cmd: the command
 * @size: of its struct
 * @flags: offset of the flags in it, 0 if there are none
 * @known: flags that are taken
 * @misplaced: flags that are known, but -EINVAL with what fill() makes
 */
struct pb_command {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t flags;
	__u32 known;
	__u32 misplaced;
};

/**
 * struct pb_abi - a node and all of its commands
 * @fd: the node
 * @commands: the one that takes away what the others need comes last
 * @nr_commands: their number
 * @fill: turns an argument of zeros, but for its size, into one that succeeds
 * @fixture: for @fill
 */
struct pb_abi {
	int fd;
	const struct pb_command *commands;
	unsigned int nr_commands;
	void (*fill)(const struct pb_command *command, void *arg,
		     const void *fixture);
	const void *fixture;
};

void pb_argument(const struct pb_abi *abi, const struct pb_command *command,
		 void *arg);
bool pb_refused(const struct pb_abi *abi, const struct pb_command *command,
		void *arg, int error, const char *why, unsigned long detail);
bool pb_short_structs_refused(const struct pb_abi *abi);
bool pb_unknown_tails_refused(const struct pb_abi *abi);
bool pb_absurd_sizes_refused(const struct pb_abi *abi);
bool pb_zero_tails_taken(const struct pb_abi *abi);
bool pb_unknown_flags_refused(const struct pb_abi *abi);
bool pb_bad_pointers_refused(const struct pb_abi *abi);
bool pb_unknown_commands_refused(const struct pb_abi *abi);
bool pb_unwritable_refused(const struct pb_abi *abi,
			   const struct pb_command *command);

#endif /* _PEERBUF_ABI_H */
