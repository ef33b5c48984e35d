// SPDX-License-Identifier: MIT
/* peerbuf help: the list of verbs, or one of them. */
#include "cli.h"

static int run(int argc, char **argv)
{
	const struct verb *verb;

	if (argc == 1) {
		print_usage();
		return EXIT_OK;
	}
	if (argc > 2)
		return report_usage(&verb_help, "help takes one verb");
	verb = find_verb(argv[1]);
	if (!verb)
		return report("there is no verb \"%s\"; \"peerbuf help\" lists them", argv[1]);
	print_help(verb);
	return EXIT_OK;
}

const struct verb verb_help = {
	.name = "help",
	.args = "[VERB]",
	.summary = "say more about a verb",
	.help = "Lists the verbs, or says what one of them does.\n",
	.error = EXIT_ERROR,
	.run = run,
};
