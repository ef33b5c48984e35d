// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer that knows the grammar of the calls: files of all kinds, dma-bufs,
 * numbers and handles that calls give out are kept and used in others; what is
 * in a field is mostly what belongs there, and else a boundary or anything.
 *
 * Runs in rounds, each from one seed, in a child of its own, as root or as
 * nobody with descriptors that root left it. First come the seeds that reached
 * most (fuzz_seeds[]), then numbers from FUZZ_SEED on. Every error has to be one
 * that the header names for the call, and every round has to leave no traces.
 *
 *   FUZZ_CALLS  calls in all, default 20000
 *   FUZZ_SEED   of the first round after the known ones, default 2000
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define CALLS_PER_ROUND	1000
#define STUCK_S		30	/* no call takes as long */
#define SETTLE_MS	5000
#define MAX_FILES	48
#define MAX_NUMBERS	16
#define MAX_MAPPINGS	8
#define MAX_ERROR	134
#define SCRATCH		KIB(128)
#define TIMEOUT		(24 * 3600)	/* the machine ends first */

/* Rounds that reached outcomes which no other did, as the test reported them. */
static const __u64 fuzz_seeds[] = {
#include "fuzz.seeds"
};

/* Kinds of files, as bits. */
enum kind {
	CONTROL = 1, NODE = 2, POOL = 4, EDU = 8, NVME = 16, BUFFER = 32,
	FENCE = 64, WATCH = 128, IGB = 256, ANY = 511,
};

/* What belongs in a field. The last ones are filled in by the kernel. */
enum type {
	SIZE, FLAGS, SOME, FUNCTION, DMABUF, WINDOW, RANGES, FEW, ALIGN, OPEN, ID,
	OFFSET, LENGTH, ROOM, HANDLE, ZERO, SYNC, NAME, FENCE_FD, EXACT,
	NEW_FILE, NEW_ID, NEW_HANDLE,
};

/* One field. @known: valid flags; the kind of a new file; or the only value. */
struct field {
	__u16 offset;
	__u8 length;
	__u8 type;
	__u32 known;
};

/* One call. @weight: how often, beside the others. @errors: beside those of every call. */
struct call {
	const char *name;
	unsigned long cmd;
	unsigned int kinds;
	unsigned int weight;
	__u16 size;
	struct field fields[13];
	int errors[12];
};

#define AT(_struct, _field, _type, _known)		\
	{						\
		offsetof(struct _struct, _field),	\
		sizeof(((struct _struct *)0)->_field),	\
		_type, _known,				\
	}
#define NAMED(_cmd)	.name = #_cmd, .cmd = _cmd

#define EXPORT_FLAGS	(PEERBUF_EXPORT_SHARED | PEERBUF_EXPORT_ALLOW_PINNED | \
			 PEERBUF_EXPORT_ALLOW_STATIC | PEERBUF_EXPORT_DIRECT | \
			 PEERBUF_EXPORT_READ_ONLY)
#define POOL_FLAGS	(PEERBUF_POOL_READ_ONLY | PEERBUF_POOL_NO_STATIC | \
			 PEERBUF_POOL_NO_PINNED | PEERBUF_POOL_DIRECT)

