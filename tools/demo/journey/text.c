// SPDX-License-Identifier: MIT
/* What the demo prints. Lines with a # are for tools/demo/picture/judge. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "journey.h"

static bool wrong;

/* The demo cannot go on. Returns -1. */
int fail(int err, const char *what)
{
	printf("   %s%s%s\n", what, err ? ": " : "", err ? strerror(-err) : "");
	wrong = true;
	return -1;
}

void step(int number, const char *title)
{
	printf("%s%d. %s\n", number > 1 ? "\n" : "", number, title);
}

/* One line of a step, with its result. */
bool check(bool ok, const char *format, ...)
{
	char text[128];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("   %-86s %s\n", text, ok ? "ok" : "WRONG");
	wrong |= !ok;
	return ok;
}

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("   ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("#");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

bool all_is_well(void)
{
	return !wrong;
}

/* Good until it has been called four more times. */
const char *name_of(const struct peerbuf_function *function)
{
	static char names[4][PEERBUF_FUNCTION_LEN];
	static unsigned int next;
	char *name = names[next++ % ARRAY_SIZE(names)];

	peerbuf_format_function(function, name, PEERBUF_FUNCTION_LEN);
	return name;
}
