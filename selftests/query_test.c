// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queries: everything that /dev/peerbuf/control tells, asked by nobody, in every
 * way that is right, and in many that are not.
 *
 *   QUERY_CALLS  how many calls to make up, default 30000
 *   QUERY_SEED   from what, default 1
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "peerbuf_lib.h"

#define MAX_FUNCTIONS	64
#define MAX_PORTS	256
#define FUZZ_TIMEOUT	600

FIXTURE(query) {
	struct pb_device provider;
	struct peerbuf_route_entry entries[MAX_FUNCTIONS];
	int nr;
};

FIXTURE_SETUP(query)
{
	self->provider = pb_provider(0);
	self->nr = must(pb_routes(&self->provider.function, self->entries,
				  MAX_FUNCTIONS));
	ASSERT_GE(MAX_FUNCTIONS, self->nr);
}

FIXTURE_TEARDOWN(query)
{
}

static bool is_in(const struct peerbuf_route_entry *entries, int nr,
		  const struct pb_device *device)
{
	while (nr--)
		if (pb_same_function(&entries[nr].importer, &device->function))
			return true;
	return false;
}

TEST_F(query, all_functions_are_there_once)
{
	int i, j;

	for (i = 0; i < 2; i++) {
		const struct pb_device provider = pb_provider(i);
		const struct pb_device importer = pb_importer(i);

		EXPECT_TRUE(is_in(self->entries, self->nr, &provider));
		EXPECT_TRUE(is_in(self->entries, self->nr, &importer));
	}
	for (i = 0; i < self->nr; i++)
		for (j = 0; j < i; j++)
			EXPECT_FALSE(pb_same_function(&self->entries[i].importer,
						      &self->entries[j].importer));
}

/* Each pair of the system, asked for both ways. */
TEST_F(query, all_at_once_is_the_same_as_one_by_one)
{
	struct peerbuf_route_entry row[MAX_FUNCTIONS];
	struct peerbuf_verdict verdict;
	int i, j;

	for (i = 0; i < self->nr; i++) {
		ASSERT_EQ(self->nr, pb_routes(&self->entries[i].importer, row,
					      MAX_FUNCTIONS));
		for (j = 0; j < self->nr; j++) {
			EXPECT_TRUE(pb_same_function(&self->entries[j].importer,
						     &row[j].importer));
			ASSERT_EQ(0, pb_route(&self->entries[i].importer,
					      &row[j].importer, &verdict));
			EXPECT_EQ(0, memcmp(&row[j].verdict, &verdict,
					    sizeof(verdict)));
		}
	}
}

TEST_F(query, room_is_what_is_used)
{
	struct peerbuf_route_entry row[MAX_FUNCTIONS];
	const struct peerbuf_function *provider = &self->provider.function;
	unsigned int room;
	const char *byte;

	EXPECT_EQ(self->nr, pb_routes(provider, NULL, 0));
	for (room = 1; room <= (unsigned int)self->nr; room++) {
		memset(row, 0x5a, sizeof(row));
		EXPECT_EQ(self->nr, pb_routes(provider, row, room));
		EXPECT_EQ(0, memcmp(row, self->entries, room * sizeof(row[0])));
		for (byte = (char *)&row[room]; byte < (char *)(row + 64); byte++)
			ASSERT_EQ(0x5a, *byte);
	}
}

/* Everything there is to ask, of everything there is. */
static void ask_all(struct __test_metadata *_metadata,
		    const FIXTURE_DATA(query) *self)
{
	struct peerbuf_port_info ports[MAX_PORTS];
	struct peerbuf_version version = { .size = sizeof(version) };
	struct peerbuf_provider_info info;
	struct peerbuf_window_info window;
	struct peerbuf_path_query path;
	struct peerbuf_verdict verdict;
	int i, j, control = must(pb_open_control());

	EXPECT_EQ(0, pb_ioctl(control, PEERBUF_IOC_VERSION, &version));
	EXPECT_EQ(0, pb_provider_info(&self->provider, &info));
	EXPECT_EQ(0, pb_window(&self->provider, 0, &window));
	for (i = 0; i < self->nr; i++) {
		path = (struct peerbuf_path_query){
			.size = sizeof(path),
			.function = self->entries[i].importer,
			.ports = (uintptr_t)ports,
			.nr_ports = MAX_PORTS,
		};
		EXPECT_EQ(0, pb_ioctl(control, PEERBUF_IOC_PATH, &path));
		EXPECT_EQ(self->nr, pb_routes(&self->entries[i].importer, NULL,
					      0));
		for (j = 0; j < self->nr; j++)
			EXPECT_EQ(0, pb_route(&self->entries[i].importer,
					      &self->entries[j].importer,
					      &verdict));
	}
	close(control);
}