static const struct call calls[] = {
	{
		NAMED(PEERBUF_IOC_VERSION), CONTROL, 2,
		sizeof(struct peerbuf_version),
		{
			AT(peerbuf_version, size, SIZE, 0),
			AT(peerbuf_version, flags, FLAGS, 0),
		},
	}, {
		NAMED(PEERBUF_IOC_PROVIDER), CONTROL, 5,
		sizeof(struct peerbuf_provider_info),
		{
			AT(peerbuf_provider_info, size, SIZE, 0),
			AT(peerbuf_provider_info, flags, FLAGS, 0),
			AT(peerbuf_provider_info, provider, FUNCTION, 0),
		},
	}, {
		NAMED(PEERBUF_IOC_WINDOW), CONTROL, 5,
		sizeof(struct peerbuf_window_info),
		{
			AT(peerbuf_window_info, size, SIZE, 0),
			AT(peerbuf_window_info, index, WINDOW, 0),
			AT(peerbuf_window_info, provider, FUNCTION, 0),
			AT(peerbuf_window_info, flags, FLAGS, 0),
		},
		{ ENOENT },
	}, {
		NAMED(PEERBUF_IOC_ROUTE), CONTROL, 5,
		sizeof(struct peerbuf_route_query),
		{
			AT(peerbuf_route_query, size, SIZE, 0),
			AT(peerbuf_route_query, flags, FLAGS, 0),
			AT(peerbuf_route_query, provider, FUNCTION, 0),
			AT(peerbuf_route_query, importer, FUNCTION, 0),
		},
		{ ENXIO },
	}, {
		NAMED(PEERBUF_IOC_BUFFER), CONTROL, 15,
		sizeof(struct peerbuf_buffer_info),
		{
			AT(peerbuf_buffer_info, size, SIZE, 0),
			AT(peerbuf_buffer_info, flags, FLAGS, 0),
			AT(peerbuf_buffer_info, fd, DMABUF, 0),
			AT(peerbuf_buffer_info, ranges, ROOM, 0),
			AT(peerbuf_buffer_info, nr_ranges, FEW, 0),
			AT(peerbuf_buffer_info, reserved, ZERO, 0),
		},
		{ EBADF, ENOSPC },
	}, {
		NAMED(PEERBUF_IOC_PATH), CONTROL, 5,
		sizeof(struct peerbuf_path_query),
		{
			AT(peerbuf_path_query, size, SIZE, 0),
			AT(peerbuf_path_query, flags, FLAGS, 0),
			AT(peerbuf_path_query, function, FUNCTION, 0),
			AT(peerbuf_path_query, ports, ROOM, 0),
			AT(peerbuf_path_query, nr_ports, FEW, 0),
			AT(peerbuf_path_query, reserved, ZERO, 0),
		},
		{ ENXIO, ENOSPC },
	}, {
		NAMED(PEERBUF_IOC_ROUTES), CONTROL, 3,
		sizeof(struct peerbuf_routes_query),
		{
			AT(peerbuf_routes_query, size, SIZE, 0),
			AT(peerbuf_routes_query, flags, FLAGS, 0),
			AT(peerbuf_routes_query, provider, FUNCTION, 0),
			AT(peerbuf_routes_query, routes, ROOM, 0),
			AT(peerbuf_routes_query, nr_routes, FEW, 0),
			AT(peerbuf_routes_query, reserved, ZERO, 0),
		},
		{ ENXIO },
	}, {
		NAMED(PEERBUF_IOC_WATCH), CONTROL, 12,
		sizeof(struct peerbuf_watch),
		{
			AT(peerbuf_watch, size, SIZE, 0),
			AT(peerbuf_watch, flags, FLAGS, 0),
			AT(peerbuf_watch, fd, DMABUF, 0),
			AT(peerbuf_watch, open_flags, EXACT, O_NONBLOCK),
			AT(peerbuf_watch, watch, NEW_FILE, WATCH),
		},
		{ EBADF, EMFILE, ENFILE },
	}, {
		NAMED(PEERBUF_IOC_BUFFERS), NODE, 8,
		sizeof(struct peerbuf_buffers_query),
		{
			AT(peerbuf_buffers_query, size, SIZE, 0),
			AT(peerbuf_buffers_query, flags, FLAGS, 0),
			AT(peerbuf_buffers_query, entries, ROOM, 0),
			AT(peerbuf_buffers_query, nr_entries, FEW, 0),
			AT(peerbuf_buffers_query, entry_size, EXACT,
			   sizeof(struct peerbuf_buffer_entry)),
		},
	}, {
		NAMED(PEERBUF_IOC_HOLDERS), NODE, 8,
		sizeof(struct peerbuf_holders_query),
		{
			AT(peerbuf_holders_query, size, SIZE, 0),
			AT(peerbuf_holders_query, flags, FLAGS, 0),
			AT(peerbuf_holders_query, id, ID, 0),
			AT(peerbuf_holders_query, entries, ROOM, 0),
			AT(peerbuf_holders_query, nr_entries, FEW, 0),
			AT(peerbuf_holders_query, entry_size, EXACT,
			   sizeof(struct peerbuf_holder_entry)),
		},
		{ ENOENT },
	}, {
		NAMED(PEERBUF_IOC_EXPORT), NODE | POOL, 60,
		sizeof(struct peerbuf_export),
		{
			AT(peerbuf_export, size, SIZE, 0),
			AT(peerbuf_export, flags, FLAGS, EXPORT_FLAGS),
			AT(peerbuf_export, window, WINDOW, 0),
			AT(peerbuf_export, nr_ranges, FEW, 0),
			AT(peerbuf_export, ranges, RANGES, 0),
			AT(peerbuf_export, align, ALIGN, 0),
			AT(peerbuf_export, open_flags, OPEN, 0),
			AT(peerbuf_export, fd, NEW_FILE, BUFFER),
			AT(peerbuf_export, id, NEW_ID, 0),
		},
		{ EACCES, EPERM, ENOENT, ERANGE, EBUSY, ENOSPC, EDQUOT, EMFILE,
		  ENFILE },
	}, {
		NAMED(PEERBUF_IOC_REVOKE), NODE | POOL, 15,
		sizeof(struct peerbuf_revoke),
		{
			AT(peerbuf_revoke, size, SIZE, 0),
			AT(peerbuf_revoke, flags, FLAGS, PEERBUF_REVOKE_NOWAIT),
			AT(peerbuf_revoke, id, ID, 0),
		},
		{ EACCES, ENOENT, EINPROGRESS },
	}, {
		NAMED(PEERBUF_IOC_POOL_CREATE), NODE, 15,
		sizeof(struct peerbuf_pool_create),
		{
			AT(peerbuf_pool_create, size, SIZE, 0),
			AT(peerbuf_pool_create, flags, FLAGS, POOL_FLAGS),
			AT(peerbuf_pool_create, window, WINDOW, 0),
			AT(peerbuf_pool_create, open_flags, OPEN, 1),
			AT(peerbuf_pool_create, offset, OFFSET, 0),
			AT(peerbuf_pool_create, length, LENGTH, 0),
			AT(peerbuf_pool_create, fd, NEW_FILE, POOL),
			AT(peerbuf_pool_create, reserved, ZERO, 0),
			AT(peerbuf_pool_create, quota, ALIGN, 0),
			AT(peerbuf_pool_create, align, ALIGN, 0),
			AT(peerbuf_pool_create, max_buffers, FEW, 0),
			AT(peerbuf_pool_create, id, NEW_ID, 0),
		},
		{ EACCES, ENOENT, ERANGE, EBUSY, EMFILE, ENFILE },
	}, {
		NAMED(PEERBUF_IOC_POOL_REVOKE), NODE, 8,
		sizeof(struct peerbuf_pool_revoke),
		{
			AT(peerbuf_pool_revoke, size, SIZE, 0),
			AT(peerbuf_pool_revoke, flags, FLAGS,
			   PEERBUF_REVOKE_NOWAIT),
			AT(peerbuf_pool_revoke, id, ID, 0),
		},
		{ EACCES, ENOENT, EINPROGRESS },
	}, {
		NAMED(PEERBUF_IOC_POOL_INFO), POOL, 5,
		sizeof(struct peerbuf_pool_info),
		{
			AT(peerbuf_pool_info, size, SIZE, 0),
			AT(peerbuf_pool_info, flags, FLAGS, 0),
		},
	}, {
		NAMED(PEERBUF_EDU_IOC_IMPORT), EDU, 20,
		sizeof(struct peerbuf_edu_import),
		{
			AT(peerbuf_edu_import, size, SIZE, 0),
			AT(peerbuf_edu_import, flags, FLAGS,
			   PEERBUF_EDU_IMPORT_READ),
			AT(peerbuf_edu_import, fd, DMABUF, 0),
			AT(peerbuf_edu_import, handle, NEW_HANDLE, 0),
		},
		{ EACCES, EBADF, ENOSPC },
	}, {
		NAMED(PEERBUF_EDU_IOC_RELEASE), EDU, 12,
		sizeof(struct peerbuf_edu_release),
		{
			AT(peerbuf_edu_release, size, SIZE, 0),
			AT(peerbuf_edu_release, handle, HANDLE, 0),
		},
		{ ENOENT },
	}, {
		NAMED(PEERBUF_EDU_IOC_ADDRESS), EDU, 10,
		sizeof(struct peerbuf_edu_address),
		{
			AT(peerbuf_edu_address, size, SIZE, 0),
			AT(peerbuf_edu_address, handle, HANDLE, 0),
			AT(peerbuf_edu_address, offset, OFFSET, 0),
		},
		{ ENOENT, ERANGE, EACCES },
	}, {
		/* seldom: the engine takes 100 ms for one that is valid */
		NAMED(PEERBUF_EDU_IOC_COPY), EDU, 1,
		sizeof(struct peerbuf_edu_copy),
		{
			AT(peerbuf_edu_copy, size, SIZE, 0),
			AT(peerbuf_edu_copy, handle, HANDLE, 0),
			AT(peerbuf_edu_copy, direction, FLAGS, 1),
			AT(peerbuf_edu_copy, length, LENGTH, 0),
			AT(peerbuf_edu_copy, offset, OFFSET, 0),
			AT(peerbuf_edu_copy, engine_offset, ZERO, 0),
			AT(peerbuf_edu_copy, flags, FLAGS, 0),
		},
		{ EACCES, ENOENT, ERANGE, EXDEV },
	}, {
		NAMED(PEERBUF_NVME_IOC_IMPORT), NVME, 15,
		sizeof(struct peerbuf_nvme_import),
		{
			AT(peerbuf_nvme_import, size, SIZE, 0),
			AT(peerbuf_nvme_import, flags, FLAGS, 0),
			AT(peerbuf_nvme_import, fd, DMABUF, 0),
			AT(peerbuf_nvme_import, direction, FLAGS, 1),
			AT(peerbuf_nvme_import, handle, NEW_HANDLE, 0),
			AT(peerbuf_nvme_import, reserved, ZERO, 0),
		},
		{ EACCES, EBADF, ENOSPC, ECANCELED },
	}, {
		NAMED(PEERBUF_NVME_IOC_RELEASE), NVME, 10,
		sizeof(struct peerbuf_nvme_release),
		{
			AT(peerbuf_nvme_release, size, SIZE, 0),
			AT(peerbuf_nvme_release, handle, HANDLE, 0),
		},
		{ ENOENT },
	}, {
		NAMED(PEERBUF_NVME_IOC_INFO), NVME, 5,
		sizeof(struct peerbuf_nvme_info),
		{
			AT(peerbuf_nvme_info, size, SIZE, 0),
			AT(peerbuf_nvme_info, flags, FLAGS, 0),
			AT(peerbuf_nvme_info, nsid, FEW, 0),
			AT(peerbuf_nvme_info, reserved, ZERO, 0),
		},
		{ ENXIO },
	}, {
		NAMED(PEERBUF_NVME_IOC_IO), NVME, 20,
		sizeof(struct peerbuf_nvme_io),
		{
			AT(peerbuf_nvme_io, size, SIZE, 0),
			AT(peerbuf_nvme_io, flags, FLAGS, PEERBUF_NVME_FUA),
			AT(peerbuf_nvme_io, opcode, FLAGS, 1),
			AT(peerbuf_nvme_io, nsid, FEW, 0),
			AT(peerbuf_nvme_io, handle, HANDLE, 0),
			AT(peerbuf_nvme_io, blocks, FEW, 0),
			AT(peerbuf_nvme_io, lba, OFFSET, 0),
			AT(peerbuf_nvme_io, offset, OFFSET, 0),
		},
		{ EACCES, ENOENT, ERANGE, EROFS, ECANCELED, EXDEV, ENXIO },
	}, {
		NAMED(PEERBUF_IGB_IOC_INFO), IGB, 3,
		sizeof(struct peerbuf_igb_info),
		{
			AT(peerbuf_igb_info, size, SIZE, 0),
			AT(peerbuf_igb_info, reserved, ZERO, 0),
			AT(peerbuf_igb_info, reserved2, ZERO, 0),
		},
	}, {
		/* seldom: the link goes down with it */
		NAMED(PEERBUF_IGB_IOC_SET), IGB, 1,
		sizeof(struct peerbuf_igb_set),
		{
			AT(peerbuf_igb_set, size, SIZE, 0),
			AT(peerbuf_igb_set, fields, EXACT,
			   PEERBUF_IGB_SET_SLOT_SIZE),
			AT(peerbuf_igb_set, loopback, ZERO, 0),
			AT(peerbuf_igb_set, slot_size, EXACT,
			   PEERBUF_IGB_SLOT_UNIT),
			AT(peerbuf_igb_set, eventfd, ZERO, 0),
			AT(peerbuf_igb_set, reserved, ZERO, 0),
		},
		{ EBUSY, EBADF, EIO },
	}, {
		NAMED(PEERBUF_IGB_IOC_IMPORT), IGB, 15,
		sizeof(struct peerbuf_igb_import),
		{
			AT(peerbuf_igb_import, size, SIZE, 0),
			AT(peerbuf_igb_import, flags, SOME,
			   PEERBUF_IGB_SEND | PEERBUF_IGB_RECV),
			AT(peerbuf_igb_import, fd, DMABUF, 0),
			AT(peerbuf_igb_import, handle, NEW_HANDLE, 0),
		},
		{ EACCES, EBADF, ENOSPC },
	}, {
		NAMED(PEERBUF_IGB_IOC_RELEASE), IGB, 10,
		sizeof(struct peerbuf_igb_release),
		{
			AT(peerbuf_igb_release, size, SIZE, 0),
			AT(peerbuf_igb_release, handle, HANDLE, 0),
		},
		{ ENOENT },
	}, {
		NAMED(PEERBUF_IGB_IOC_POST_SEND), IGB, 30,
		sizeof(struct peerbuf_igb_post),
		{
			AT(peerbuf_igb_post, size, SIZE, 0),
			AT(peerbuf_igb_post, handle, HANDLE, 0),
			AT(peerbuf_igb_post, offset, OFFSET, 0),
			AT(peerbuf_igb_post, length, EXACT, 1024),
			AT(peerbuf_igb_post, flags, FLAGS, 0),
		},
		{ EACCES, ENOENT, EMSGSIZE, ERANGE, EXDEV, ENETDOWN, EIO },
	}, {
		NAMED(PEERBUF_IGB_IOC_POST_RECV), IGB, 30,
		sizeof(struct peerbuf_igb_post),
		{
			AT(peerbuf_igb_post, size, SIZE, 0),
			AT(peerbuf_igb_post, handle, HANDLE, 0),
			AT(peerbuf_igb_post, offset, OFFSET, 0),
			AT(peerbuf_igb_post, length, LENGTH, 0),
			AT(peerbuf_igb_post, flags, FLAGS, 0),
		},
		{ EACCES, ENOENT, EMSGSIZE, ERANGE, EXDEV, ECANCELED, EIO },
	}, {
		NAMED(PEERBUF_IGB_IOC_REAP), IGB, 5,
		sizeof(struct peerbuf_igb_reap),
		{
			AT(peerbuf_igb_reap, size, SIZE, 0),
			AT(peerbuf_igb_reap, nr, FEW, 0),
			AT(peerbuf_igb_reap, completions, ROOM, 0),
		},
	}, {
		NAMED(DMA_BUF_IOCTL_SYNC), BUFFER, 10,
		sizeof(struct dma_buf_sync),
		{ AT(dma_buf_sync, flags, SYNC, 0) },
		{ EACCES },
	}, {
		NAMED(DMA_BUF_SET_NAME_B), BUFFER, 5, 64,
		{ { 0, 8, NAME, 0 } },
	}, {
		NAMED(DMA_BUF_IOCTL_EXPORT_SYNC_FILE), BUFFER, 6,
		sizeof(struct dma_buf_export_sync_file),
		{
			AT(dma_buf_export_sync_file, flags, FLAGS,
			   DMA_BUF_SYNC_RW),
			AT(dma_buf_export_sync_file, fd, NEW_FILE, FENCE),
		},
		{ EMFILE, ENFILE },
	}, {
		NAMED(DMA_BUF_IOCTL_IMPORT_SYNC_FILE), BUFFER, 6,
		sizeof(struct dma_buf_import_sync_file),
		{
			AT(dma_buf_import_sync_file, flags, FLAGS,
			   DMA_BUF_SYNC_RW),
			AT(dma_buf_import_sync_file, fd, FENCE_FD, 0),
		},
	},
};

