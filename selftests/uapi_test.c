// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call of linux/peerbuf.h with every kind of bad input. Each must fail
 * with the error that the header promises, and leave everything as it was.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/resource.h>

#include "peerbuf_lib.h"

#define WINDOW_LENGTH	MIB(64)
#define POOL_OFFSET	MIB(8)
#define POOL_LENGTH	MIB(1)
#define TAIL		64

enum kind {
	CONTROL = 1,
	NODE = 2,
	POOL = 4,
};

union argument {
	__u32 size;
	struct peerbuf_version version;
	struct peerbuf_provider_info provider;
	struct peerbuf_window_info window;
	struct peerbuf_route_query route;
	struct peerbuf_buffer_info buffer;
	struct peerbuf_path_query path;
	struct peerbuf_routes_query routes;
	struct peerbuf_watch watch;
	struct peerbuf_export export;
	struct peerbuf_revoke revoke;
	struct peerbuf_pool_create pool_create;
	struct peerbuf_pool_revoke pool_revoke;
	struct peerbuf_pool_info pool_info;
	struct peerbuf_buffers_query buffers;
	struct peerbuf_holders_query holders;
	char bytes[256];
};

FIXTURE(uapi) {
	struct pb_device provider;
	int control;
	int node;
	int pool;
	__u64 pool_id;
	int fd;				/* the one under test */
	int dmabuf;			/* made by node or pool, two ranges */
	__u64 id;
	struct peerbuf_range range;	/* that can be exported from fd */
	struct pb_state before;
};

FIXTURE_VARIANT(uapi) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(uapi, control) { .kind = CONTROL };
FIXTURE_VARIANT_ADD(uapi, node) { .kind = NODE };
FIXTURE_VARIANT_ADD(uapi, pool) { .kind = POOL };

FIXTURE_SETUP(uapi)
{
	const struct peerbuf_range fixed[2] = {
		{ MIB(4), PAGE }, { MIB(6), PAGE },
	};
	const struct peerbuf_range pooled[2] = {
		{ PEERBUF_OFFSET_ANY, PAGE }, { KIB(512), PAGE },
	};
	struct peerbuf_pool_create create = {
		.offset = POOL_OFFSET,
		.length = POOL_LENGTH,
	};
	struct peerbuf_window_info window;

	self->provider = pb_provider(0);
	self->control = must(pb_open_control());
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool_limited(self->node, &create));
	self->pool_id = create.id;
	must(pb_window(&self->provider, 0, &window));
	ASSERT_EQ(WINDOW_LENGTH, window.length);

	if (variant->kind == POOL) {
		self->fd = self->pool;
		self->dmabuf = must(pb_export_ranges(self->pool, 0, pooled, 2,
						     0, &self->id));
		self->range.offset = PEERBUF_OFFSET_ANY;
	} else {
		self->fd = variant->kind == NODE ? self->node : self->control;
		self->dmabuf = must(pb_export_ranges(self->node, 0, fixed, 2,
						     0, &self->id));
		self->range.offset = MIB(16);
	}
	self->range.length = KIB(64);
	self->before = pb_state(&self->provider, self->pool);
}

FIXTURE_TEARDOWN(uapi)
{
	close(self->dmabuf);
	close(self->pool);
	close(self->node);
	close(self->control);
}

/* Arguments with which each call works. */

static void fill_provider(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->provider.provider = self->provider.function;
}

static void fill_window(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->window.provider = self->provider.function;
}

static void fill_route(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->route.provider = self->provider.function;
	arg->route.importer = pb_importer(0).function;
}

static void fill_buffer(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	static struct peerbuf_range ranges[2];

	arg->buffer.fd = self->dmabuf;
	arg->buffer.ranges = (uintptr_t)ranges;
	arg->buffer.nr_ranges = ARRAY_SIZE(ranges);
}

static void fill_path(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	static struct peerbuf_port_info ports[8];

	arg->path.function = self->provider.function;
	arg->path.ports = (uintptr_t)ports;
	arg->path.nr_ports = ARRAY_SIZE(ports);
}

static void fill_routes(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	static struct peerbuf_route_entry entries[4];

	arg->routes.provider = self->provider.function;
	arg->routes.routes = (uintptr_t)entries;
	arg->routes.nr_routes = ARRAY_SIZE(entries);
}

static void fill_watch(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->watch.fd = self->dmabuf;
	arg->watch.open_flags = O_CLOEXEC;
}

static void fill_export(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->export.nr_ranges = 1;
	arg->export.ranges = (uintptr_t)&self->range;
	arg->export.open_flags = O_RDWR | O_CLOEXEC;
}

static void fill_revoke(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	arg->revoke.id = self->id;
}

static void fill_pool_create(union argument *arg,
			     const FIXTURE_DATA(uapi) *self)
{
	(void)self;
	arg->pool_create.open_flags = O_CLOEXEC;
	arg->pool_create.offset = MIB(32);
	arg->pool_create.length = POOL_LENGTH;
}

