// SPDX-License-Identifier: MIT
/*
 * peerbuf export: run a command that inherits a buffer.
 *
 * There is no process in between: peerbuf becomes the command, so signals, exit
 * status and job control are the command's own by nature.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* As in env(1) and others that run a command. */
enum {
	EXIT_FAILED = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

struct request {
	struct peerbuf_function provider;
	__u32 window;
	__u32 flags;
	__u32 access; /* O_RDWR or O_RDONLY */
	__u64 offset;
	__u64 length; /* 0: to the end of the window */
	bool pool;
	char **command;
};

/* What the command inherits. */
struct lease {
	int buffer;
	int pool; /* -1: none */
	__u64 length;
};

enum {
	WINDOW, OFFSET, LENGTH, POOL, SHARED, ALLOW_PINNED, ALLOW_STATIC, DIRECT, READ_ONLY,
};

static const struct option options[] = {
	{ "window", required_argument, NULL, WINDOW },
	{ "offset", required_argument, NULL, OFFSET },
	{ "length", required_argument, NULL, LENGTH },
	{ "pool", no_argument, NULL, POOL },
	{ "shared", no_argument, NULL, SHARED },
	{ "allow-pinned", no_argument, NULL, ALLOW_PINNED },
	{ "allow-static", no_argument, NULL, ALLOW_STATIC },
	{ "direct", no_argument, NULL, DIRECT },
	{ "read-only", no_argument, NULL, READ_ONLY },
	{ }
};

static int take_size(const char *option, const char *text, __u64 *bytes)
{
	if (!parse_size(text, bytes))
		return 0;
	return report_usage(&verb_export, "--%s: \"%s\" is not a size like 4096, 0x1000, 4K, 1M",
			    option, text);
}

static int take_option(struct request *request, int option, char **argv)
{
	switch (option) {
	case WINDOW:
		if (!parse_number(optarg, &request->window))
			return 0;
		return report_usage(&verb_export, "--window: \"%s\" is not a number", optarg);
	case OFFSET:
		return take_size("offset", optarg, &request->offset);
	case LENGTH:
		if (take_size("length", optarg, &request->length))
			return EXIT_FAILED;
		if (!request->length)
			return report_usage(&verb_export, "--length: a buffer cannot be empty");
		return 0;
	case POOL:
		request->pool = true;
		return 0;
	case SHARED:
		request->flags |= PEERBUF_EXPORT_SHARED;
		return 0;
	case ALLOW_PINNED:
		request->flags |= PEERBUF_EXPORT_ALLOW_PINNED;
		return 0;
	case ALLOW_STATIC:
		request->flags |= PEERBUF_EXPORT_ALLOW_STATIC;
		return 0;
	case DIRECT:
		request->flags |= PEERBUF_EXPORT_DIRECT;
		return 0;
	case READ_ONLY:
		request->access = O_RDONLY;
		return 0;
	default:
		return report_option(&verb_export, option, argv);
	}
}

/* Everything before "--" is ours, everything behind it the command's. */
static int parse(int argc, char **argv, struct request *request)
{
	int option, status, end;

	for (end = 1; end < argc && strcmp(argv[end], "--"); end++)
		;
	if (end + 1 >= argc)
		return report_usage(&verb_export, "export needs a command to run, after \"--\"");
	request->command = argv + end + 1;
	argv[end] = NULL;

	while ((option = getopt_long(end, argv, ":", options, NULL)) != -1) {
		status = take_option(request, option, argv);
		if (status)
			return status;
	}
	if (end - optind != 1)
		return report_usage(&verb_export, "export needs one provider");
	if (request->pool && request->flags & PEERBUF_EXPORT_SHARED)
		return report_usage(&verb_export, "--pool and --shared exclude each other");
	return parse_function(argv[optind], &request->provider) ? EXIT_FAILED : 0;
}

static int report_no_window(int control, const struct request *request, int err)
{
	struct peerbuf_provider_info info = { .size = sizeof(info) };
	struct name name = name_of(&request->provider);

	if (err == -ENODEV)
		return report("%s is not a provider; make it one: peerbuf bind %s", name.text,
			      name.text);
	if (err != -ENOENT || peerbuf_get_provider(control, &request->provider, &info))
		return report_call(err, name.text);
	return report("%s has no window %u; it has %u, and the first is 0 (peerbuf list)",
		      name.text, request->window, info.nr_windows);
}

/* Fill in the length, and refuse early what the window cannot give. */
static int fit(int control, struct request *request)
{
	struct peerbuf_window_info window = { .size = sizeof(window) };
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), rest;
	int err;

	err = peerbuf_get_window(control, &request->provider, request->window, &window);
	if (err)
		return report_no_window(control, request, err);
	rest = request->offset < window.length ? window.length - request->offset : 0;
	if (!request->length)
		request->length = rest;
	if (!rest || request->length > rest)
		return report("window %u of %s ends at %s: offset and length reach beyond it",
			      request->window, name_of(&request->provider).text,
			      size_of(window.length).text);
	if (request->offset % page || request->length % page)
		return report("offset and length must be multiples of the page size, %s",
			      size_of(page).text);
	return 0;
}