/* Errors that each call can return: the head of linux/peerbuf.h. */
static const int common_errors[] = {
	EINVAL, E2BIG, EOPNOTSUPP, EFAULT, EOVERFLOW, ENODEV, ENOMEM, EINTR,
	EAGAIN,
};

static const __u64 boundaries[] = {
	0, 1, 2, 7, PAGE - 1, PAGE, PAGE + 1, MIB(64), MIB(64) + PAGE,
	0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 63,
	-1ULL, -PAGE, -2 * PAGE, PEERBUF_MAX_RANGES, PEERBUF_MAX_RANGES + 1,
};

/* Shared with the children: what was reached, and what each is at. */
struct shared {
	__u64 outcomes[ARRAY_SIZE(calls)][MAX_ERROR];
	__u64 calls;
	__u64 worked;
	__u64 others;
	__u32 wrong;
	__u32 new_in_round;
};

struct mapping {
	char *memory;
	size_t length;
};

/* Of imports; importers count from 1 each. */
struct handles {
	__u32 values[MAX_NUMBERS];
	unsigned int nr;
};

/* One round. */
struct fuzz {
	struct shared *shared;
	__u64 random;
	struct peerbuf_function functions[4];
	struct { int fd; unsigned int kind; } files[MAX_FILES];
	__u64 ids[MAX_NUMBERS];
	struct handles edu, nvme, igb;
	struct mapping mappings[MAX_MAPPINGS];
	unsigned int nr_ids;
	int memory;		/* for what goes through mappings */
	char *scratch;		/* what pointers in a struct point at */
	char *argument;		/* a page; nothing can be read after it */
	char *read_only;
};