static void fill_buffers(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	static struct peerbuf_buffer_entry entries[4];

	(void)self;
	arg->buffers.entries = (uintptr_t)entries;
	arg->buffers.nr_entries = ARRAY_SIZE(entries);
	arg->buffers.entry_size = sizeof(entries[0]);
}

static void fill_holders(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	static struct peerbuf_holder_entry entries[4];

	arg->holders.id = self->id;
	arg->holders.entries = (uintptr_t)entries;
	arg->holders.nr_entries = ARRAY_SIZE(entries);
	arg->holders.entry_size = sizeof(entries[0]);
}

static void fill_pool_revoke(union argument *arg,
			     const FIXTURE_DATA(uapi) *self)
{
	arg->pool_revoke.id = self->pool_id;
}

static void fill_nothing(union argument *arg, const FIXTURE_DATA(uapi) *self)
{
	(void)arg;
	(void)self;
}

/* A field, as a place in this. */
static const union argument shape;

struct span {
	const void *place;
	size_t length;
};

#define SPAN(field) { &(field), sizeof(field) }

static size_t offset_in_shape(const struct span *span)
{
	return (const char *)span->place - shape.bytes;
}

/* What there is to know about a call to test it. */
struct command {
	const char *name;
	unsigned long cmd;
	unsigned int kinds;		/* of files that answer it */
	size_t size;			/* of the first version */
	size_t grown;			/* of this one, if it has grown */
	void (*fill)(union argument *arg, const FIXTURE_DATA(uapi) *self);
	size_t flags;			/* offset of the flags, 0: none */
	__u32 known;			/* flags */
	bool outputs;
	bool needs_write;
	struct span reserved[4];
};

static const struct command commands[] = {
	{
		.name = "VERSION",
		.cmd = PEERBUF_IOC_VERSION,
		.kinds = CONTROL,
		.size = 16,
		.fill = fill_nothing,
		.flags = offsetof(struct peerbuf_version, flags),
		.outputs = true,
	}, {
		.name = "PROVIDER",
		.cmd = PEERBUF_IOC_PROVIDER,
		.kinds = CONTROL,
		.size = 24,
		.fill = fill_provider,
		.flags = offsetof(struct peerbuf_provider_info, flags),
		.outputs = true,
		.reserved = { SPAN(shape.provider.provider.reserved) },
	}, {
		.name = "WINDOW",
		.cmd = PEERBUF_IOC_WINDOW,
		.kinds = CONTROL,
		.size = 64,
		.fill = fill_window,
		.flags = offsetof(struct peerbuf_window_info, flags),
		.outputs = true,
		.reserved = { SPAN(shape.window.provider.reserved) },
	}, {
		.name = "ROUTE",
		.cmd = PEERBUF_IOC_ROUTE,
		.kinds = CONTROL,
		.size = 72,
		.fill = fill_route,
		.flags = offsetof(struct peerbuf_route_query, flags),
		.outputs = true,
		.reserved = {
			SPAN(shape.route.provider.reserved),
			SPAN(shape.route.importer.reserved),
		},
	}, {
		.name = "BUFFER",
		.cmd = PEERBUF_IOC_BUFFER,
		.kinds = CONTROL,
		.size = 56,
		.grown = 64,
		.fill = fill_buffer,
		.flags = offsetof(struct peerbuf_buffer_info, flags),
		.outputs = true,
		.reserved = { SPAN(shape.buffer.reserved) },
	}, {
		.name = "PATH",
		.cmd = PEERBUF_IOC_PATH,
		.kinds = CONTROL,
		.size = 56,
		.fill = fill_path,
		.flags = offsetof(struct peerbuf_path_query, flags),
		.outputs = true,
		.reserved = {
			SPAN(shape.path.function.reserved),
			SPAN(shape.path.reserved),
		},
	}, {
		.name = "ROUTES",
		.cmd = PEERBUF_IOC_ROUTES,
		.kinds = CONTROL,
		.size = 32,
		.fill = fill_routes,
		.flags = offsetof(struct peerbuf_routes_query, flags),
		.outputs = true,
		.reserved = {
			SPAN(shape.routes.provider.reserved),
			SPAN(shape.routes.reserved),
		},
	}, {
		.name = "WATCH",
		.cmd = PEERBUF_IOC_WATCH,
		.kinds = CONTROL,
		.size = 32,
		.fill = fill_watch,
		.flags = offsetof(struct peerbuf_watch, flags),
		.outputs = true,
	}, {
		.name = "EXPORT",
		.cmd = PEERBUF_IOC_EXPORT,
		.kinds = NODE | POOL,
		.size = 48,
		.fill = fill_export,
		.flags = offsetof(struct peerbuf_export, flags),
		.known = PEERBUF_EXPORT_SHARED | PEERBUF_EXPORT_ALLOW_PINNED |
			 PEERBUF_EXPORT_ALLOW_STATIC | PEERBUF_EXPORT_DIRECT |
			 PEERBUF_EXPORT_READ_ONLY,
		.outputs = true,
		.needs_write = true,
	}, {
		.name = "REVOKE",
		.cmd = PEERBUF_IOC_REVOKE,
		.kinds = NODE | POOL,
		.size = 16,
		.fill = fill_revoke,
		.flags = offsetof(struct peerbuf_revoke, flags),
		.known = PEERBUF_REVOKE_NOWAIT,
		.needs_write = true,
	}, {
		.name = "POOL_CREATE",
		.cmd = PEERBUF_IOC_POOL_CREATE,
		.kinds = NODE,
		.size = 40,
		.grown = 72,
		.fill = fill_pool_create,
		.flags = offsetof(struct peerbuf_pool_create, flags),
		.known = PEERBUF_POOL_READ_ONLY | PEERBUF_POOL_NO_STATIC |
			 PEERBUF_POOL_NO_PINNED | PEERBUF_POOL_DIRECT,
		.outputs = true,
		.needs_write = true,
		.reserved = {
			SPAN(shape.pool_create.reserved),
			SPAN(shape.pool_create.reserved2),
		},
	}, {
		.name = "POOL_REVOKE",
		.cmd = PEERBUF_IOC_POOL_REVOKE,
		.kinds = NODE,
		.size = 16,
		.fill = fill_pool_revoke,
		.flags = offsetof(struct peerbuf_pool_revoke, flags),
		.known = PEERBUF_REVOKE_NOWAIT,
		.needs_write = true,
	}, {
		.name = "POOL_INFO",
		.cmd = PEERBUF_IOC_POOL_INFO,
		.kinds = POOL,
		.size = 48,
		.grown = 88,
		.fill = fill_nothing,
		.flags = offsetof(struct peerbuf_pool_info, flags),
		.outputs = true,
		.reserved = { SPAN(shape.pool_info.reserved) },
	}, {
		.name = "BUFFERS",
		.cmd = PEERBUF_IOC_BUFFERS,
		.kinds = NODE,
		.size = 32,
		.fill = fill_buffers,
		.flags = offsetof(struct peerbuf_buffers_query, flags),
		.outputs = true,
	}, {
		.name = "HOLDERS",
		.cmd = PEERBUF_IOC_HOLDERS,
		.kinds = NODE,
		.size = 32,
		.fill = fill_holders,
		.flags = offsetof(struct peerbuf_holders_query, flags),
		.outputs = true,
	},
};

