/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PEERBUF_IOCTL_H
#define _PEERBUF_IOCTL_H

#include <linux/stddef.h>
#include <linux/types.h>
#include <uapi/linux/peerbuf.h>

struct file;

/**
 * struct peerbuf_call - one call of a user, while it is being answered
 * @file: where it came in
 * @arg: the argument, zero beyond what the user passed
 * @new_fd: a reserved descriptor that the handler wants filled, or -1
 * @new_file: what goes there; the dispatcher installs or drops it
 */
struct peerbuf_call {
	struct file *file;
	union {
		__u32 size;
		struct peerbuf_version version;
		struct peerbuf_provider_info provider;
		struct peerbuf_window_info window;
		struct peerbuf_route_query route;
		struct peerbuf_buffer_info buffer;
		struct peerbuf_path_query path;
		struct peerbuf_export export;
		struct peerbuf_revoke revoke;
		struct peerbuf_pool_create pool_create;
		struct peerbuf_pool_info pool_info;
	} arg;
	int new_fd;
	struct file *new_file;
};

/**
 * struct peerbuf_ioctl - how one command is answered
 * @cmd: the command
 * @min_size: size of the first version of the struct
 * @size: size of the struct that this kernel knows
 * @write: the file must be open for writing
 * @handler: checks flags and reserved fields, then does it
 */
struct peerbuf_ioctl {
	unsigned int cmd;
	u32 min_size;
	u32 size;
	bool write;
	int (*handler)(struct peerbuf_call *call);
};

/* @last is the last member of the first version of the struct. */
#define PEERBUF_IOCTL(_cmd, _struct, _last, _write, _handler)		\
	{								\
		.cmd = (_cmd),						\
		.min_size = offsetofend(_struct, _last) +		\
			    BUILD_BUG_ON_ZERO(offsetof(_struct, size)),	\
		.size = sizeof(_struct),				\
		.write = (_write),					\
		.handler = (_handler),					\
	}

long peerbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg,
		   const struct peerbuf_ioctl *table, size_t nr);

#endif /* _PEERBUF_IOCTL_H */