static unsigned int below(struct fuzz *fuzz, unsigned int limit)
{
	return pb_random_below(&fuzz->random, limit);
}

static bool chance(struct fuzz *fuzz, unsigned int of_100)
{
	return below(fuzz, 100) < of_100;
}

/* Files */

static void add_file(struct fuzz *fuzz, int fd, unsigned int kind)
{
	unsigned int i = below(fuzz, MAX_FILES), n;

	for (n = 0; n < MAX_FILES && fuzz->files[i].kind; n++)
		i = (i + 1) % MAX_FILES;
	if (fuzz->files[i].kind)
		close(fuzz->files[i].fd);
	fuzz->files[i].fd = fd;
	fuzz->files[i].kind = kind;
}

/* Return: place of a file of one of @kinds, or -1. */
static int find_file(struct fuzz *fuzz, unsigned int kinds)
{
	unsigned int i = below(fuzz, MAX_FILES), n;

	for (n = 0; n < MAX_FILES; n++, i = (i + 1) % MAX_FILES)
		if (fuzz->files[i].kind & kinds)
			return i;
	return -1;
}

static int any_fd(struct fuzz *fuzz, unsigned int kinds)
{
	int i = find_file(fuzz, chance(fuzz, 90) ? kinds : ANY);

	return i < 0 ? -1 : fuzz->files[i].fd;
}