#define LAST	(commands + ARRAY_SIZE(commands))

static void fill(const struct command *command, union argument *arg,
		 const FIXTURE_DATA(uapi) *self)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = command->size;
	command->fill(arg, self);
}

/* As large as this kernel knows it. */
static size_t size_of(const struct command *command)
{
	return command->grown ? command->grown : command->size;
}

/* One call that must fail, and change nothing. */
static void refused(struct __test_metadata *_metadata,
		    const FIXTURE_DATA(uapi) *self,
		    const struct command *command, void *arg, int error,
		    const char *why, unsigned long detail)
{
	struct pb_state after;

	EXPECT_EQ(-error, pb_ioctl(self->fd, command->cmd, arg))
		TH_LOG("%s: %s %#lx", command->name, why, detail);
	after = pb_state(&self->provider, self->pool);
	EXPECT_TRUE(pb_same_state(&self->before, &after))
		TH_LOG("%s: %s %#lx has left traces", command->name, why,
		       detail);
}

/* One call that must work; a descriptor that it makes is closed. */
static void accepted(struct __test_metadata *_metadata,
		     const FIXTURE_DATA(uapi) *self,
		     const struct command *command, union argument *arg,
		     const char *why)
{
	EXPECT_EQ(0, pb_ioctl(self->fd, command->cmd, arg))
		TH_LOG("%s: %s", command->name, why);
	if (command->cmd == PEERBUF_IOC_EXPORT)
		EXPECT_EQ(0, close(arg->export.fd));
	if (command->cmd == PEERBUF_IOC_POOL_CREATE)
		EXPECT_EQ(0, close(arg->pool_create.fd));
	if (command->cmd == PEERBUF_IOC_WATCH)
		EXPECT_EQ(0, close(arg->watch.watch));
}

TEST_F(uapi, every_call_works)
{
	const struct command *command;
	union argument arg;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		fill(command, &arg, self);
		accepted(_metadata, self, command, &arg, "first version");
		fill(command, &arg, self);
		arg.size = size_of(command);
		accepted(_metadata, self, command, &arg, "this version");
	}
}

