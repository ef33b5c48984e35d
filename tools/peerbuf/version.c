// SPDX-License-Identifier: MIT
/* peerbuf version: of the command, and what the kernel speaks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static int run(int argc, char **argv)
{
	struct peerbuf_version version = { .size = sizeof(version) };
	int control, err;

	if (argc > 1)
		return report_usage(&verb_version, "version takes no argument \"%s\"", argv[1]);

	printf("peerbuf %s, ABI %u\n", PEERBUF_CLI_VERSION, PEERBUF_ABI);
	control = peerbuf_open_control();
	if (control == -ENOENT || control == -ENODEV || control == -ENXIO) {
		printf("kernel: the module is not loaded; load it: modprobe peerbuf\n");
		return EXIT_OK;
	}
	if (control < 0)
		return report("cannot open " PEERBUF_CONTROL_PATH ": %s", strerror(-control));
	err = peerbuf_get_version(control, &version);
	close(control);
	if (err)
		return report_call(err, "cannot ask the kernel for its version");
	printf("kernel: ABI %u, at most %u ranges in a buffer\n", version.abi,
	       version.max_ranges);
	return EXIT_OK;
}

const struct verb verb_version = {
	.name = "version",
	.args = "",
	.summary = "show the versions of command and kernel module",
	.help = "Shows the version of the command, and the ABI that it and the module speak.\n",
	.error = EXIT_ERROR,
	.run = run,
};