/* Handles */

static struct handles *handles_of(struct fuzz *fuzz, const struct call *call)
{
	switch (call->kinds) {
	case EDU:
		return &fuzz->edu;
	case NVME:
		return &fuzz->nvme;
	default:
		return &fuzz->igb;
	}
}

static void add_handle(struct handles *handles, __u32 handle)
{
	handles->values[handles->nr++] = handle;
	if (handles->nr == MAX_NUMBERS)
		handles->nr--;
}

static __u32 any_handle(struct fuzz *fuzz, const struct handles *handles)
{
	return handles->nr ? handles->values[below(fuzz, handles->nr)] : 1;
}

/* Fields */

static void make_ranges(struct fuzz *fuzz)
{
	struct peerbuf_range *ranges = (void *)fuzz->scratch;
	unsigned int anywhere = chance(fuzz, 50) ? 95 : 5, i;

	for (i = 0; i < 8; i++) {
		ranges[i].offset = chance(fuzz, anywhere) ? PEERBUF_OFFSET_ANY :
						     below(fuzz, 256) * PAGE;
		ranges[i].length = (1 + below(fuzz, 8)) * PAGE;
		if (chance(fuzz, 3))
			ranges[i].length = boundaries[below(fuzz,
						ARRAY_SIZE(boundaries))];
	}
}

static __u64 function_value(struct fuzz *fuzz)
{
	__u64 value;

	memcpy(&value, &fuzz->functions[below(fuzz, 4)], sizeof(value));
	return value;
}

static __u64 wild_value(struct fuzz *fuzz)
{
	if (chance(fuzz, 70))
		return boundaries[below(fuzz, ARRAY_SIZE(boundaries))];
	return pb_random(&fuzz->random);
}