TEST_F(uapi, short_struct)
{
	const struct command *command;
	union argument arg;
	size_t size;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (size = 0; size < command->size; size++) {
			fill(command, &arg, self);
			arg.size = size;
			refused(_metadata, self, command, &arg, EINVAL, "size",
				size);
		}
	}
}

TEST_F(uapi, longer_struct_with_unknown_tail)
{
	const struct command *command;
	union argument arg;
	size_t i;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (i = 0; i < TAIL; i++) {
			fill(command, &arg, self);
			arg.size = size_of(command) + TAIL;
			arg.bytes[size_of(command) + i] = 1;
			refused(_metadata, self, command, &arg, E2BIG,
				"tail byte", i);
		}
	}
}

TEST_F(uapi, longer_struct_with_zero_tail_works)
{
	const struct command *command;
	union argument arg;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		fill(command, &arg, self);
		arg.size = size_of(command) + TAIL;
		accepted(_metadata, self, command, &arg, "zero tail");
	}
}

TEST_F(uapi, absurd_size)
{
	static const __u32 sizes[] = { PAGE + 8, 0x7fffffff, 0xffffffff };
	const struct command *command;
	char *arg = pb_map(-1, 0, 3 * PAGE, PROT_READ | PROT_WRITE);
	size_t i;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			fill(command, (union argument *)arg, self);
			memcpy(arg, &sizes[i], sizeof(sizes[i]));
			refused(_metadata, self, command, arg, E2BIG, "size",
				sizes[i]);
		}
	}
	munmap(arg, 3 * PAGE);
}

TEST_F(uapi, outputs_end_where_the_caller_says)
{
	const struct command *command;
	union argument arg;
	size_t i;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		fill(command, &arg, self);
		memset(arg.bytes + command->size, 0xa5, TAIL);
		accepted(_metadata, self, command, &arg, "guarded");
		for (i = 0; i < TAIL; i++)
			EXPECT_EQ((char)0xa5, arg.bytes[command->size + i])
				TH_LOG("%s wrote byte %zu", command->name, i);
	}
}

TEST_F(uapi, unknown_flags)
{
	const struct command *command;
	union argument arg;
	unsigned int bit;
	__u32 flag;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (bit = 0; bit < 32; bit++) {
			flag = 1U << bit;
			if (command->known & flag)
				continue;
			fill(command, &arg, self);
			memcpy(arg.bytes + command->flags, &flag, sizeof(flag));
			refused(_metadata, self, command, &arg, EOPNOTSUPP,
				"flag", flag);
		}
	}
}

TEST_F(uapi, reserved_fields)
{
	const struct command *command;
	const struct span *span;
	union argument arg;
	size_t i;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (span = command->reserved; span->length; span++) {
			for (i = 0; i < span->length; i++) {
				fill(command, &arg, self);
				arg.size = size_of(command);
				arg.bytes[offset_in_shape(span) + i] = 0x80;
				refused(_metadata, self, command, &arg, EINVAL,
					"reserved byte",
					offset_in_shape(span) + i);
			}
		}
	}
}

TEST_F(uapi, wrong_kind_of_file)
{
	const struct command *command;
	union argument arg;

	for (command = commands; command < LAST; command++) {
		if (command->kinds & variant->kind)
			continue;
		fill(command, &arg, self);
		refused(_metadata, self, command, &arg, ENOTTY, "wrong file",
			variant->kind);
		refused(_metadata, self, command, NULL, ENOTTY,
			"wrong file, no argument", variant->kind);
	}
}

static bool is_known(unsigned long cmd)
{
	const struct command *command;

	for (command = commands; command < LAST; command++) {
		if (command->cmd == cmd)
			return true;
	}
	return false;
}

TEST_F(uapi, unknown_command)
{
	struct command unknown = { .name = "unknown" };
	union argument arg = { .size = 16 };
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		unknown.cmd = _IO(PEERBUF_IOC_TYPE, nr);
		if (!is_known(unknown.cmd))
			refused(_metadata, self, &unknown, &arg, ENOTTY, "nr",
				nr);
	}
	/* Near misses: another type, a direction, a size. */
	unknown.cmd = _IO(PEERBUF_IOC_TYPE + 1, 0);
	refused(_metadata, self, &unknown, &arg, ENOTTY, "type", unknown.cmd);
	for (nr = 0; nr < 256; nr++) {
		unknown.cmd = _IOWR(PEERBUF_IOC_TYPE, nr, union argument);
		EXPECT_EQ(-ENOTTY, pb_ioctl(self->fd, unknown.cmd, &arg))
			TH_LOG("command %#lx", unknown.cmd);
	}
}

