// SPDX-License-Identifier: MIT
/*
 * What libpeerbuf does without a kernel module: addresses, words, lists,
 * passing descriptors, and what exactly it hands to ioctl(), which this program
 * replaces by a function of its own. TAP output.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int tests, failures;

static void check(int ok, const char *what, int line)
{
	printf("%sok %d %s\n", ok ? "" : "not ", ++tests, what);
	if (!ok) {
		printf("# line %d\n", line);
		failures++;
	}
}

#define CHECK(condition, what) check(!!(condition), what, __LINE__)

/* The last ioctl(): what the library asked for, and what it is to be told. */
static struct {
	int fd;
	unsigned long request;
	char arg[256];
	int err;
} last;

static const struct peerbuf_range *last_ranges;

int ioctl(int fd, unsigned long request, ...)
{
	__u32 size;
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	last.fd = fd;
	last.request = request;
	memcpy(&size, arg, sizeof(size));
	memcpy(last.arg, arg, size < sizeof(last.arg) ? size : sizeof(last.arg));
	if (request == PEERBUF_IOC_EXPORT) {
		struct peerbuf_export *export = arg;
		static struct peerbuf_range copy;

		copy = *(struct peerbuf_range *)(uintptr_t)export->ranges;
		last_ranges = &copy;
		export->fd = 77;
		export->id = 5;
	}
	if (request == PEERBUF_IOC_POOL_CREATE)
		((struct peerbuf_pool_create *)arg)->fd = 78;
	if (!last.err)
		return 0;
	errno = last.err;
	return -1;
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		struct peerbuf_function function;
	} good[] = {
		{ "0000:02:00.0", { .bus = 2 } },
		{ "02:00.0", { .bus = 2 } },
		{ "2:0.0", { .bus = 2 } },
		{ "ff:1f.7", { .bus = 0xff, .devfn = 0xff } },
		{ "0001:3A:1e.5", { .domain = 1, .bus = 0x3a, .devfn = 0x1e << 3 | 5 } },
		{ "10000:e1:00.0", { .domain = 0x10000, .bus = 0xe1 } },
		{ "ffffffff:00:00.1", { .domain = 0xffffffff, .devfn = 1 } },
	};
	static const char * const bad[] = {
		"", ":", "02", "02:00", "02:00.", "02:00.8", "02:20.0", "100:00.0",
		":02:00.0", "0000::00.0", "0000:02:.0", "100000000:02:00.0",
		"0000:0000:02:00.0", "02:00.0 ", " 02:00.0", "+2:00.0", "-2:00.0",
		"0x2:00.0", "02:00.00", "02.00.0", "02:00:0", "g2:00.0", "control",
	};
	struct peerbuf_function function;
	char what[80];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(what, sizeof(what), "parse \"%s\"", good[i].text);
		memset(&function, 0xee, sizeof(function));
		CHECK(!peerbuf_parse_function(good[i].text, &function) &&
		      !memcmp(&function, &good[i].function, sizeof(function)), what);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(what, sizeof(what), "refuse \"%s\"", bad[i]);
		CHECK(peerbuf_parse_function(bad[i], &function) == -EINVAL, what);
	}
}

static void test_format(void)
{
	struct peerbuf_function small = { .bus = 2, .devfn = 0x1f << 3 | 7 };
	struct peerbuf_function large = { .domain = 0xffffffff, .bus = 0xff, .devfn = 0xff };
	char text[PEERBUF_FUNCTION_LEN];

	CHECK(peerbuf_format_function(&small, text, sizeof(text)) == 12 &&
	      !strcmp(text, "0000:02:1f.7"), "format a usual address");
	CHECK(peerbuf_format_function(&large, text, sizeof(text)) == 16 &&
	      !strcmp(text, "ffffffff:ff:1f.7"), "format the longest address");
	CHECK(peerbuf_format_function(&small, text, 12) == -ENOSPC, "refuse too little room");
	CHECK(peerbuf_format_function(&small, text, 13) == 12, "accept just enough room");
}

static int is_sentence(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	return length > 10 && text[length - 1] == '.' && !strchr(text, '\n');
}