static __u64 proper_value(struct fuzz *fuzz, const struct call *call,
			  const struct field *field)
{
	switch (field->type) {
	case SIZE:
		return call->size;
	case FLAGS:
		return chance(fuzz, 50) ? 0 :
					  pb_random(&fuzz->random) & field->known;
	case SOME:
		return 1 + below(fuzz, field->known);
	case FUNCTION:
		return function_value(fuzz);
	case DMABUF:
		return any_fd(fuzz, BUFFER);
	case FENCE_FD:
		return any_fd(fuzz, FENCE);
	case RANGES:
		make_ranges(fuzz);
		return (uintptr_t)fuzz->scratch;
	case ROOM:
	case NAME:
		return (uintptr_t)fuzz->scratch + KIB(64);
	case FEW:
		return 1 + below(fuzz, 4);
	case ALIGN:
		return chance(fuzz, 80) ? 0 : PAGE << below(fuzz, 12);
	case OPEN:
		return field->known ? O_CLOEXEC : O_CLOEXEC | below(fuzz, 3);
	case ID:
		return fuzz->nr_ids ? fuzz->ids[below(fuzz, fuzz->nr_ids)] : 1;
	case OFFSET:
		return chance(fuzz, 40) ? 0 : below(fuzz, 256) * PAGE;
	case LENGTH:
		return (1 + below(fuzz, 64)) * PAGE;
	case HANDLE:
		return any_handle(fuzz, handles_of(fuzz, call));
	case SYNC:
		return below(fuzz, 8);
	case EXACT:
		return field->known;
	default:
		return 0;
	}
}

static void fill(struct fuzz *fuzz, const struct call *call, char *place)
{
	const struct field *field;
	__u64 value;

	memset(place, 0, 256);
	for (field = call->fields; field->length; field++) {
		value = chance(fuzz, 95) ? proper_value(fuzz, call, field) :
					   wild_value(fuzz);
		memcpy(place + field->offset, &value, field->length);
	}
	if (chance(fuzz, 2))
		place[call->size + below(fuzz, 16)] = 1;
}

static void remember(struct fuzz *fuzz, const struct call *call,
		     const char *place)
{
	const struct field *field;
	__u64 value;

	for (field = call->fields; field->length; field++) {
		value = 0;
		memcpy(&value, place + field->offset, field->length);
		if (field->type == NEW_FILE)
			add_file(fuzz, (int)value, field->known);
		else if (field->type == NEW_ID)
			fuzz->ids[fuzz->nr_ids++ % MAX_NUMBERS] = value;
		else if (field->type == NEW_HANDLE)
			add_handle(handles_of(fuzz, call), value);
	}
	if (fuzz->nr_ids >= MAX_NUMBERS)
		fuzz->nr_ids = MAX_NUMBERS - 1;
}

/* The oracle */

static bool documented(const struct call *call, bool right_kind, int error)
{
	size_t i;

	if (error == ENOTTY)
		return !right_kind;
	if (error == EBADF && !right_kind)
		return true;	/* files that have no such calls */
	for (i = 0; i < ARRAY_SIZE(common_errors); i++)
		if (error == common_errors[i])
			return true;
	for (i = 0; i < ARRAY_SIZE(call->errors); i++)
		if (error && error == call->errors[i])
			return true;
	return false;
}

static void note(struct fuzz *fuzz, const struct call *call, int error)
{
	__u64 *outcome = &fuzz->shared->outcomes[call - calls][error];

	if (!(*outcome)++)
		fuzz->shared->new_in_round++;
	if (!error)
		fuzz->shared->worked++;
}

static void judge(struct fuzz *fuzz, const struct call *call, bool right_kind,
		  int ret)
{
	int error = ret < 0 ? -ret : 0;

	if (error < MAX_ERROR && (!error || documented(call, right_kind, error)))
		note(fuzz, call, error);
	else if (fuzz->shared->wrong++ < 20)
		printf("# %s: %s\n", call->name, strerror(error));
}

/* Where the struct is: mostly whole, sometimes somewhere else. */
static char *choose_place(struct fuzz *fuzz, const struct call *call)
{
	switch (below(fuzz, 40)) {
	case 0:
		return NULL;
	case 1:
		return fuzz->argument + PAGE;
	case 2:
		return fuzz->argument + PAGE - 1 - below(fuzz, call->size);
	case 3:
		return fuzz->read_only;
	default:
		return fuzz->argument;
	}
}

static const struct call *choose_call(struct fuzz *fuzz)
{
	unsigned int total = 0, number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		total += calls[i].weight;
	number = below(fuzz, total);
	for (i = 0; number >= calls[i].weight; i++)
		number -= calls[i].weight;
	return &calls[i];
}

static void do_call(struct fuzz *fuzz)
{
	const struct call *call = choose_call(fuzz);
	int i = find_file(fuzz, chance(fuzz, 97) ? call->kinds : ANY);
	char content[256], *place;
	bool right_kind;
	int ret;

	if (i < 0)
		i = find_file(fuzz, ANY);
	fuzz->shared->calls++;
	right_kind = fuzz->files[i].kind & call->kinds;
	fill(fuzz, call, content);
	place = choose_place(fuzz, call);
	memcpy(fuzz->argument, content, sizeof(content));
	if (place && place > fuzz->argument && place < fuzz->argument + PAGE)
		memcpy(place, content, fuzz->argument + PAGE - place <
		       (long)sizeof(content) ?
		       (size_t)(fuzz->argument + PAGE - place) :
		       sizeof(content));
	ret = pb_ioctl(fuzz->files[i].fd, call->cmd, place);
	judge(fuzz, call, right_kind, ret);
	if (ret >= 0 && right_kind && place == fuzz->argument)
		remember(fuzz, call, place);
}