TEST_F(uapi, bad_argument_pointer)
{
	char *pages = pb_map(-1, 0, 2 * PAGE, PROT_READ | PROT_WRITE);
	void *bad[] = { NULL, (void *)1, (void *)0xffff888000000000UL,
			(void *)~0xfffUL, pages + PAGE };
	const struct command *command;
	size_t i;

	ASSERT_EQ(0, mprotect(pages + PAGE, PAGE, PROT_NONE));
	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			refused(_metadata, self, command, bad[i], EFAULT,
				"argument at", (uintptr_t)bad[i]);
		/* Readable, but for its last eight bytes. */
		char *torn = pages + PAGE - command->size + 8;
		union argument arg;

		fill(command, &arg, self);
		memcpy(torn, &arg, command->size - 8);
		refused(_metadata, self, command, torn, EFAULT, "torn argument",
			8);
	}
	munmap(pages, 2 * PAGE);
}

TEST_F(uapi, argument_that_cannot_be_written)
{
	const struct command *command;
	char *page;

	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind) || !command->outputs)
			continue;
		page = pb_map(-1, 0, PAGE, PROT_READ | PROT_WRITE);
		fill(command, (union argument *)page, self);
		ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
		refused(_metadata, self, command, page, EFAULT, "read-only",
			0);
		munmap(page, PAGE);
	}
}

TEST_F(uapi, read_only_file)
{
	const struct command *command;
	union argument arg;
	int writable = self->fd;

	if (variant->kind != NODE)
		return;
	self->fd = must(pb_open_node(&self->provider, O_RDONLY));
	self->before = pb_state(&self->provider, self->pool);
	for (command = commands; command < LAST; command++) {
		if (!(command->kinds & variant->kind))
			continue;
		fill(command, &arg, self);
		if (command->needs_write)
			refused(_metadata, self, command, &arg, EACCES,
				"read-only", 0);
		else
			accepted(_metadata, self, command, &arg, "read-only");
	}
	close(self->fd);
	self->fd = writable;
}

/* One field changed, all else valid. */
struct poke {
	unsigned long cmd;
	unsigned int kinds;
	const char *field;
	struct span span;
	__u64 value;
	int error;
};