static void test_words(void)
{
	__u32 i, j, last_reason = PEERBUF_REASON_STOPPED;
	int ok = 1;

	for (i = PEERBUF_ROUTE_NONE; i <= PEERBUF_ROUTE_HOST; i++)
		ok &= strcmp(peerbuf_route_name(i), "unknown") &&
		      is_sentence(peerbuf_route_text(i));
	CHECK(ok, "every route has a name and a sentence");

	for (ok = 1, i = 1; i <= last_reason; i++) {
		ok &= strcmp(peerbuf_reason_name(i), "unknown") &&
		      is_sentence(peerbuf_reason_text(i)) &&
		      is_sentence(peerbuf_hint(PEERBUF_ROUTE_NONE, i));
		for (j = 1; j < i; j++)
			ok &= !!strcmp(peerbuf_reason_name(i), peerbuf_reason_name(j));
	}
	CHECK(ok, "every reason has a name of its own, a sentence and a hint");

	CHECK(strcmp(peerbuf_hint(PEERBUF_ROUTE_NONE, PEERBUF_REASON_ACS_REDIRECT),
		     peerbuf_hint(PEERBUF_ROUTE_HOST, PEERBUF_REASON_ACS_REDIRECT)),
	      "ACS redirect has one hint for each of its routes");
	for (ok = 1, i = PEERBUF_STATE_IN_USE; i <= PEERBUF_STATE_REVOKED; i++)
		ok &= !!strcmp(peerbuf_state_name(i), "unknown");
	CHECK(ok && !strcmp(peerbuf_state_name(i), "unknown"), "every state has a name");

	CHECK(!strcmp(peerbuf_route_name(3), "unknown") &&
	      !strcmp(peerbuf_reason_name(0), "unknown") &&
	      !strcmp(peerbuf_reason_name(last_reason + 1), "unknown") &&
	      is_sentence(peerbuf_hint(0, UINT32_MAX)), "values of the future are unknown");
}

static void test_ports(void)
{
	__u32 bit, other;
	char text[PEERBUF_ACS_LEN];
	int ok = 1;

	for (bit = PEERBUF_VERDICT_IOMMU; bit <= PEERBUF_VERDICT_ADMIN; bit <<= 1) {
		ok &= !!strcmp(peerbuf_verdict_flag_name(bit), "unknown");
		for (other = 1; other < bit; other <<= 1)
			ok &= !!strcmp(peerbuf_verdict_flag_name(bit),
				       peerbuf_verdict_flag_name(other));
	}
	CHECK(ok, "every flag of a verdict has a name of its own");
	CHECK(!strcmp(peerbuf_verdict_flag_name(PEERBUF_VERDICT_ADMIN), "admin") &&
	      !strcmp(peerbuf_verdict_flag_name(PEERBUF_VERDICT_ADMIN << 1), "unknown") &&
	      !strcmp(peerbuf_verdict_flag_name(0), "unknown"), "and only those");
	CHECK(!strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_READ_ONLY), "read-only") &&
	      !strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_NO_STATIC), "no-static") &&
	      !strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_NO_PINNED), "no-pinned") &&
	      !strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_DIRECT), "direct") &&
	      !strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_REVOKED), "revoked") &&
	      !strcmp(peerbuf_pool_flag_name(PEERBUF_POOL_REVOKED << 1), "unknown") &&
	      !strcmp(peerbuf_pool_flag_name(0), "unknown"), "every flag of a pool has its name");

	CHECK(!strcmp(peerbuf_port_type_name(4), "root port") &&
	      !strcmp(peerbuf_port_type_name(0xff), "conventional PCI") &&
	      !strcmp(peerbuf_port_type_name(2), "unknown") &&
	      !strcmp(peerbuf_port_type_name(0xb), "unknown"), "ports have types");

	CHECK(peerbuf_format_acs(0x1d, text, sizeof(text)) == 11 &&
	      !strcmp(text, "SV RR CR UF"), "what Linux turns on, by name");
	CHECK(peerbuf_format_acs(0xffff, text, sizeof(text)) == PEERBUF_ACS_LEN - 1 &&
	      !strcmp(text, "SV TB RR CR UF EC DT"), "all ACS bits fit");
	CHECK(!peerbuf_format_acs(0, text, 1) && !*text, "no ACS bit is no text");
	CHECK(peerbuf_format_acs(0x1d, text, 11) == -ENOSPC &&
	      peerbuf_format_acs(0x1d, text, 12) == 11, "ACS bits need just enough room");
}