static int report_refused(int err, const struct request *request)
{
	if (err != -EBUSY)
		return report_call(err, "the export was refused");
	report("%s at %s of window %u, or a part of it, is lent already",
	       size_of(request->length).text, size_of(request->offset).text, request->window);
	return advise("choose another range, or say --shared in all exports of it");
}

static int make_buffer(int fd, const struct request *request, __u64 offset)
{
	struct peerbuf_range range = { .offset = offset, .length = request->length };
	struct peerbuf_export export = {
		.size = sizeof(export),
		.flags = request->flags,
		.window = request->pool ? 0 : request->window,
		.open_flags = request->access | O_CLOEXEC,
	};

	return peerbuf_export_ranges(fd, &export, &range, 1);
}

static int lend(int node, const struct request *request, struct lease *lease)
{
	lease->length = request->length;
	if (!request->pool) {
		lease->buffer = make_buffer(node, request, request->offset);
		return lease->buffer < 0 ? report_refused(lease->buffer, request) : 0;
	}

	lease->pool = peerbuf_create_pool(node, request->window, request->offset,
					  request->length);
	if (lease->pool < 0)
		return report_refused(lease->pool, request);
	lease->buffer = make_buffer(lease->pool, request, 0);
	return lease->buffer < 0 ? report_refused(lease->buffer, request) : 0;
}

static int set_number(const char *name, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return setenv(name, text, 1);
}

/*
 * Give @fd the lowest free number from 3 on, without O_CLOEXEC, and say it in
 * the environment. What the caller had open stays as it was.
 */
static int bequeath(int fd, const char *name)
{
	int heir = fcntl(fd, F_DUPFD, 3);

	if (heir < 0)
		return -1;
	return set_number(name, (__u64)heir);
}

/* Only with node and control closed: they may sit on the numbers to give. */
static int settle(const struct request *request, const struct lease *lease)
{
	if (bequeath(lease->buffer, "PEERBUF_FD") ||
	    set_number("PEERBUF_SIZE", lease->length) ||
	    setenv("PEERBUF_PROVIDER", name_of(&request->provider).text, 1))
		return -1;
	if (lease->pool < 0)
		return unsetenv("PEERBUF_POOL_FD");
	return bequeath(lease->pool, "PEERBUF_POOL_FD");
}

static int become(char **command)
{
	int err;

	execvp(command[0], command);
	err = errno;
	report("cannot run %s: %s", command[0], strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static int run(int argc, char **argv)
{
	struct request request = { .access = O_RDWR };
	struct lease lease = { .buffer = -1, .pool = -1 };
	int control, node;

	if (parse(argc, argv, &request))
		return EXIT_FAILED;
	control = open_control();
	if (control < 0 || fit(control, &request))
		return EXIT_FAILED;
	node = open_node(&request.provider);
	if (node < 0 || lend(node, &request, &lease))
		return EXIT_FAILED;
	close(node);
	close(control);
	if (settle(&request, &lease)) {
		report("cannot pass the buffer to the command: %m");
		return EXIT_FAILED;
	}
	return become(request.command);
}

const struct verb verb_export = {
	.name = "export",
	.args = "PROVIDER [OPTIONS] -- COMMAND [ARGUMENTS]",
	.summary = "run a command that inherits a buffer of device memory",
	.help =
	"Exports a range of a window as a dma-buf and becomes COMMAND, which inherits it:\n"
	"  PEERBUF_FD        number of the descriptor, 3 if that is free\n"
	"  PEERBUF_SIZE      bytes\n"
	"  PEERBUF_PROVIDER  the provider's address\n"
	"  PEERBUF_POOL_FD   with --pool: number of the pool's descriptor\n"
	"\n"
	"  --window N        number of the window (0)\n"
	"  --offset SIZE     where the range starts in the window (0)\n"
	"  --length SIZE     bytes (to the window's end)\n"
	"  --pool            make the range a pool: cleared, held by nobody else, and\n"
	"                    revoked when COMMAND and its heirs have closed the pool\n"
	"  --shared          the range may overlap other exports that say so too\n"
	"  --allow-pinned    admit importers that cannot be revoked\n"
	"  --allow-static    admit importers that know nothing of peer memory, where root\n"
	"                    has allowed that for the window (allow_static in sysfs)\n"
	"  --direct          refuse importers that would cross a host bridge\n"
	"  --read-only       a descriptor that cannot be written through\n"
	"\n"
	"A SIZE is in bytes, or takes K, M, G, T (powers of 1024). Needs access to the\n"
	"provider's node.\n"
	"\n"
	"Exit status: COMMAND's; 125 if the export failed, 126 if COMMAND cannot be run,\n"
	"127 if it was not found.\n",
	.error = EXIT_FAILED,
	.run = run,
};