#define POKE(cmd, kinds, field, value, error) \
	{ PEERBUF_IOC_##cmd, kinds, #field, SPAN(shape.field), value, error }

static const struct poke pokes[] = {
	POKE(PROVIDER, CONTROL, provider.provider.domain, 0xffff, ENODEV),
	POKE(PROVIDER, CONTROL, provider.provider.domain, 0xffffffff, ENODEV),
	POKE(PROVIDER, CONTROL, provider.provider.bus, 0xff, ENODEV),
	POKE(PROVIDER, CONTROL, provider.provider.devfn, 0xff, ENODEV),
	POKE(WINDOW, CONTROL, window.provider.bus, 0xff, ENODEV),
	POKE(WINDOW, CONTROL, window.index, 1, ENOENT),
	POKE(WINDOW, CONTROL, window.index, 0xffffffff, ENOENT),
	POKE(ROUTE, CONTROL, route.provider.domain, 0xffff, ENXIO),
	POKE(ROUTE, CONTROL, route.provider.devfn, 0xff, ENXIO),
	POKE(ROUTE, CONTROL, route.importer.bus, 0xff, ENXIO),
	POKE(ROUTE, CONTROL, route.importer.domain, 0xffffffff, ENXIO),
	POKE(BUFFER, CONTROL, buffer.fd, -1U, EBADF),
	POKE(BUFFER, CONTROL, buffer.fd, 0x7fffffff, EBADF),
	POKE(BUFFER, CONTROL, buffer.fd, STDIN_FILENO, EINVAL),
	POKE(BUFFER, CONTROL, buffer.nr_ranges, 1, ENOSPC),
	POKE(BUFFER, CONTROL, buffer.nr_ranges, 0, ENOSPC),
	POKE(BUFFER, CONTROL, buffer.ranges, 0, EINVAL),
	POKE(BUFFER, CONTROL, buffer.ranges, PAGE - 8, EFAULT),
	POKE(WATCH, CONTROL, watch.fd, -1U, EBADF),
	POKE(WATCH, CONTROL, watch.fd, 0x7fffffff, EBADF),
	POKE(WATCH, CONTROL, watch.fd, STDIN_FILENO, EINVAL),
	POKE(WATCH, CONTROL, watch.open_flags, O_RDWR, EINVAL),
	POKE(WATCH, CONTROL, watch.open_flags, O_APPEND, EINVAL),
	POKE(WATCH, CONTROL, watch.open_flags, 1U << 31, EINVAL),
	POKE(PATH, CONTROL, path.function.domain, 0xffff, ENXIO),
	POKE(PATH, CONTROL, path.function.bus, 0xff, ENXIO),
	POKE(PATH, CONTROL, path.nr_ports, 0, ENOSPC),
	POKE(PATH, CONTROL, path.nr_ports, 1, ENOSPC),
	POKE(PATH, CONTROL, path.ports, 0, EFAULT),
	POKE(PATH, CONTROL, path.ports, ~0xfffULL, EFAULT),
	POKE(ROUTES, CONTROL, routes.provider.domain, 0xffff, ENXIO),
	POKE(ROUTES, CONTROL, routes.provider.bus, 0xff, ENXIO),
	POKE(ROUTES, CONTROL, routes.routes, 0, EFAULT),
	POKE(ROUTES, CONTROL, routes.routes, ~0xfffULL, EFAULT),
	POKE(EXPORT, NODE, export.window, 1, ENOENT),
	POKE(EXPORT, NODE, export.window, 0xffffffff, ENOENT),
	POKE(EXPORT, POOL, export.window, 1, EINVAL),
	POKE(EXPORT, NODE | POOL, export.nr_ranges, 0, EINVAL),
	POKE(EXPORT, NODE | POOL, export.nr_ranges,
	     PEERBUF_MAX_RANGES + 1, E2BIG),
	POKE(EXPORT, NODE | POOL, export.nr_ranges, 0xffffffff, E2BIG),
	POKE(EXPORT, NODE | POOL, export.ranges, 0, EFAULT),
	POKE(EXPORT, NODE | POOL, export.ranges, PAGE - 8, EFAULT),
	POKE(EXPORT, NODE | POOL, export.ranges, ~0xfffULL, EFAULT),
	POKE(EXPORT, NODE, export.align, PAGE, EINVAL),
	POKE(EXPORT, POOL, export.align, PAGE / 2, EINVAL),
	POKE(EXPORT, POOL, export.align, 3 * PAGE, EINVAL),
	POKE(EXPORT, POOL, export.align, ~0ULL, EINVAL),
	POKE(EXPORT, NODE | POOL, export.open_flags, O_ACCMODE, EINVAL),
	POKE(EXPORT, NODE | POOL, export.open_flags, O_RDWR | O_APPEND, EINVAL),
	POKE(EXPORT, NODE | POOL, export.open_flags, 1U << 31, EINVAL),
	POKE(EXPORT, POOL, export.flags, PEERBUF_EXPORT_SHARED, EINVAL),
	POKE(EXPORT, NODE | POOL, export.flags, PEERBUF_EXPORT_READ_ONLY,
	     EINVAL),
	POKE(REVOKE, NODE | POOL, revoke.id, 0, ENOENT),
	POKE(REVOKE, NODE | POOL, revoke.id, ~0ULL, ENOENT),
	POKE(POOL_CREATE, NODE, pool_create.window, 1, ENOENT),
	POKE(POOL_CREATE, NODE, pool_create.open_flags, O_RDWR, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.open_flags, O_APPEND, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.offset, 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.offset, PAGE - 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.offset, -PAGE, EOVERFLOW),
	POKE(POOL_CREATE, NODE, pool_create.offset, WINDOW_LENGTH, ERANGE),
	POKE(POOL_CREATE, NODE, pool_create.offset, POOL_OFFSET, EBUSY),
	POKE(POOL_CREATE, NODE, pool_create.length, 0, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.length, 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.length, PAGE + 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.length, WINDOW_LENGTH, ERANGE),
	POKE(POOL_CREATE, NODE, pool_create.length, -PAGE, EOVERFLOW),
	POKE(POOL_CREATE, NODE, pool_create.quota, 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.quota, POOL_LENGTH + PAGE, ERANGE),
	POKE(POOL_CREATE, NODE, pool_create.align, 1, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.align, 1ULL << 31, EINVAL),
	POKE(POOL_CREATE, NODE, pool_create.max_buffers,
	     PEERBUF_POOL_MAX_BUFFERS + 1, EINVAL),
	POKE(POOL_REVOKE, NODE, pool_revoke.id, 0, ENOENT),
	POKE(POOL_REVOKE, NODE, pool_revoke.id, ~0ULL, ENOENT),
	POKE(BUFFERS, NODE, buffers.entries, 0, EFAULT),
	POKE(BUFFERS, NODE, buffers.entries, ~0xfffULL, EFAULT),
	POKE(BUFFERS, NODE, buffers.entry_size, 0, EINVAL),
	POKE(BUFFERS, NODE, buffers.entry_size, 119, EINVAL),
	POKE(BUFFERS, NODE, buffers.entry_size, PAGE + 1, E2BIG),
	POKE(BUFFERS, NODE, buffers.entry_size, 0xffffffff, E2BIG),
	POKE(HOLDERS, NODE, holders.id, 0, ENOENT),
	POKE(HOLDERS, NODE, holders.id, ~0ULL, ENOENT),
	POKE(HOLDERS, NODE, holders.entry_size, 0, EINVAL),
	POKE(HOLDERS, NODE, holders.entry_size, 151, EINVAL),
	POKE(HOLDERS, NODE, holders.entry_size, PAGE + 1, E2BIG),
};

static const struct command *find_command(unsigned long cmd)
{
	const struct command *command;

	for (command = commands; command < LAST; command++) {
		if (command->cmd == cmd)
			return command;
	}
	fail("no command %#lx", cmd);
}

TEST_F(uapi, refused_values)
{
	const struct command *command;
	const struct poke *poke;
	union argument arg;

	for (poke = pokes; poke < pokes + ARRAY_SIZE(pokes); poke++) {
		if (!(poke->kinds & variant->kind))
			continue;
		command = find_command(poke->cmd);
		fill(command, &arg, self);
		arg.size = size_of(command);
		memcpy(arg.bytes + offset_in_shape(&poke->span), &poke->value,
		       poke->span.length);
		refused(_metadata, self, command, &arg, poke->error,
			poke->field, poke->value);
	}
}

struct bad_ranges {
	unsigned int kinds;
	int error;
	__u32 nr;
	struct peerbuf_range ranges[2];
};

static const struct bad_ranges bad_ranges[] = {
	{ NODE | POOL, EINVAL, 1, { { 0, 0 } } },
	{ NODE | POOL, EINVAL, 1, { { 0, 1 } } },
	{ NODE | POOL, EINVAL, 1, { { 0, PAGE - 1 } } },
	{ NODE | POOL, EINVAL, 1, { { 1, PAGE } } },
	{ NODE | POOL, EINVAL, 1, { { PAGE / 2, PAGE } } },
	{ NODE | POOL, EINVAL, 1, { { 0, ~0ULL } } },
	{ NODE | POOL, EOVERFLOW, 1, { { -PAGE, PAGE } } },
	{ NODE | POOL, EOVERFLOW, 1, { { -PAGE, 2 * PAGE } } },
	{ NODE | POOL, EOVERFLOW, 1, { { PAGE, -PAGE } } },
	{ NODE | POOL, ERANGE, 1, { { 0, -PAGE } } },
	{ NODE | POOL, ERANGE, 1, { { 1ULL << 63, PAGE } } },
	{ NODE | POOL, ERANGE, 1, { { 1ULL << 32, PAGE } } },
	/* The second of two is bad: the first must not stay taken. */
	{ NODE | POOL, EINVAL, 2, { { PAGE, PAGE }, { 0, 0 } } },
	{ NODE | POOL, ERANGE, 2, { { PAGE, PAGE }, { MIB(512), PAGE } } },
	{ NODE | POOL, EBUSY, 2, { { PAGE, PAGE }, { PAGE, PAGE } } },
	{ NODE | POOL, EBUSY, 2, { { 0, 2 * PAGE }, { PAGE, 2 * PAGE } } },

	{ NODE, EINVAL, 1, { { PEERBUF_OFFSET_ANY, PAGE } } },
	{ NODE, ERANGE, 1, { { WINDOW_LENGTH, PAGE } } },
	{ NODE, ERANGE, 1, { { WINDOW_LENGTH - PAGE, 2 * PAGE } } },
	{ NODE, ERANGE, 1, { { 0, WINDOW_LENGTH + PAGE } } },
	{ NODE, EBUSY, 1, { { POOL_OFFSET, PAGE } } },
	{ NODE, EBUSY, 1, { { POOL_OFFSET - PAGE, 2 * PAGE } } },
	{ NODE, EBUSY, 1, { { POOL_OFFSET + POOL_LENGTH - PAGE, PAGE } } },
	{ NODE, EBUSY, 1, { { MIB(4), PAGE } } },
	{ NODE, EBUSY, 1, { { 0, WINDOW_LENGTH } } },
	{ NODE, EBUSY, 2, { { PAGE, PAGE }, { MIB(4), PAGE } } },

	{ POOL, EINVAL, 1, { { PEERBUF_OFFSET_ANY, 0 } } },
	{ POOL, EINVAL, 1, { { PEERBUF_OFFSET_ANY, 1 } } },
	{ POOL, ENOSPC, 1, { { PEERBUF_OFFSET_ANY, POOL_LENGTH } } },
	{ POOL, ENOSPC, 1, { { PEERBUF_OFFSET_ANY, POOL_LENGTH + PAGE } } },
	{ POOL, ENOSPC, 1, { { PEERBUF_OFFSET_ANY, -PAGE } } },
	{ POOL, ERANGE, 1, { { POOL_LENGTH, PAGE } } },
	{ POOL, ERANGE, 1, { { POOL_LENGTH - PAGE, 2 * PAGE } } },
	{ POOL, EBUSY, 1, { { KIB(512), PAGE } } },
	{ POOL, ENOSPC, 2, { { PAGE, PAGE }, { PEERBUF_OFFSET_ANY, KIB(768) } } },
};

TEST_F(uapi, refused_ranges)
{
	const struct command *export = find_command(PEERBUF_IOC_EXPORT);
	const struct bad_ranges *bad;
	union argument arg;

	for (bad = bad_ranges; bad < bad_ranges + ARRAY_SIZE(bad_ranges);
	     bad++) {
		if (!(bad->kinds & variant->kind))
			continue;
		fill(export, &arg, self);
		arg.export.ranges = (uintptr_t)bad->ranges;
		arg.export.nr_ranges = bad->nr;
		refused(_metadata, self, export, &arg, bad->error,
			"ranges, case", bad - bad_ranges);
	}
}

TEST_F(uapi, descriptors_of_other_kinds)
{
	const struct command *buffer = find_command(PEERBUF_IOC_BUFFER);
	int foreign = pb_udmabuf(PAGE);
	int fds[] = { self->control, self->node, self->pool, foreign };
	union argument arg;
	size_t i;

	self->before = pb_state(&self->provider, self->pool);
	for (i = 0; i < ARRAY_SIZE(fds) && variant->kind == CONTROL; i++) {
		fill(buffer, &arg, self);
		arg.buffer.fd = fds[i];
		refused(_metadata, self, buffer, &arg, EINVAL, "descriptor", i);
	}
	close(foreign);
}

TEST_F(uapi, files_have_no_other_use)
{
	char byte = 0;

	EXPECT_EQ(-1, read(self->fd, &byte, 1));
	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_GT(0, pb_try_map(self->fd, 0, PAGE, PROT_READ, MAP_SHARED));
}

TEST_F(uapi, close_on_exec_is_honoured)
{
	const struct command *export = find_command(PEERBUF_IOC_EXPORT);
	union argument arg;
	int cloexec;

	for (cloexec = 0; cloexec < 2 && variant->kind != CONTROL; cloexec++) {
		fill(export, &arg, self);
		arg.export.open_flags = O_RDWR | (cloexec ? O_CLOEXEC : 0);
		must(pb_ioctl(self->fd, PEERBUF_IOC_EXPORT, &arg));
		EXPECT_EQ(cloexec ? FD_CLOEXEC : 0,
			  fcntl(arg.export.fd, F_GETFD));
		close(arg.export.fd);
	}
}

TEST_F(uapi, no_descriptor_left)
{
	const struct command *export = find_command(PEERBUF_IOC_EXPORT);
	const struct command *create = find_command(PEERBUF_IOC_POOL_CREATE);
	struct rlimit old, none;
	union argument arg;
	int error;

	if (variant->kind == CONTROL)
		return;
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	none = old;
	none.rlim_cur = self->before.nr_fds - 4;
	while (dup(self->fd) < (int)none.rlim_cur)
		;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	fill(export, &arg, self);
	error = pb_ioctl(self->fd, export->cmd, &arg);
	EXPECT_EQ(-EMFILE, error);
	fill(create, &arg, self);
	error = pb_ioctl(self->node, create->cmd, &arg);
	EXPECT_EQ(-EMFILE, error);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

TEST_F(uapi, answers)
{
	struct peerbuf_range ranges[2] = {};
	struct peerbuf_window_info window;
	struct peerbuf_buffer_info info;
	struct peerbuf_version version = { .size = sizeof(version) };
	__u64 start, length;

	must(pb_ioctl(self->control, PEERBUF_IOC_VERSION, &version));
	EXPECT_EQ(PEERBUF_ABI, version.abi);
	EXPECT_EQ(PEERBUF_MAX_RANGES, version.max_ranges);

	must(pb_window(&self->provider, 0, &window));
	must(pb_bar(&self->provider, 2, &start, &length));
	EXPECT_EQ(2, window.bar);
	EXPECT_EQ(0, window.bar_offset);
	EXPECT_EQ(length, window.length);
	EXPECT_EQ(start, window.phys);
	EXPECT_EQ(start, window.bus);
	EXPECT_EQ(PEERBUF_WINDOW_PREFETCHABLE, window.flags);

	must(pb_buffer(self->dmabuf, &info, ranges, 2));
	EXPECT_EQ(self->id, info.id);
	EXPECT_EQ(2 * PAGE, info.length);
	EXPECT_EQ(2, info.nr_ranges);
	EXPECT_EQ(0, info.window);
	EXPECT_TRUE(pb_same_function(&self->provider.function, &info.provider));
	EXPECT_EQ(PAGE, ranges[0].length);
	EXPECT_EQ(PAGE, ranges[1].length);
	if (variant->kind == POOL) {
		EXPECT_EQ(PEERBUF_BUFFER_POOLED, info.flags);
		EXPECT_EQ(POOL_OFFSET, ranges[0].offset);
		EXPECT_EQ(POOL_OFFSET + KIB(512), ranges[1].offset);
	} else {
		EXPECT_EQ(0, info.flags);
		EXPECT_EQ(MIB(4), ranges[0].offset);
		EXPECT_EQ(MIB(6), ranges[1].offset);
	}
	must(pb_buffer(self->dmabuf, &info, NULL, 0));
	EXPECT_EQ(2, info.nr_ranges);
}

TEST_HARNESS_MAIN