/* Exit status of the command, as a user would run it. */
static int command(const char *const *argv)
{
	pid_t child = pb_fork();

	if (!child) {
		must(dup2(must(open("/dev/null", O_WRONLY)), STDOUT_FILENO));
		execv("/bin/peerbuf", (char *const *)argv);
		_exit(127);
	}
	return pb_join(child);
}

static int ask_command(const char *verb, const struct pb_device *provider,
		       const struct pb_device *importer)
{
	const char *const argv[] = {
		"peerbuf", verb, provider->name, importer->name, NULL,
	};

	return command(argv);
}

TEST_F(query, nobody_may_ask_everything)
{
	struct pb_device importer = pb_importer(0);
	const char *const lists[][4] = {
		{ "peerbuf", "list" },
		{ "peerbuf", "routes", "--all" },
		{ "peerbuf", "routes", "--all", "--json" },
		{ "peerbuf", "routes", "--all", "--svg" },
		{ "peerbuf", "routes", "--all", "--dot" },
	};
	pid_t child = pb_fork();
	const char *argv[5];
	size_t i;

	if (!child) {
		const bool none = pb_expect()->route == PEERBUF_ROUTE_NONE;

		pb_become_nobody();
		EXPECT_EQ(-EACCES, pb_open_node(&self->provider, O_RDONLY));
		ask_all(_metadata, self);
		for (i = 0; i < ARRAY_SIZE(lists); i++) {
			memset(argv, 0, sizeof(argv));
			memcpy(argv, lists[i], sizeof(lists[i]));
			EXPECT_EQ(0, command(argv)) TH_LOG("%s", argv[1]);
		}
		EXPECT_EQ(none, ask_command("why", &self->provider, &importer));
		EXPECT_EQ(none, ask_command("route", &self->provider,
					    &importer));
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, pb_join(child));
}

static __u64 random_state;

static __u64 next_random(void)
{
	return pb_random(&random_state);
}

static unsigned int below(unsigned int limit)
{
	return pb_random_below(&random_state, limit);
}

union argument {
	__u32 size;
	struct peerbuf_provider_info provider;
	struct peerbuf_window_info window;
	struct peerbuf_route_query route;
	struct peerbuf_buffer_info buffer;
	struct peerbuf_path_query path;
	struct peerbuf_routes_query routes;
	unsigned char bytes[128];
};

#define NR_COMMANDS	7

static const __u32 sizes[NR_COMMANDS] = {
	sizeof(struct peerbuf_version),
	sizeof(struct peerbuf_provider_info),
	sizeof(struct peerbuf_window_info),
	sizeof(struct peerbuf_route_query),
	sizeof(struct peerbuf_buffer_info),
	sizeof(struct peerbuf_path_query),
	sizeof(struct peerbuf_routes_query),
};

/**
 * struct fuzz - what calls are made up of
 * @query: functions that exist
 * @dmabuf: a buffer
 * @good: memory that can be written
 * @bad: memory that can be read
 * @answered: how often each command worked
 */
struct fuzz {
	const FIXTURE_DATA(query) *query;
	int dmabuf;
	void *good;
	void *bad;
	unsigned long answered[NR_COMMANDS];
};

static __u64 some_pointer(const struct fuzz *fuzz)
{
	const __u64 pointers[] = {
		(uintptr_t)fuzz->good, (uintptr_t)fuzz->good + PAGE - 8,
		(uintptr_t)fuzz->bad, 0, 8, ~0ULL, ~0xfffULL,
		0xffff888000000000ULL, 1ULL << 63, next_random(),
	};

	return pointers[below(2) ? 0 : below(ARRAY_SIZE(pointers))];
}

static struct peerbuf_function some_function(const struct fuzz *fuzz)
{
	return fuzz->query->entries[below(fuzz->query->nr)].importer;
}

