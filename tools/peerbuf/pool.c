// SPDX-License-Identifier: MIT
/* peerbuf pool: run a command that inherits a pool; or take a pool back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inherit.h"

struct request {
	struct range range;
	struct peerbuf_pool_create limits;
	unsigned int options; /* how many, but for --revoke */
	__u64 revoke; /* number of a pool; 0: make one */
	char **command;
};

enum {
	WINDOW, OFFSET, LENGTH, QUOTA, ALIGN, MAX_BUFFERS, READ_ONLY, NO_STATIC, NO_PINNED,
	DIRECT, REVOKE,
};

static const struct option options[] = {
	{ "window", required_argument, NULL, WINDOW },
	{ "offset", required_argument, NULL, OFFSET },
	{ "length", required_argument, NULL, LENGTH },
	{ "quota", required_argument, NULL, QUOTA },
	{ "align", required_argument, NULL, ALIGN },
	{ "max-buffers", required_argument, NULL, MAX_BUFFERS },
	{ "read-only", no_argument, NULL, READ_ONLY },
	{ "no-static", no_argument, NULL, NO_STATIC },
	{ "no-pinned", no_argument, NULL, NO_PINNED },
	{ "direct", no_argument, NULL, DIRECT },
	{ "revoke", required_argument, NULL, REVOKE },
	{ }
};

/* Zero means "all" to the kernel, and is hardly what was meant. */
static int take_amount(const char *option, const char *text, __u64 *bytes)
{
	if (take_size(&verb_pool, option, text, bytes))
		return EXIT_FAILED;
	if (!*bytes)
		return report_usage(&verb_pool, "--%s: a pool of nothing is of no use", option);
	return 0;
}

static int take_id(const char *text, __u64 *id)
{
	char *end;

	errno = 0;
	*id = strtoull(text, &end, 10);
	if (!errno && *text >= '1' && *text <= '9' && !*end)
		return 0;
	return report_usage(&verb_pool, "--revoke: \"%s\" is not the number of a pool", text);
}

static int take_flag(struct request *request, __u32 flag)
{
	request->limits.flags |= flag;
	return 0;
}

static int take_option(struct request *request, int option, char **argv)
{
	request->options += option != REVOKE;
	switch (option) {
	case WINDOW:
		return take_number(&verb_pool, "window", optarg, &request->range.window);
	case OFFSET:
		return take_size(&verb_pool, "offset", optarg, &request->range.offset);
	case LENGTH:
		return take_amount("length", optarg, &request->range.length);
	case QUOTA:
		return take_amount("quota", optarg, &request->limits.quota);
	case ALIGN:
		return take_size(&verb_pool, "align", optarg, &request->limits.align);
	case MAX_BUFFERS:
		return take_number(&verb_pool, "max-buffers", optarg,
				   &request->limits.max_buffers);
	case READ_ONLY:
		return take_flag(request, PEERBUF_POOL_READ_ONLY);
	case NO_STATIC:
		return take_flag(request, PEERBUF_POOL_NO_STATIC);
	case NO_PINNED:
		return take_flag(request, PEERBUF_POOL_NO_PINNED);
	case DIRECT:
		return take_flag(request, PEERBUF_POOL_DIRECT);
	case REVOKE:
		return take_id(optarg, &request->revoke);
	default:
		return report_option(&verb_pool, option, argv);
	}
}

/* With --revoke there is nothing to run. */
static int find_end(int argc, char **argv, struct request *request)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strncmp(argv[i], "--revoke", strlen("--revoke")))
			return argc;
	}
	return split_command(&verb_pool, argc, argv, &request->command);
}

static int parse(int argc, char **argv, struct request *request)
{
	int end = find_end(argc, argv, request);
	int option, status;

	if (!end)
		return EXIT_FAILED;
	while ((option = getopt_long(end, argv, ":", options, NULL)) != -1) {
		status = take_option(request, option, argv);
		if (status)
			return status;
	}
	if (request->revoke && request->options)
		return report_usage(&verb_pool, "--revoke takes no other option");
	if (request->revoke && end - optind > 1)
		return report_usage(&verb_pool, "--revoke takes no command");
	if (end - optind != 1)
		return report_usage(&verb_pool, "pool needs one provider");
	return parse_function(argv[optind], &request->range.provider) ? EXIT_FAILED : 0;
}

