// SPDX-License-Identifier: MIT
/* peerbuf watch: tell when the memory behind a buffer stops, starts, or is gone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static void print_state(__u32 state, __u64 generation)
{
	printf("%s, generation %llu\n", peerbuf_state_name(state),
	       (unsigned long long)generation);
	/* each at its time, in a pipe too */
	fflush(stdout);
}

static int follow(int watch)
{
	struct peerbuf_event event;
	int got;

	while ((got = peerbuf_read_watch(watch, &event)) > 0)
		print_state(event.state, event.generation);
	return got ? report("cannot read the watch: %s", strerror(-got)) : EXIT_OK;
}

static int watch_buffer(__u32 dmabuf)
{
	struct peerbuf_watch answer = { .size = sizeof(answer) };
	int control, watch, status;

	control = open_control();
	if (control < 0)
		return EXIT_ERROR;
	watch = peerbuf_watch_buffer(control, dmabuf, O_CLOEXEC, &answer);
	close(control);
	if (watch == -EBADF || watch == -EINVAL)
		return report("descriptor %u is not a buffer of peerbuf", dmabuf);
	if (watch < 0)
		return report_call(watch, "cannot watch the buffer");

	/* the watch does not need it, and we do not want to keep it */
	close(dmabuf);
	print_state(answer.state, answer.generation);
	status = follow(watch);
	close(watch);
	return status;
}

static int run(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("PEERBUF_FD");
	__u32 dmabuf;

	if (argc > 2)
		return report_usage(&verb_watch, "watch takes no argument \"%s\"", argv[2]);
	if (!text)
		return report_usage(&verb_watch,
				    "watch needs a descriptor, or PEERBUF_FD as set by export");
	if (parse_number(text, &dmabuf))
		return report_usage(&verb_watch, "\"%s\" is not the number of a descriptor", text);
	return watch_buffer(dmabuf);
}

const struct verb verb_watch = {
	.name = "watch",
	.args = "[FD]",
	.summary = "tell when a buffer's memory stops, starts, or is gone",
	.help =
	"Prints a line with state and generation, and another one at each change, until\n"
	"the buffer is gone:\n"
	"\n"
	"  in use   as its flags allow; in a new generation, contents may be lost\n"
	"  stopped  the provider is being reset, or its memory does not answer\n"
	"  revoked  for good\n"
	"\n"
	"It does not keep the buffer: that is gone with the last descriptor of others.\n"
	"\n"
	"  FD  an inherited descriptor of the buffer; $PEERBUF_FD unless given\n",
	.error = EXIT_ERROR,
	.run = run,
};
