// SPDX-License-Identifier: MIT
/* peerbuf export: run a command that inherits a buffer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "inherit.h"

struct request {
	struct range range;
	__u32 flags;
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

static int take_option(struct request *request, int option, char **argv)
{
	switch (option) {
	case WINDOW:
		return take_number(&verb_export, "window", optarg, &request->range.window);
	case OFFSET:
		return take_size(&verb_export, "offset", optarg, &request->range.offset);
	case LENGTH:
		if (take_size(&verb_export, "length", optarg, &request->range.length))
			return EXIT_FAILED;
		if (!request->range.length)
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
		request->flags |= PEERBUF_EXPORT_READ_ONLY;
		return 0;
	default:
		return report_option(&verb_export, option, argv);
	}
}

static int parse(int argc, char **argv, struct request *request)
{
	int option, status, end;

	end = split_command(&verb_export, argc, argv, &request->command);
	if (!end)
		return EXIT_FAILED;
	while ((option = getopt_long(end, argv, ":", options, NULL)) != -1) {
		status = take_option(request, option, argv);
		if (status)
			return status;
	}
	if (end - optind != 1)
		return report_usage(&verb_export, "export needs one provider");
	if (request->pool && request->flags & PEERBUF_EXPORT_SHARED)
		return report_usage(&verb_export, "--pool and --shared exclude each other");
	return parse_function(argv[optind], &request->range.provider) ? EXIT_FAILED : 0;
}

static int make_buffer(int fd, const struct request *request, __u64 offset)
{
	struct peerbuf_range range = { .offset = offset, .length = request->range.length };
	struct peerbuf_export export = {
		.size = sizeof(export),
		.flags = request->flags,
		.window = request->pool ? 0 : request->range.window,
		.open_flags = O_CLOEXEC,
	};

	export.open_flags |= request->flags & PEERBUF_EXPORT_READ_ONLY ? O_RDONLY : O_RDWR;
	return peerbuf_export_ranges(fd, &export, &range, 1);
}

static int refused(int err, const struct request *request)
{
	return report_refused(err, &request->range,
			      "choose another range, or say --shared in all exports of it");
}

static int lend(int node, const struct request *request, struct lease *lease)
{
	const struct range *range = &request->range;

	lease->length = range->length;
	if (!request->pool) {
		lease->buffer = make_buffer(node, request, range->offset);
		return lease->buffer < 0 ? refused(lease->buffer, request) : 0;
	}

	lease->pool = peerbuf_create_pool(node, range->window, range->offset, range->length);
	if (lease->pool < 0)
		return refused(lease->pool, request);
	lease->buffer = make_buffer(lease->pool, request, 0);
	return lease->buffer < 0 ? refused(lease->buffer, request) : 0;
}

/* Only with node and control closed: they may sit on the numbers to give. */
static int settle(const struct request *request, const struct lease *lease)
{
	if (bequeath(lease->buffer, "PEERBUF_FD") ||
	    set_number("PEERBUF_SIZE", lease->length) ||
	    setenv("PEERBUF_PROVIDER", name_of(&request->range.provider).text, 1))
		return -1;
	if (lease->pool < 0)
		return unsetenv("PEERBUF_POOL_FD");
	return bequeath(lease->pool, "PEERBUF_POOL_FD");
}

static int run(int argc, char **argv)
{
	struct request request = { 0 };
	struct lease lease = { .buffer = -1, .pool = -1 };
	int control, node;

	if (parse(argc, argv, &request))
		return EXIT_FAILED;
	control = open_control();
	if (control < 0 || fit_range(control, &request.range))
		return EXIT_FAILED;
	node = open_node(&request.range.provider, O_RDWR);
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
	"  --read-only       neither COMMAND nor importers can write to the memory\n"
	"\n"
	"A SIZE is in bytes, or takes K, M, G, T (powers of 1024). Needs access to the\n"
	"provider's node.\n"
	"\n"
	"Exit status: COMMAND's; 125 if the export failed, 126 if COMMAND cannot be run,\n"
	"127 if it was not found.\n",
	.error = EXIT_FAILED,
	.run = run,
};
