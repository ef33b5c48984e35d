// SPDX-License-Identifier: MIT
/*
 * Ranges, and commands that inherit descriptors.
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

#include "inherit.h"

int take_size(const struct verb *verb, const char *option, const char *text, __u64 *bytes)
{
	if (!parse_size(text, bytes))
		return 0;
	return report_usage(verb, "--%s: \"%s\" is not a size like 4096, 0x1000, 4K, 1M",
			    option, text);
}

int take_number(const struct verb *verb, const char *option, const char *text, __u32 *number)
{
	if (!parse_number(text, number))
		return 0;
	return report_usage(verb, "--%s: \"%s\" is not a number", option, text);
}

/*
 * Everything before "--" is ours, everything behind it the command's. Returns how
 * many arguments are ours, or 0 if there is no command.
 */
int split_command(const struct verb *verb, int argc, char **argv, char ***command)
{
	int end;

	for (end = 1; end < argc && strcmp(argv[end], "--"); end++)
		;
	if (end + 1 >= argc) {
		report_usage(verb, "%s needs a command to run, after \"--\"", verb->name);
		return 0;
	}
	*command = argv + end + 1;
	argv[end] = NULL;
	return end;
}

static int report_no_window(int control, const struct range *range, int err)
{
	struct peerbuf_provider_info info = { .size = sizeof(info) };
	struct name name = name_of(&range->provider);

	if (err == -ENODEV)
		return report("%s is not a provider; make it one: peerbuf bind %s", name.text,
			      name.text);
	if (err != -ENOENT || peerbuf_get_provider(control, &range->provider, &info))
		return report_call(err, name.text);
	return report("%s has no window %u; it has %u, and the first is 0 (peerbuf list)",
		      name.text, range->window, info.nr_windows);
}

/* Fill in the length, and refuse early what the window cannot give. */
int fit_range(int control, struct range *range)
{
	struct peerbuf_window_info window = { .size = sizeof(window) };
	__u64 page = (__u64)sysconf(_SC_PAGESIZE), rest;
	int err;

	err = peerbuf_get_window(control, &range->provider, range->window, &window);
	if (err)
		return report_no_window(control, range, err);
	rest = range->offset < window.length ? window.length - range->offset : 0;
	if (!range->length)
		range->length = rest;
	if (!rest || range->length > rest)
		return report("window %u of %s ends at %s: offset and length reach beyond it",
			      range->window, name_of(&range->provider).text,
			      size_of(window.length).text);
	if (range->offset % page || range->length % page)
		return report("offset and length must be multiples of the page size, %s",
			      size_of(page).text);
	return 0;
}

int report_refused(int err, const struct range *range, const char *busy)
{
	if (err != -EBUSY)
		return report_call(err, "the kernel has refused");
	report("%s at %s of window %u, or a part of it, is lent already",
	       size_of(range->length).text, size_of(range->offset).text, range->window);
	return advise("%s", busy);
}

int set_number(const char *name, __u64 value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return setenv(name, text, 1);
}

/*
 * Give @fd the lowest free number from 3 on, without O_CLOEXEC, and say it in
 * the environment. What the caller had open stays as it was.
 */
int bequeath(int fd, const char *name)
{
	int heir = fcntl(fd, F_DUPFD, 3);

	if (heir < 0)
		return -1;
	return set_number(name, (__u64)heir);
}

int become(char **command)
{
	int err;

	execvp(command[0], command);
	err = errno;
	report("cannot run %s: %s", command[0], strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}