static void test_path(void)
{
	struct peerbuf_function a = { .domain = 1, .bus = 2, .devfn = 9 };
	struct peerbuf_path_query query = { .size = sizeof(query), .host.vendor = 1 };
	struct peerbuf_path_query *asked = (void *)last.arg;
	struct peerbuf_port_info ports[3];

	CHECK(!peerbuf_path(4, &a, &query, ports, 3) && last.fd == 4 &&
	      last.request == PEERBUF_IOC_PATH && asked->size == sizeof(query) &&
	      !memcmp(&asked->function, &a, sizeof(a)) && asked->nr_ports == 3 &&
	      asked->ports == (uintptr_t)ports && !asked->host.vendor,
	      "a path query carries function and room, and nothing else");
	last.err = ENOSPC;
	CHECK(peerbuf_path(4, &a, &query, ports, 3) == -ENOSPC, "a long path is an error");
	last.err = 0;
	last.request = 0;
	query.size = offsetof(struct peerbuf_path_query, nr_ports);
	CHECK(peerbuf_path(4, &a, &query, ports, 3) == -EINVAL && !last.request,
	      "a path query that is too short is not written to");
}

static void make_entries(const char *dir, const char * const *names, size_t count)
{
	char path[128];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (mkdir(path, 0700))
			exit(1);
	}
}

static void remove_entries(const char *dir, const char * const *names, size_t count)
{
	char path[128];
	size_t i;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		rmdir(path);
	}
	rmdir(dir);
}

static void test_list(void)
{
	static const char * const names[] = {
		"0001:00:00.0", "control", "0000:80:00.0", "0000:02:00.1", "0000:02:00.0",
		"edu-0000:03:00.0", "0000:03:00.0", "0000:04:00.0", "0000:05:00.0",
		"0000:06:00.0", "0000:07:00.0",
	};
	char dir[] = "/tmp/libpeerbuf-test-XXXXXX";
	struct peerbuf_function *list;

	if (!mkdtemp(dir))
		exit(1);
	CHECK(peerbuf__list_dir(dir, &list) == 0 && !list, "list an empty directory");
	make_entries(dir, names, ARRAY_SIZE(names));
	CHECK(peerbuf__list_dir(dir, &list) == 9, "list providers and nothing else");
	CHECK(list[0].bus == 2 && list[0].devfn == 0 && list[1].devfn == 1 &&
	      list[7].bus == 0x80 && list[8].domain == 1, "in the order of their addresses");
	free(list);
	remove_entries(dir, names, ARRAY_SIZE(names));
	CHECK(peerbuf__list_dir(dir, &list) == -ENOENT && !list, "list where nothing is");
}

static void test_holders(void)
{
	struct peerbuf_buffers_query buffers = { .size = sizeof(buffers), .entry_size = 200 };
	struct peerbuf_holders_query holders = { .size = sizeof(holders), .entry_size = 300 };
	struct peerbuf_buffers_query *lent = (void *)last.arg;
	struct peerbuf_holders_query *held = (void *)last.arg;
	struct peerbuf_buffer_entry entry;
	struct peerbuf_holder_entry holder;

	buffers.longest_revoke_ns = 9;
	CHECK(!peerbuf_list_buffers(6, &buffers, &entry, 2) && last.fd == 6 &&
	      last.request == PEERBUF_IOC_BUFFERS && lent->entries == (uintptr_t)&entry &&
	      lent->nr_entries == 2 && lent->entry_size == 200 && !lent->longest_revoke_ns,
	      "a list of buffers says where they go, how many fit, and how large each is");
	CHECK(!peerbuf_list_holders(6, 5, &holders, &holder, 3) && last.fd == 6 &&
	      last.request == PEERBUF_IOC_HOLDERS && held->id == 5 &&
	      held->entries == (uintptr_t)&holder && held->nr_entries == 3 &&
	      held->entry_size == 300, "a list of importers says of which buffer, too");
	last.request = 0;
	buffers.size = 16;
	holders.size = 24;
	CHECK(peerbuf_list_buffers(6, &buffers, &entry, 1) == -EINVAL &&
	      peerbuf_list_holders(6, 5, &holders, &holder, 1) == -EINVAL && !last.request,
	      "both refuse a struct that does not say so");
	CHECK(!strcmp(peerbuf_class_name(PEERBUF_CLASS_REVOCABLE), "revocable") &&
	      !strcmp(peerbuf_class_name(PEERBUF_CLASS_PINNED), "pinned") &&
	      !strcmp(peerbuf_class_name(PEERBUF_CLASS_STATIC), "static") &&
	      !strcmp(peerbuf_class_name(PEERBUF_CLASS_STATIC + 1), "unknown"),
	      "classes of importers have names");
}

