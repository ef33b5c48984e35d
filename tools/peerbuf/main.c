// SPDX-License-Identifier: MIT
/* peerbuf: the table of verbs, and the way to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct verb * const verbs[] = {
	&verb_list, &verb_routes, &verb_route, &verb_why, &verb_dump, &verb_export,
	&verb_pool, &verb_holders, &verb_watch, &verb_bind, &verb_unbind, &verb_version,
	&verb_help,
};

const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	}
	return NULL;
}

void print_usage(void)
{
	size_t i;

	printf("usage: peerbuf VERB [ARGUMENTS]\n\n"
	       "PCI device memory as dma-bufs, for peer-to-peer DMA.\n\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-8s  %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\n\"peerbuf help VERB\" says more; so does peerbuf(1).\n");
}

void print_help(const struct verb *verb)
{
	printf("usage: peerbuf %s%s%s\n\n%s", verb->name, *verb->args ? " " : "",
	       verb->args, verb->help);
}

/* Is help asked for, among what is the verb's own? */
static bool wants_help(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

/* Output that did not get out, as into a full disk, is a failure too. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	return report("cannot write the output: %m");
}

int main(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2) {
		print_usage();
		return finish(EXIT_ERROR);
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_usage();
		return finish(EXIT_OK);
	}
	if (!strcmp(argv[1], "--version"))
		argv[1] += 2;

	verb = find_verb(argv[1]);
	if (!verb)
		return report("there is no verb \"%s\"; \"peerbuf help\" lists them", argv[1]);
	if (wants_help(argc - 1, argv + 1)) {
		print_help(verb);
		return finish(EXIT_OK);
	}
	opterr = 0;
	return finish(verb->run(argc - 1, argv + 1));
}
