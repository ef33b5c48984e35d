// SPDX-License-Identifier: MIT
/* Error messages: what failed, and what one can do. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static void print_message(const char *start, const char *format, va_list args)
{
	fprintf(stderr, "%s", start);
	vfprintf(stderr, format, args);
}

int report(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("peerbuf: ", format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

/* The second line, where there is more to do than fits on the first. */
int advise(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("         ", format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_ERROR;
}

/* The verb was called wrongly. */
int report_usage(const struct verb *verb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("peerbuf: ", format, args);
	va_end(args);
	fprintf(stderr, "\nusage: peerbuf %s%s%s\n", verb->name, *verb->args ? " " : "",
		verb->args);
	return verb->error;
}

/* getopt_long() returned @option, which is '?' or ':'. */
int report_option(const struct verb *verb, int option, char **argv)
{
	const char *text = argv[optind - 1];

	if (option == ':')
		return report_usage(verb, "option \"%s\" needs a value", text);
	return report_usage(verb, "option \"%s\" is unknown, ambiguous or takes no value", text);
}

/* What every call of <linux/peerbuf.h> can return. */
int report_call(int err, const char *what)
{
	switch (-err) {
	case ENODEV:
		report("%s: the provider is gone", what);
		return advise("\"peerbuf list\" shows what is left");
	case ENOTTY:
	case E2BIG:
	case EOPNOTSUPP:
		report("%s: the kernel module does not know this call or flag", what);
		return advise("\"peerbuf version\" compares the two");
	default:
		return report("%s: %s", what, strerror(-err));
	}
}