/* Right in every field, at first. */
static void make_up(const struct fuzz *fuzz, unsigned int nr,
		    union argument *arg)
{
	memset(arg, 0, sizeof(*arg));
	arg->size = sizes[nr];
	switch (nr) {
	case 1:
		arg->provider.provider = fuzz->query->provider.function;
		break;
	case 2:
		arg->window.provider = fuzz->query->provider.function;
		arg->window.index = below(2);
		break;
	case 3:
		arg->route.provider = some_function(fuzz);
		arg->route.importer = some_function(fuzz);
		break;
	case 4:
		arg->buffer.fd = below(2) ? fuzz->dmabuf : (int)below(8) - 1;
		arg->buffer.ranges = some_pointer(fuzz);
		arg->buffer.nr_ranges = below(4);
		break;
	case 5:
		arg->path.function = some_function(fuzz);
		arg->path.ports = some_pointer(fuzz);
		arg->path.nr_ports = below(2) ? MAX_PORTS / 4 : next_random();
		break;
	case 6:
		arg->routes.provider = some_function(fuzz);
		arg->routes.routes = some_pointer(fuzz);
		arg->routes.nr_routes = below(MAX_FUNCTIONS);
		break;
	}
}

/* Where the call is told to write; NULL for those that only use the argument. */
static __u64 *pointer_in(unsigned int nr, union argument *arg)
{
	switch (nr) {
	case 4:
		return &arg->buffer.ranges;
	case 5:
		return &arg->path.ports;
	case 6:
		return &arg->routes.routes;
	default:
		return NULL;
	}
}

/* All but the pointer: the kernel would write to our own stack if told so. */
static void spoil(unsigned int nr, union argument *arg)
{
	__u64 *pointer = pointer_in(nr, arg), saved = pointer ? *pointer : 0;
	unsigned int i, bytes = below(4);

	if (!below(16))
		bytes = sizeof(*arg);
	for (i = 0; i < bytes; i++)
		arg->bytes[below(sizeof(*arg))] = below(2) ? next_random() :
							     1U << below(8);
	if (!below(8))
		arg->size = below(2) ? below(sizeof(*arg)) : next_random();
	if (pointer)
		*pointer = saved;
}

static bool is_promised(int error)
{
	static const int promised[] = {
		ENOTTY, EINVAL, E2BIG, EOPNOTSUPP, EFAULT, ENODEV, ENOENT,
		ENXIO, ENOSPC, EBADF,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(promised); i++)
		if (error == -promised[i])
			return true;
	return false;
}

/* One call: it works, or fails as promised and leaves its argument alone. */
static void call_once(struct __test_metadata *_metadata, struct fuzz *fuzz,
		      int control, unsigned long long call)
{
	unsigned int nr = below(NR_COMMANDS);
	union argument arg, before;
	unsigned int cmd = nr;
	int ret;

	make_up(fuzz, nr, &arg);
	if (below(4))
		spoil(nr, &arg);
	if (!below(32))
		cmd = NR_COMMANDS + below(256 - NR_COMMANDS);
	before = arg;
	ret = pb_ioctl(control, _IO(PEERBUF_IOC_TYPE, cmd), &arg);
	if (!ret && cmd == nr) {
		fuzz->answered[nr]++;
		return;
	}
	ASSERT_TRUE(is_promised(ret))
		TH_LOG("call %llu: command %#x returns %d", call, cmd, ret);
	ASSERT_EQ(0, memcmp(&before, &arg, sizeof(arg)))
		TH_LOG("call %llu: command %#x failed, and wrote", call, cmd);
}

TEST_F_TIMEOUT(query, made_up_calls_fail_as_promised, FUZZ_TIMEOUT)
{
	unsigned long long calls = pb_setting("QUERY_CALLS", 30000), i;
	struct fuzz fuzz = { .query = self };
	struct pb_state before;
	int node, pool, control;
	pid_t child;

	node = must(pb_open_node(&self->provider, O_RDWR));
	pool = must(pb_pool(node, MIB(8), MIB(1)));
	fuzz.dmabuf = must(pb_export_at(node, 0, 0, PAGE, NULL));
	fuzz.good = pb_map(-1, 0, 4 * PAGE, PROT_READ | PROT_WRITE);
	fuzz.bad = pb_map(-1, 0, 4 * PAGE, PROT_READ);
	before = pb_state(&self->provider, pool);
	random_state = pb_setting("QUERY_SEED", 1);

	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		control = must(pb_open_control());
		for (i = 0; i < calls && !_metadata->exit_code; i++)
			call_once(_metadata, &fuzz, control, i);
		TH_LOG("%llu calls from seed %llu", i,
		       pb_setting("QUERY_SEED", 1));
		for (i = 0; i < NR_COMMANDS && calls >= 1000; i++)
			EXPECT_LT(0, fuzz.answered[i])
				TH_LOG("command %llu never worked", i);
		_exit(_metadata->exit_code);
	}
	EXPECT_EQ(0, pb_join(child));
	EXPECT_TRUE(pb_unchanged(&before, &self->provider, pool));
	close(fuzz.dmabuf);
	close(pool);
	close(node);
}

TEST_HARNESS_MAIN