static int report_limits(int err, const struct request *request)
{
	if (err == -EINVAL || err == -ERANGE) {
		report("the kernel has refused the limits");
		advise("quota: whole pages, not above the length; max-buffers: up to %u",
		       PEERBUF_POOL_MAX_BUFFERS);
		return advise("align: a power of two from the page size to 1G");
	}
	return report_refused(err, &request->range, "choose another range");
}

static int make_pool(int node, struct request *request)
{
	struct peerbuf_pool_create *args = &request->limits;
	int pool;

	args->size = sizeof(*args);
	args->window = request->range.window;
	args->offset = request->range.offset;
	args->length = request->range.length;
	args->open_flags = O_CLOEXEC;
	pool = peerbuf_create_limited_pool(node, args);
	if (pool < 0)
		report_limits(pool, request);
	return pool;
}

static int settle(const struct request *request, int pool)
{
	if (bequeath(pool, "PEERBUF_POOL_FD") ||
	    set_number("PEERBUF_POOL_ID", request->limits.id) ||
	    set_number("PEERBUF_SIZE", request->range.length) ||
	    setenv("PEERBUF_PROVIDER", name_of(&request->range.provider).text, 1))
		return -1;
	return unsetenv("PEERBUF_FD");
}

static int take_back(const struct request *request)
{
	int node = open_node(&request->range.provider, O_RDWR);
	int err;

	if (node < 0)
		return EXIT_FAILED;
	err = peerbuf_revoke_pool(node, request->revoke, 0);
	close(node);
	if (!err)
		return 0;
	if (err == -ENOENT)
		report("%s has no pool %llu", name_of(&request->range.provider).text,
		       (unsigned long long)request->revoke);
	else
		report_call(err, "the revoke");
	return EXIT_FAILED;
}

static int lend(int control, struct request *request)
{
	int node, pool;

	if (fit_range(control, &request->range))
		return EXIT_FAILED;
	node = open_node(&request->range.provider, O_RDWR);
	if (node < 0)
		return EXIT_FAILED;
	pool = make_pool(node, request);
	if (pool < 0)
		return EXIT_FAILED;
	close(node);
	close(control);
	if (settle(request, pool)) {
		report("cannot pass the pool to the command: %m");
		return EXIT_FAILED;
	}
	return become(request->command);
}

static int run(int argc, char **argv)
{
	struct request request = { 0 };
	int control;

	if (parse(argc, argv, &request))
		return EXIT_FAILED;
	control = open_control();
	if (control < 0)
		return EXIT_FAILED;
	return request.revoke ? take_back(&request) : lend(control, &request);
}

const struct verb verb_pool = {
	.name = "pool",
	.args = "PROVIDER [OPTIONS] -- COMMAND [ARGUMENTS] | PROVIDER --revoke ID",
	.summary = "run a command that may allocate buffers from a part of a window",
	.help =
	"Makes a pool of a range of a window and becomes COMMAND, which inherits the right\n"
	"to export cleared buffers from it, within its limits, and no other right:\n"
	"  PEERBUF_POOL_FD   number of the pool's descriptor, 3 if that is free\n"
	"  PEERBUF_POOL_ID   number of the pool, for --revoke\n"
	"  PEERBUF_SIZE      bytes of the range\n"
	"  PEERBUF_PROVIDER  the provider's address\n"
	"When COMMAND and its heirs have closed the pool, its buffers are revoked and what\n"
	"was used is cleared.\n"
	"\n"
	"  --window N        number of the window (0)\n"
	"  --offset SIZE     where the range starts in the window (0)\n"
	"  --length SIZE     bytes (to the window's end)\n"
	"  --quota SIZE      most bytes that buffers hold at once (all)\n"
	"  --align SIZE      least alignment of a buffer's PCI bus address (a page)\n"
	"  --max-buffers N   most buffers that exist at once (4096)\n"
	"  --read-only       nobody can write to the buffers but the provider itself\n"
	"  --no-static       no importers that know nothing of peer memory\n"
	"  --no-pinned       no importers that cannot be revoked\n"
	"  --direct          no importers that would cross a host bridge\n"
	"  --revoke ID       take that pool back, whoever holds it, and wait until it is so\n"
	"\n"
	"A SIZE is in bytes, or takes K, M, G, T (powers of 1024). Needs access to the\n"
	"provider's node.\n"
	"\n"
	"Exit status: COMMAND's, or 0 after --revoke; 125 if the call failed, 126 if\n"
	"COMMAND cannot be run, 127 if it was not found.\n",
	.error = EXIT_FAILED,
	.run = run,
};