static void test_questions(void)
{
	struct peerbuf_function a = { .domain = 1, .bus = 2 }, b = { .bus = 3, .devfn = 8 };
	struct peerbuf_window_info window = { .size = sizeof(window), .length = 1 };
	struct peerbuf_window_info *seen = (void *)last.arg;
	struct peerbuf_route_query query = { .size = sizeof(query) };
	struct peerbuf_route_query *asked = (void *)last.arg;
	struct peerbuf_routes_query routes = { .size = sizeof(routes) };
	struct peerbuf_routes_query *row = (void *)last.arg;
	struct peerbuf_route_entry entries[2];
	struct { struct peerbuf_window_info info; __u64 tail; } future = {
		.info.size = sizeof(future), .tail = 9,
	};

	CHECK(!peerbuf_get_window(4, &a, 3, &window) && last.fd == 4 &&
	      last.request == PEERBUF_IOC_WINDOW && seen->size == sizeof(window) &&
	      seen->index == 3 && !memcmp(&seen->provider, &a, sizeof(a)),
	      "a question carries size, function and index");
	CHECK(!seen->length, "and nothing else");
	CHECK(!peerbuf_query_route(4, &a, &b, &query) && last.request == PEERBUF_IOC_ROUTE &&
	      asked->provider.domain == 1 && asked->importer.bus == 3,
	      "a route query has provider and importer in their places");

	CHECK(!peerbuf_get_window(4, &a, 3, &future.info) && seen->size == sizeof(future) &&
	      !future.tail, "a longer struct is passed on, its tail cleared");
	last.request = 0;
	window.size = 8;
	CHECK(peerbuf_get_window(4, &a, 3, &window) == -EINVAL && !last.request,
	      "a struct that is too short is not written to");
	window.size = 0xeeeeeeee;
	CHECK(peerbuf_get_window(4, &a, 3, &window) == -E2BIG && !last.request,
	      "nor one whose size was never set");

	CHECK(!peerbuf_query_routes(4, &a, &routes, entries, 2) &&
	      last.request == PEERBUF_IOC_ROUTES && row->provider.domain == 1 &&
	      row->routes == (uintptr_t)entries && row->nr_routes == 2,
	      "a query for all routes says where they go, and how many fit");

	test_holders();
	last.err = ENXIO;
	CHECK(peerbuf_query_route(4, &a, &b, &query) == -ENXIO, "errors come back negative");
	last.err = 0;
}

static void test_lending(void)
{
	struct peerbuf_export *export = (void *)last.arg;
	struct peerbuf_pool_create *pool = (void *)last.arg;
	struct peerbuf_revoke *revoke = (void *)last.arg;
	struct peerbuf_pool_create limited = {
		.size = sizeof(limited), .flags = PEERBUF_POOL_NO_STATIC, .quota = 8192,
	};
	__u64 id = 0;

	CHECK(peerbuf_export_fixed(6, 1, 8192, 4096, PEERBUF_EXPORT_SHARED, &id) == 77 &&
	      id == 5, "a fixed export returns descriptor and number");
	CHECK(last.fd == 6 && export->size == sizeof(*export) && export->window == 1 &&
	      export->flags == PEERBUF_EXPORT_SHARED && export->nr_ranges == 1 &&
	      !export->align && export->open_flags == (O_RDWR | O_CLOEXEC) &&
	      last_ranges->offset == 8192 && last_ranges->length == 4096,
	      "a fixed export asks for the range it was given");
	CHECK(peerbuf_export_pooled(6, 4096, 65536, 0, NULL) == 77 && !export->window &&
	      export->align == 65536 && last_ranges->offset == PEERBUF_OFFSET_ANY,
	      "a pooled export leaves the place to the kernel");
	CHECK(peerbuf_create_pool(6, 2, 4096, 8192) == 78 && pool->window == 2 &&
	      pool->offset == 4096 && pool->length == 8192 && pool->open_flags == O_CLOEXEC,
	      "a pool is created where asked");
	CHECK(pool->size == 40, "one without limits, by the first version of the struct");
	CHECK(peerbuf_create_limited_pool(6, &limited) == 78 && pool->size == sizeof(*pool) &&
	      pool->quota == 8192 && pool->flags == PEERBUF_POOL_NO_STATIC &&
	      pool->open_flags == 0, "a limited pool is created as the caller says");
	limited.size = 16;
	CHECK(peerbuf_create_limited_pool(6, &limited) == -EINVAL,
	      "a struct without room for the descriptor is refused");
	CHECK(!peerbuf_revoke_pool(6, 9, PEERBUF_REVOKE_NOWAIT) &&
	      last.request == PEERBUF_IOC_POOL_REVOKE && revoke->id == 9 &&
	      revoke->flags == PEERBUF_REVOKE_NOWAIT, "a revoke names the pool");
	CHECK(peerbuf_export_fixed(6, 1, 0, 4096, PEERBUF_EXPORT_READ_ONLY, NULL) == 77 &&
	      export->open_flags == (O_RDONLY | O_CLOEXEC),
	      "a read-only export opens the dma-buf for reading");
	CHECK(!peerbuf_revoke_buffer(6, 5, PEERBUF_REVOKE_NOWAIT) && revoke->id == 5 &&
	      revoke->flags == PEERBUF_REVOKE_NOWAIT, "a revoke names the buffer");
	last.err = EBUSY;
	CHECK(peerbuf_export_fixed(6, 1, 0, 4096, 0, &id) == -EBUSY &&
	      peerbuf_create_pool(6, 2, 0, 4096) == -EBUSY, "refusals come back negative");
	last.err = 0;
}