/* What a file can do beside its calls */

static void do_map(struct fuzz *fuzz)
{
	struct mapping *mapping = &fuzz->mappings[below(fuzz, MAX_MAPPINGS)];
	size_t length = (1 + below(fuzz, 16)) * PAGE;
	char *memory;

	if (mapping->memory)
		munmap(mapping->memory, mapping->length);
	memory = mmap(NULL, length, below(fuzz, 4),
		      chance(fuzz, 80) ? MAP_SHARED : MAP_PRIVATE,
		      any_fd(fuzz, BUFFER),
		      chance(fuzz, 70) ? 0 : below(fuzz, 16) * PAGE);
	mapping->memory = memory == MAP_FAILED ? NULL : memory;
	mapping->length = length;
}

/* Through calls, whose error a fault becomes that cannot be served. */
static void do_touch(struct fuzz *fuzz)
{
	struct mapping *mapping = &fuzz->mappings[below(fuzz, MAX_MAPPINGS)];
	char *byte = mapping->memory;
	ssize_t done;

	if (!byte)
		return;
	byte += below(fuzz, mapping->length);
	done = chance(fuzz, 50) ? pwrite(fuzz->memory, byte, 1, 0) :
				  pread(fuzz->memory, byte, 1, 0);
	fuzz->shared->worked += done == 1;
}

static void do_protect(struct fuzz *fuzz)
{
	struct mapping *mapping = &fuzz->mappings[below(fuzz, MAX_MAPPINGS)];
	unsigned int pages = mapping->length / PAGE, first;

	if (!mapping->memory)
		return;
	first = below(fuzz, pages);
	mprotect(mapping->memory + first * PAGE,
		 (1 + below(fuzz, pages - first)) * PAGE, below(fuzz, 4));
}

static void do_file(struct fuzz *fuzz)
{
	int i = find_file(fuzz, ANY), fd = i < 0 ? -1 : fuzz->files[i].fd;
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };
	char name[64], text[512];

	switch (below(fuzz, 6)) {
	case 0:
		lseek(fd, wild_value(fuzz), below(fuzz, 3));
		break;
	case 1:
		/* a watch would wait for something to tell */
		if (poll(&pollfd, 1, 0) <= 0 ||
		    read(fd, text, below(fuzz, sizeof(text))) < 0)
			break;
		break;
	case 2:
		poll(&pollfd, 1, 0);
		break;
	case 3:
		snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text)) < 0)
			fuzz->shared->wrong++;
		close(fd);
		break;
	case 4:
		fd = dup(fd);
		if (fd >= 0)
			add_file(fuzz, fd, fuzz->files[i].kind);
		break;
	case 5:
		if (write(fd, text, 1) < 0)
			break;
		break;
	}
}

/* Files that nobody makes again are not closed, but for copies of them. */
static void do_close(struct fuzz *fuzz)
{
	int i = find_file(fuzz, POOL | BUFFER | FENCE | WATCH);

	if (i < 0)
		return;
	close(fuzz->files[i].fd);
	fuzz->files[i].kind = 0;
}

static void do_other(struct fuzz *fuzz)
{
	static void (* const others[])(struct fuzz *fuzz) = {
		do_map, do_touch, do_touch, do_protect, do_file, do_close,
	};

	others[below(fuzz, ARRAY_SIZE(others))](fuzz);
	fuzz->shared->calls++;
	fuzz->shared->others++;
}

/* A round */

static bool is_owner(__u64 seed)
{
	return seed & 1;
}

static void prepare_memory(struct fuzz *fuzz)
{
	fuzz->scratch = pb_map(-1, 0, SCRATCH, RW);
	memcpy(fuzz->scratch + KIB(64), "fuzz", 4);
	fuzz->argument = pb_map(-1, 0, 2 * PAGE, RW);
	munmap(fuzz->argument + PAGE, PAGE);
	fuzz->read_only = pb_map(-1, 0, PAGE, PROT_READ);
	fuzz->memory = must(memfd_create("fuzz", MFD_CLOEXEC));
}

/* Few rounds wait for the link, and so can send: it takes half a second. */
static void prepare_port(struct fuzz *fuzz, bool wait)
{
	struct pb_device device;
	int port;

	if (pb_find(PB_IGB, &device, 1) <= 0)
		return;
	port = must(pb_open_port(&device));
	if (wait && !pb_port_wait_link(port, true))
		fail("the port has no link");
	add_file(fuzz, port, IGB);
}