static int same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Send @count descriptors at once, which peerbuf_send_fd() never does. */
static void send_fds(int sock, const int *fds, int count)
{
	union { struct cmsghdr align; char space[CMSG_SPACE(8 * sizeof(int))]; } control = { 0 };
	struct iovec data = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, (size_t)count * sizeof(int));
	if (sendmsg(sock, &msg, 0) != 1)
		exit(1);
}

static int next_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void test_pass(int type, const char *name)
{
	int socks[2], files[6] = { 0 }, got = -1, before, i;
	char what[80];

	if (socketpair(AF_UNIX, type, 0, socks) || pipe(files))
		exit(1);
	for (i = 2; i < 6; i++)
		files[i] = dup(files[0]);
	before = next_free();

	snprintf(what, sizeof(what), "pass a descriptor over a %s socket", name);
	CHECK(!peerbuf_send_fd(socks[0], files[0]) &&
	      (got = peerbuf_recv_fd(socks[1])) >= 0 && same_file(got, files[0]) &&
	      fcntl(got, F_GETFD) == FD_CLOEXEC, what);
	close(got);
	CHECK(!peerbuf_send_fd(socks[0], files[0]) && !peerbuf_send_fd(socks[0], socks[0]) &&
	      (got = peerbuf_recv_fd(socks[1])) >= 0 && same_file(got, files[0]) &&
	      !close(got) && (got = peerbuf_recv_fd(socks[1])) >= 0 &&
	      same_file(got, socks[0]), "two messages stay two");
	close(got);
	CHECK(peerbuf_send_fd(socks[0], -1) == -EBADF, "refuse to pass what is not open");
	CHECK(send(socks[0], "x", 1, 0) == 1 && peerbuf_recv_fd(socks[1]) == -EBADMSG,
	      "a byte without a descriptor is an error");
	send_fds(socks[0], files, 3);
	CHECK(peerbuf_recv_fd(socks[1]) == -EBADMSG, "three descriptors are an error");
	send_fds(socks[0], files, 6);
	CHECK(peerbuf_recv_fd(socks[1]) < 0, "more than we have room for, too");
	CHECK(next_free() == before, "and none of them stays open");
	close(socks[0]);
	CHECK(peerbuf_recv_fd(socks[1]) == -ECONNRESET, "the other side has closed");
	CHECK(peerbuf_send_fd(socks[1], files[0]) == -EPIPE, "no SIGPIPE, but EPIPE");
	close(socks[1]);
	for (i = 0; i < 6; i++)
		close(files[i]);
}

int main(void)
{
	printf("TAP version 13\n");
	test_parse();
	test_format();
	test_words();
	test_ports();
	test_list();
	test_questions();
	test_path();
	test_lending();
	test_pass(SOCK_STREAM, "stream");
	test_pass(SOCK_SEQPACKET, "packet");
	printf("1..%d\n", tests);
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	return failures ? 1 : 0;
}