static void prepare_files(struct fuzz *fuzz, __u64 seed)
{
	struct pb_device provider = pb_provider(0), edu = pb_importer(0);
	struct pb_device drive;
	int node = must(pb_open_node(&provider, O_RDWR));
	unsigned int i;

	fuzz->functions[0] = provider.function;
	fuzz->functions[1] = edu.function;
	fuzz->functions[2] = pb_provider(1).function;
	fuzz->functions[3] = pb_importer(1).function;
	add_file(fuzz, must(pb_open_control()), CONTROL);
	add_file(fuzz, must(pb_open_edu(&edu)), EDU);
	for (i = 0; i < 2; i++)
		add_file(fuzz, must(pb_pool(node, MIB(32 + i), MIB(1))), POOL);
	if (pb_find(PB_NVME, &drive, 1) > 0)
		add_file(fuzz, must(pb_open_nvme(&drive, O_RDONLY)), NVME);
	prepare_port(fuzz, seed % 8 < 2);
	if (!is_owner(seed)) {
		close(node);
		return;
	}
	add_file(fuzz, node, NODE);
	add_file(fuzz, must(pb_open_node(&provider, O_RDONLY)), NODE);
}

static void __noreturn run_round(struct shared *shared, __u64 seed,
				 unsigned int count)
{
	static struct fuzz fuzz;
	unsigned int i;

	fuzz.shared = shared;
	fuzz.random = seed;
	prepare_memory(&fuzz);
	prepare_files(&fuzz, seed);
	if (!is_owner(seed))
		pb_become_nobody();
	for (i = 0; i < count; i++) {
		alarm(STUCK_S);
		if (chance(&fuzz, 75))
			do_call(&fuzz);
		else
			do_other(&fuzz);
	}
	_exit(0);
}

FIXTURE(fuzz) {
	struct pb_device provider;
	struct pb_state start;
	struct shared *shared;
	int attached;
};

FIXTURE_SETUP(fuzz)
{
	self->provider = pb_provider(0);
	/* The library opens a control of its own, for the first question. */
	pb_state(&self->provider, -1);
	self->start = pb_state(&self->provider, -1);
	self->attached = pb_nr_attached();
	self->shared = mmap(NULL, sizeof(*self->shared), RW,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
}

FIXTURE_TEARDOWN(fuzz)
{
	munmap(self->shared, sizeof(*self->shared));
}

/* What a process had open may be let go of by a work item, after its end. */
static bool is_settled(const void *data)
{
	const FIXTURE_DATA(fuzz) *self = data;
	struct pb_state now = pb_state(&self->provider, -1);

	return now.nr_buffers == self->start.nr_buffers &&
	       now.available == self->start.available &&
	       pb_nr_attached() == self->attached;
}

static void one_round(struct __test_metadata *_metadata,
		      FIXTURE_DATA(fuzz) *self, __u64 seed, unsigned int count)
{
	pid_t child;
	int status;

	self->shared->new_in_round = 0;
	child = pb_fork();
	if (!child)
		run_round(self->shared, seed, count);
	status = pb_join(child);
	ASSERT_EQ(0, status)
		TH_LOG("seed %llu: signal %d; 14 is a call that is stuck",
		       (unsigned long long)seed, status - 128);
	ASSERT_EQ(0, self->shared->wrong)
		TH_LOG("seed %llu", (unsigned long long)seed);
	pb_wait_until(is_settled, self, SETTLE_MS);
	ASSERT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
		TH_LOG("seed %llu has left traces", (unsigned long long)seed);
	ASSERT_EQ(self->attached, pb_nr_attached());
	if (self->shared->new_in_round)
		TH_LOG("seed %llu: %u new outcomes", (unsigned long long)seed,
		       self->shared->new_in_round);
}

/* Each call has worked, and each of its errors was seen, or is said not to be. */
static void report(struct __test_metadata *_metadata,
		   const struct shared *shared)
{
	unsigned int error, outcomes = 0, errors;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		for (error = 1, errors = 0; error < MAX_ERROR; error++)
			errors += shared->outcomes[i][error] > 0;
		outcomes += errors + (shared->outcomes[i][0] > 0);
		TH_LOG("%s: worked %llu times, %u different errors",
		       calls[i].name,
		       (unsigned long long)shared->outcomes[i][0], errors);
		EXPECT_LT(0, errors);
		if (calls[i].cmd == PEERBUF_EDU_IOC_COPY ||
		    pb_expect()->route == PEERBUF_ROUTE_NONE)
			continue;
		EXPECT_LT(0, shared->outcomes[i][0]);
	}
	TH_LOG("%llu calls, %llu of other kinds, %llu worked; %u outcomes",
	       (unsigned long long)shared->calls,
	       (unsigned long long)shared->others,
	       (unsigned long long)shared->worked, outcomes);
}

TEST_F_TIMEOUT(fuzz, calls, TIMEOUT)
{
	__u64 left = pb_setting("FUZZ_CALLS", 40000);
	__u64 seed = pb_setting("FUZZ_SEED", 2000);
	unsigned int round, count;

	for (round = 0; left; round++, left -= count) {
		count = left < CALLS_PER_ROUND ? left : CALLS_PER_ROUND;
		if (round < ARRAY_SIZE(fuzz_seeds))
			one_round(_metadata, self, fuzz_seeds[round], count);
		else
			one_round(_metadata, self, seed++, count);
	}
	report(_metadata, self->shared);
}

TEST_HARNESS_MAIN
